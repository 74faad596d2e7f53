package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"
)

// progress says what is under way and remembers how long each step took.
type progress struct {
	out   io.Writer
	begun time.Time

	mu    sync.Mutex
	taken []taken
}

type taken struct {
	name     string
	from, to time.Duration // since the run began
	err      error
	skipped  string // why it was left out
}

// step is one thing that is done or proven.
type step struct {
	name string
	run  func(context.Context) error
}

// leftOut is the error of a step that can't be taken here, and says why.
type leftOut string

func (l leftOut) Error() string { return string(l) }

func newProgress(out io.Writer) *progress { return &progress{out: out, begun: time.Now()} }

// say prints a line with the seconds since the run began.
func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "e2e %4ds  %s\n", int(time.Since(p.begun).Seconds()), fmt.Sprintf(format, args...))
}

// step takes one step.
func (p *progress) step(ctx context.Context, name string, run func(context.Context) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.say("… %s", name)
	t := taken{name: name, from: time.Since(p.begun)}
	err := run(ctx)
	t.to = time.Since(p.begun)
	seconds := (t.to - t.from).Seconds()
	if why := leftOut(""); errors.As(err, &why) {
		t.skipped, err = why.Error(), nil
		p.say("- %s: left out: %s", name, why)
	} else if t.err = err; err != nil {
		err = fmt.Errorf("%s: %w", name, err)
		p.say("✗ %v", err)
	} else {
		p.say("✓ %s (%.1f s)", name, seconds)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, t)
	return err
}

// steps takes steps one after the other, up to the first that fails.
func (p *progress) steps(ctx context.Context, steps ...step) error {
	for _, s := range steps {
		if err := p.step(ctx, s.name, s.run); err != nil {
			return err
		}
	}
	return nil
}

// together takes steps at the same time. One that fails keeps no other from its end,
// so that one run tells all that is wrong.
func (p *progress) together(ctx context.Context, steps ...step) error {
	failed := make([]error, len(steps))
	var all sync.WaitGroup
	for i, s := range steps {
		all.Go(func() { failed[i] = p.step(ctx, s.name, s.run) })
	}
	all.Wait()
	return errors.Join(failed...)
}

// table prints what took how long, and the count of what passed as the last line.
func (p *progress) table() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var passed, failed, skipped int
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "\nSTEP\tFROM\tSECONDS\t\n")
	for _, t := range p.taken {
		verdict := "ok"
		switch {
		case t.err != nil:
			verdict = "FAILED"
			failed++
		case t.skipped != "":
			verdict = "left out: " + t.skipped
			skipped++
		default:
			passed++
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.1f\t%s\n", t.name, t.from.Seconds(), (t.to - t.from).Seconds(), verdict)
	}
	fmt.Fprintf(w, "in all\t\t%.1f\t\n", time.Since(p.begun).Seconds())
	_ = w.Flush() // to the terminal
	fmt.Fprintf(p.out, "\ne2e: %d passed, %d failed, %d skipped\n", passed, failed, skipped)
}
