package delivery

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/open4x/socialops/runtime/inbox"
)

// metrics are what a worker shows of itself.
type metrics struct {
	registerer prometheus.Registerer
	collectors []prometheus.Collector

	settled  *prometheus.CounterVec   // actions by provider, kind and what became of them
	age      *prometheus.HistogramVec // of completed actions, since they were queued
	requests *prometheus.HistogramVec // a provider's answers
	batches  *prometheus.HistogramVec // actions of one transaction
	swept    *prometheus.CounterVec
	removed  *prometheus.CounterVec
	sending  prometheus.Gauge
	waiting  prometheus.Gauge
	actions  *prometheus.GaugeVec
	oldest   *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		registerer: r,
		settled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "socialops_delivery_actions_total", Help: "Actions by what became of one claim of them.",
		}, []string{"provider", "kind", "outcome"}),
		age: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "socialops_delivery_action_age_seconds", Help: "Time from an action's queueing to its completion.",
			Buckets: []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 86400},
		}, []string{"kind"}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "socialops_provider_request_duration_seconds", Help: "Time that a provider took for a send or a file.",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"provider", "kind", "outcome"}),
		batches: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "socialops_delivery_batch_actions", Help: "Actions of one transaction.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256},
		}, []string{"step"}),
		swept: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "socialops_delivery_swept_total", Help: "Actions taken up from workers that died, and callbacks that never came.",
		}, []string{"as"}),
		removed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "socialops_retention_removed_rows_total", Help: "Rows that were removed because their instance keeps them no longer.",
		}, []string{"kind"}),
		sending: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "socialops_delivery_sends_in_flight", Help: "Sends that have started and are not settled.",
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "socialops_delivery_claimed_actions", Help: "Actions that are claimed and not started.",
		}),
		actions: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "socialops_actions", Help: "Actions that are not settled, of all instances; counted up to 10000 a status.",
		}, []string{"kind", "status"}),
		oldest: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "socialops_actions_oldest_age_seconds", Help: "Age of the oldest action that is not settled, of inboxes that are not suspended.",
		}, []string{"kind", "status"}),
	}
	if r == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.settled, m.age, m.requests, m.batches, m.swept, m.removed, m.sending, m.waiting, m.actions, m.oldest} {
		if err := r.Register(c); err != nil {
			errs = append(errs, err)
			continue
		}
		m.collectors = append(m.collectors, c)
	}
	if err := errors.Join(errs...); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *metrics) registered() bool { return m.registerer != nil }

func (m *metrics) close() {
	for _, c := range m.collectors {
		m.registerer.Unregister(c)
	}
}

func (m *metrics) depth(depths []inbox.QueueDepth) {
	m.actions.Reset()
	m.oldest.Reset()
	for _, d := range depths {
		m.actions.WithLabelValues(string(d.Kind), string(d.Status)).Set(float64(d.Count))
		m.oldest.WithLabelValues(string(d.Kind), string(d.Status)).Set(d.Oldest.Seconds())
	}
}
