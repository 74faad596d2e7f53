package controllers

import (
	"context"
	"log/slog"
	"time"
)

// chore is work of the leader's that is done when somebody asks for it, and again,
// ever later, until it succeeds.
type chore struct {
	name  string
	log   *slog.Logger
	work  func(context.Context) error
	asked chan struct{} // holds one
}

// choreLimit is how long it waits at most until the next try.
const choreLimit = time.Minute

func newChore(name string, o *Options, work func(context.Context) error) *chore {
	return &chore{name: name, log: o.Log, work: work, asked: make(chan struct{}, 1)}
}

// soon asks for it.
func (c *chore) soon() {
	select {
	case c.asked <- struct{}{}:
	default:
	}
}

// run does it, whenever somebody asks, until ctx ends.
func (c *chore) run(ctx context.Context) error {
	tries := 0
	for {
		var again <-chan time.Time
		if tries > 0 {
			again = time.After(backoff(tries, choreLimit))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.asked:
		case <-again:
		}
		err := c.work(ctx)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the process ends
		case err == nil:
			tries = 0
		default:
			if tries++; tries == 1 {
				c.log.WarnContext(ctx, "a chore failed; trying again", "chore", c.name, "error", err)
			}
		}
	}
}
