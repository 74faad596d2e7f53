package delivery

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// dutyQueue has nothing to deliver, and something to remove.
type dutyQueue struct {
	inbox.Queue
	calls []time.Time
	left  int // calls that leave something
	err   error
}

func (*dutyQueue) Sweep(context.Context) (inbox.Swept, error)        { return inbox.Swept{}, nil }
func (*dutyQueue) Purge(context.Context) error                       { return nil }
func (*dutyQueue) Depth(context.Context) ([]inbox.QueueDepth, error) { return nil, nil }

func (q *dutyQueue) Expire(_ context.Context, budget time.Duration) (inbox.Removed, bool, error) {
	q.calls = append(q.calls, time.Now())
	time.Sleep(budget)
	q.left--
	return inbox.Removed{Threads: 1, Messages: 3, Events: 20}, q.left > 0, q.err
}

// What is kept no longer goes by the clock, in slices until nothing is left.
func TestRetentionIsADuty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &dutyQueue{left: 3, err: errors.New("one instance has trouble")}
		registry := prometheus.NewRegistry()
		w, err := New(Options{Queue: q, Providers: provider.NewRegistry(), Metrics: registry})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now() // on the hour, in the bubble
		ctx, cancel := context.WithTimeout(t.Context(), 21*time.Minute)
		defer cancel()
		time.Sleep(time.Minute)
		w.duties(ctx)
		var at []time.Duration
		for _, c := range q.calls {
			at = append(at, c.Sub(start))
		}
		slice := expireSlice + expirePause
		if diff := cmp.Diff([]time.Duration{purgeEvery, purgeEvery + slice, purgeEvery + 2*slice, 2 * purgeEvery}, at); diff != "" {
			t.Errorf("when it was done (-want +got):\n%s", diff)
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		counted := map[string]float64{}
		for _, f := range families {
			if f.GetName() == "socialops_retention_removed_rows_total" {
				for _, m := range f.GetMetric() {
					counted[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
				}
			}
		}
		want := map[string]float64{"thread": 4, "message": 12, "raw_payload": 0, "attachment": 0, "action": 0, "contact": 0, "event": 80}
		if diff := cmp.Diff(want, counted); diff != "" {
			t.Errorf("what is counted (-want +got):\n%s", diff)
		}
	})
}
