package rest

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestLease(t *testing.T) {
	t.Parallel()
	all, strangers := newBudget(100, nil), newBudget(50, nil)
	known := lease{budgets: [2]*budget{all, nil}}
	stranger := lease{budgets: [2]*budget{all, strangers}}
	for _, step := range []struct {
		l              *lease
		n              int64
		want           bool
		free, forOther int64
	}{
		{&stranger, 51, false, 100, 50}, // over its own share, and all of it is given back
		{&stranger, 50, true, 50, 0},
		{&known, 51, false, 50, 0},
		{&known, 40, true, 10, 0},
		{&known, 10, true, 0, 0},
		{&stranger, 1, false, 0, 0},
		{&known, 1, false, 0, 0},
	} {
		if got := step.l.grow(step.n); got != step.want || all.free.Load() != step.free || strangers.free.Load() != step.forOther {
			t.Errorf("taking %d: %v, with %d and %d free; want %+v", step.n, got, all.free.Load(), strangers.free.Load(), step)
		}
	}
	known.end()
	stranger.end()
	stranger.end()
	if all.free.Load() != 100 || strangers.free.Load() != 50 {
		t.Errorf("after the end %d and %d are free", all.free.Load(), strangers.free.Load())
	}
}

func TestBudgetManyAtOnce(t *testing.T) {
	t.Parallel()
	b := newBudget(10, nil)
	var wg sync.WaitGroup
	var over atomic.Bool
	for range 16 {
		wg.Go(func() {
			for range 1000 {
				if b.take(3) {
					if b.free.Load() < 0 {
						over.Store(true)
					}
					b.give(3)
				}
			}
		})
	}
	wg.Wait()
	if over.Load() || b.free.Load() != 10 {
		t.Errorf("over: %v, free at the end: %d", over.Load(), b.free.Load())
	}
}
