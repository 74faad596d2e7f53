package delivery_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/open4x/socialops/runtime/delivery"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
)

// With the worker listening, a reply leaves within moments.
func TestListeningWorkerIsQuick(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	quiet := slog.New(slog.DiscardHandler)
	n := postgres.NewNotifier(ten.Pool, quiet)
	t.Cleanup(n.Close)
	f := byChat(nil)
	listens := make(chan struct{}, 1)
	w.run(t, f, func(o *delivery.Options) {
		o.Listen = func(ctx context.Context, wake func()) {
			err := postgres.Listen(ctx, w.DSN("worker"), quiet, func() {
				select {
				case listens <- struct{}{}:
				default:
				}
				wake()
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	<-listens
	var times []time.Duration
	for i := range 20 {
		th := ten.thread(t, chatName(i))
		message := th.prepare(t, "hello")
		id := th.queue(t, message)
		accepted := time.Now()
		n.Poke()
		ten.until(t, id, inbox.ActionCompleted)
		times = append(times, f.calls()[i].at.Sub(accepted))
	}
	slices.Sort(times)
	t.Logf("median %s, p95 %s", times[10], times[18])
	// The bar of 250 ms is a benchmark's; polling alone would take half a second and more.
	if times[10] > 400*time.Millisecond {
		t.Errorf("half of the replies took longer than %s", times[10])
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	registry := prometheus.NewPedanticRegistry()
	stop := w.run(t, byChat(nil), func(o *delivery.Options) { o.Metrics = registry })
	ten.until(t, ten.thread(t, "1").reply(t, "hello"), inbox.ActionCompleted)
	told := func() (names []string) {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			names = append(names, f.GetName())
		}
		return names
	}
	want := []string{
		"socialops_delivery_action_age_seconds", "socialops_delivery_actions_total", "socialops_delivery_batch_actions",
		"socialops_delivery_claimed_actions", "socialops_delivery_sends_in_flight", "socialops_delivery_swept_total",
		"socialops_provider_request_duration_seconds",
	}
	waitFor(t, "the metrics to tell", func() bool { return slices.Equal(told(), want) })
	stop()
	if left := told(); len(left) > 0 {
		t.Errorf("%s are left after the worker", left)
	}
	if _, err := delivery.New(delivery.Options{}); err == nil {
		t.Error("a worker without a queue was made")
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	for i := range 3 {
		ten.thread(t, chatName(i)).reply(t, "hello")
	}
	ten.thread(t, "9").attachment(t, "ref")
	w.claim(t, time.Hour)
	ten.thread(t, "10").reply(t, "hello")
	resting := w.tenant(t)
	resting.thread(t, "11").reply(t, "hello")
	w.exec(t, "UPDATE action SET queued_at = now() - interval '1 day' WHERE instance_id = $1", resting.ID)
	w.exec(t, "UPDATE instance SET suspended = true WHERE id = $1", resting.ID)
	depths, err := w.queue.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[inbox.ActionKind]map[inbox.ActionStatus]int{}
	for _, d := range depths {
		if got[d.Kind] == nil {
			got[d.Kind] = map[inbox.ActionStatus]int{}
		}
		got[d.Kind][d.Status] = d.Count
		if d.Oldest < 0 || d.Oldest > patience {
			t.Errorf("%+v: what a suspended inbox has waiting counts, and has no age", d)
		}
	}
	same(t, "depth", map[inbox.ActionKind]map[inbox.ActionStatus]int{
		inbox.SendReply:  {inbox.ActionPending: 2, inbox.ActionProcessing: 3},
		inbox.FetchMedia: {inbox.ActionProcessing: 1},
	}, got)
}
