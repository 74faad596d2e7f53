package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/open4x/socialops/runtime/inbox"
)

const (
	readers   = 8 // connections that read lists
	pageLimit = 50

	// What a page may cost beyond the bare query, and what that may cost.
	mostOverBareMS = 3
	mostBareMS     = 10
)

// needsAttention is what /inbox lists when no status is asked for.
var needsAttention = inbox.Filter{Statuses: []inbox.Status{inbox.Open, inbox.Pending}}

func measureInbox(ctx context.Context, b *bench) (rows []Row, err error) {
	if err := b.large(ctx); err != nil {
		return nil, err
	}
	p, err := b.runtime(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	store, err := b.recorder(ctx)
	if err != nil {
		return nil, err
	}
	defer store.close()
	for _, page := range []int{1, b.scale.deepPage} {
		row, err := b.inboxPage(ctx, p, store, page)
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// inboxPage compares a page by the API with the statements that the store sends for it.
func (b *bench) inboxPage(ctx context.Context, p *process, store *recorder, n int) (Row, error) {
	address, first, err := b.walkAPI(ctx, p, n)
	if err != nil {
		return Row{}, err
	}
	page, bareFirst, err := walkStore(ctx, store, n)
	if err != nil {
		return Row{}, err
	}
	if first != bareFirst {
		return Row{}, fmt.Errorf("page %d begins with %s by the API and with %s by the store", n, first, bareFirst)
	}
	bare, err := store.record(func() error {
		_, err := store.Inbox(ctx, needsAttention, page)
		return err
	})
	if err != nil {
		return Row{}, fmt.Errorf("reading page %d: %w", n, err)
	}
	var pairs []Pair
	for range b.scale.pairs {
		ours, err := b.apiP99(ctx, address, readers)
		if err != nil {
			return Row{}, err
		}
		against, err := b.bareP99(ctx, bare, readers)
		if err != nil {
			return Row{}, err
		}
		b.say("  page %d: p99 %s ms, bare %s ms", n, number(ours), number(against))
		pairs = append(pairs, Pair{Ours: ours, Against: against})
	}
	row := paired(fmt.Sprintf("inbox, page %d, %d connections: p99", n, readers), "ms", "bare query", pairs)
	over := median(each(pairs, func(p Pair) float64 { return p.Ours - p.Against }))
	row = row.bar(fmt.Sprintf("≤ bare + %d ms, bare ≤ %d ms", mostOverBareMS, mostBareMS), over <= mostOverBareMS && row.Against <= mostBareMS)
	return row.note("%.2f ms more than the bare query (median of the pairs), which is %d statement(s), run as the tenant's role", over, len(bare)), nil
}

// walkAPI goes to a page by cursor. It returns its address and its first thread.
func (b *bench) walkAPI(ctx context.Context, p *process, number int) (address, first string, err error) {
	query := url.Values{"limit": {fmt.Sprint(pageLimit)}}
	for n := 1; ; n++ {
		address = p.api + "/inbox?" + query.Encode()
		page, err := b.get(ctx, address)
		if err != nil {
			return "", "", err
		}
		if len(page.Data) != pageLimit {
			return "", "", fmt.Errorf("page %d of the inbox has %d threads, not %d", n, len(page.Data), pageLimit)
		}
		if n == number {
			return address, page.Data[0].ThreadID, nil
		}
		if page.Pagination.NextCursor == "" {
			return "", "", fmt.Errorf("the inbox ends at page %d", n)
		}
		query.Set("cursor", page.Pagination.NextCursor)
	}
}

// walkStore goes to a page in the store. The API asks for one thread more than it
// shows, to know whether there is a next page; so does this.
func walkStore(ctx context.Context, store *recorder, number int) (page inbox.Page, first string, err error) {
	page.Limit = pageLimit + 1
	for n := 1; ; n++ {
		threads, err := store.Inbox(ctx, needsAttention, page)
		if err != nil {
			return page, "", fmt.Errorf("reading page %d: %w", n, err)
		}
		if len(threads) < pageLimit {
			return page, "", fmt.Errorf("page %d of the store has %d threads, not %d", n, len(threads), pageLimit)
		}
		if n == number {
			return page, threads[0].ID.String(), nil
		}
		last := threads[pageLimit-1]
		page.After = &inbox.Position{At: last.LastActivityAt, ID: last.ID}
	}
}

// apiP99 reads an address again and again.
func (b *bench) apiP99(ctx context.Context, address string, connections int) (float64, error) {
	if _, err := b.wrk(ctx, load{url: address, connections: connections, duration: b.scale.readWarmUp}); err != nil {
		return 0, err
	}
	if err := b.checkpoint(ctx); err != nil {
		return 0, err
	}
	got, err := b.wrk(ctx, load{url: address, connections: connections, duration: b.scale.reads})
	return got.P99MS, err
}

// bareP99 runs statements again and again.
func (b *bench) bareP99(ctx context.Context, statements []statement, connections int) (float64, error) {
	if _, err := b.replay(ctx, statements, connections, b.scale.readWarmUp); err != nil {
		return 0, err
	}
	if err := b.checkpoint(ctx); err != nil {
		return 0, err
	}
	took, err := b.replay(ctx, statements, connections, b.scale.reads)
	return percentile(took, 0.99), err
}
