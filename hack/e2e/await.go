package main

import (
	"context"
	"fmt"
	"time"
)

const pollEvery = 200 * time.Millisecond

// await asks until check returns "", which means that what is waited for holds; any
// other answer tells what is missing, and the last one is in the error. An error of
// check counts as such an answer, as a cluster may be away for a while.
func await(ctx context.Context, limit time.Duration, what string, check func(context.Context) (string, error)) error {
	deadline := time.Now().Add(limit)
	for {
		missing, err := check(ctx)
		if err == nil && missing == "" {
			return nil
		}
		if err != nil {
			missing = err.Error()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s for %s: %s", limit, what, missing)
		}
		if err := pause(ctx, pollEvery); err != nil {
			return fmt.Errorf("waiting for %s: %w; last seen: %s", what, err, missing)
		}
	}
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
