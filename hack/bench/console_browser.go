package main

import (
	"context"
	"fmt"
	"slices"
)

// The bars of the page.
const (
	mostColdMS    = 1000
	mostWarmMS    = 300
	mostScriptKB  = 200
	mostOpenMS    = 100
	mostVisibleMS = 500
	mostTaskMS    = 50
	mostGrowthMB  = 5 // what a collection more or less makes of a heap that does not grow
)

// measureConsoleFirst opens the page in browsers that know nothing of it, and again
// in the same ones. The clock runs from the navigation's start to the painted list.
func measureConsoleFirst(ctx context.Context, b *bench) ([]Row, error) {
	got, err := b.browse(ctx, task{Measure: "first", Tries: b.scale.views})
	if err != nil {
		return nil, err
	}
	size, err := b.inboxSize(ctx)
	if err != nil {
		return nil, err
	}
	if len(got.Cold) != b.scale.views || len(got.Warm) != b.scale.views || got.Scripts == 0 {
		return nil, fmt.Errorf("the page was ready %d times cold and %d times warm, not %d times", len(got.Cold), len(got.Warm), b.scale.views)
	}
	cold := alone(fmt.Sprintf("console: first view of %d threads, cold", size), "ms", got.Cold)
	warm := alone("… and warm", "ms", got.Warm)
	scripts := alone("… its JavaScript, gzipped", "KB", []float64{got.GzippedKB})
	return []Row{
		cold.bar(fmt.Sprintf("≤ %d ms", mostColdMS), cold.Ours <= mostColdMS).
			note("from the navigation's start in a fresh profile to the painted list, %s; p95 of %d is %s ms", got.Browser, len(got.Cold), number(percentile(got.Cold, 0.95))),
		warm.bar(fmt.Sprintf("≤ %d ms", mostWarmMS), warm.Ours <= mostWarmMS).
			note("the next page of the same profile; p95 of %d is %s ms", len(got.Warm), number(percentile(got.Warm, 0.95))),
		scripts.bar(fmt.Sprintf("≤ %d KB", mostScriptKB), scripts.Ours <= mostScriptKB).note("%d files", got.Scripts),
	}, nil
}

// measureConsoleOpen goes from thread to thread by key.
func measureConsoleOpen(ctx context.Context, b *bench) ([]Row, error) {
	got, err := b.browse(ctx, task{Measure: "open", Tries: b.scale.opens})
	if err != nil {
		return nil, err
	}
	if len(got.Took) != b.scale.opens {
		return nil, fmt.Errorf("%d threads were opened, not %d", len(got.Took), b.scale.opens)
	}
	row := alone("console: key press → the next thread is painted: p95", "ms", []float64{percentile(got.Took, 0.95)})
	row = row.bar(fmt.Sprintf("≤ %d ms", mostOpenMS), row.Ours <= mostOpenMS)
	return []Row{row.note("of %d threads, the median took %s ms and the longest %s ms", len(got.Took), number(median(got.Took)), number(slices.Max(got.Took)))}, nil
}

// measureConsoleLive posts messages to the thread that is open, one by one, and looks
// when they are painted.
func measureConsoleLive(ctx context.Context, b *bench) ([]Row, error) {
	got, err := b.browse(ctx, task{Measure: "live", Tries: b.scale.lives})
	if err != nil {
		return nil, err
	}
	b.conversing = false // there is more in it now
	if len(got.Took) != b.scale.lives || len(got.Rows) != b.scale.lives {
		return nil, fmt.Errorf("%d messages came into the conversation and %d into the list, not %d", len(got.Took), len(got.Rows), b.scale.lives)
	}
	row := alone("console: webhook answered → the message is painted: p95", "ms", []float64{percentile(got.Took, 0.95)})
	row = row.bar(fmt.Sprintf("≤ %d ms", mostVisibleMS), row.Ours <= mostVisibleMS)
	return []Row{row.note("of %d messages to an open thread, the median took %s ms and the longest %s ms; in the list p95 is %s ms",
		len(got.Took), number(median(got.Took)), number(slices.Max(got.Took)), number(percentile(got.Rows, 0.95)))}, nil
}

// measureConsoleScroll scrolls down a long list as a fast hand would.
func measureConsoleScroll(ctx context.Context, b *bench) ([]Row, error) {
	got, err := b.browse(ctx, task{Measure: "scroll", Tries: 1, Threads: b.scale.scrolled})
	if err != nil {
		return nil, err
	}
	if got.Scrolled < b.scale.scrolled {
		return nil, fmt.Errorf("the list ended after %d threads, not %d", got.Scrolled, b.scale.scrolled)
	}
	longest := alone(fmt.Sprintf("console: %d threads scrolled: the longest task", got.Scrolled), "ms", []float64{got.Longest})
	growth := alone("… growth of the heap after the first tenth", "MB", []float64{max(0, got.LateMB-got.EarlyMB)})
	return []Row{
		longest.bar(fmt.Sprintf("≤ %d ms", mostTaskMS), got.Long == 0).note("%d longer tasks in %.0f s; a task under 50 ms is not told of, and shows as 0", got.Long, got.Seconds),
		growth.bar(fmt.Sprintf("≤ %d MB", mostGrowthMB), growth.Ours <= mostGrowthMB).
			note("after collections, from %s to %s MB, with %d nodes in the document at the end", number(got.EarlyMB), number(got.LateMB), got.Nodes),
	}, nil
}
