package rest

import (
	"errors"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are shared by all servers of one registerer.
type metrics struct {
	events      *prometheus.CounterVec
	requests    *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	rateLimited prometheus.Counter
	bodies      prometheus.Gauge
	settings    prometheus.Counter
	streams     prometheus.Gauge
	dropped     *prometheus.CounterVec

	// Looking a series up by labels costs more than counting: these remember.
	ingest memory[[2]string, prometheus.Counter] // by provider and result
	counts memory[requestKey, prometheus.Counter]
	times  memory[[2]string, prometheus.Observer] // by route and method
}

type requestKey struct {
	route, method string
	code          int
}

// memory is a map that is read all the time and hardly ever grows: growing copies it.
type memory[K comparable, V any] struct {
	values atomic.Pointer[map[K]V]
	grow   sync.Mutex
}

func (m *memory[K, V]) get(key K, find func() V) V {
	if values := m.values.Load(); values != nil {
		if v, known := (*values)[key]; known {
			return v
		}
	}
	m.grow.Lock()
	defer m.grow.Unlock()
	values := map[K]V{}
	if old := m.values.Load(); old != nil {
		maps.Copy(values, *old)
	}
	v := find()
	values[key] = v
	m.values.Store(&values)
	return v
}

func newMetrics(r prometheus.Registerer) *metrics {
	if r == nil {
		r = prometheus.NewRegistry()
	}
	return &metrics{
		events: register(r, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "socialops_ingest_events_total",
			Help: "Webhook calls, by provider and what became of them: accepted, duplicate, ignored, or the code of the error.",
		}, []string{"provider", "result"})),
		requests: register(r, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "socialops_http_requests_total",
			Help: "HTTP requests, by route, method and status code.",
		}, []string{"route", "method", "code"})),
		durations: register(r, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "socialops_http_request_duration_seconds",
			Help:    "Time from a request's header to its answer, without event streams.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method"})),
		rateLimited: register(r, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "socialops_http_rate_limited_total",
			Help: "Requests refused because their API key was over its rate limit.",
		})),
		bodies: register(r, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "socialops_ingest_in_flight_bytes",
			Help: "Bytes of webhook bodies in memory.",
		})),
		settings: register(r, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "socialops_settings_read_failures_total",
			Help: "Failed readings of an instance's settings.",
		})),
		streams: register(r, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "socialops_event_streams",
			Help: "Open event streams.",
		})),
		dropped: register(r, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "socialops_event_streams_dropped_total",
			Help: "Event streams that the server ended, by reason.",
		}, []string{"reason"})),
	}
}

// register adds a collector, or finds the one that another server added.
func register[C prometheus.Collector](r prometheus.Registerer, c C) C {
	err := r.Register(c)
	if there, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if c, ok := there.ExistingCollector.(C); ok {
			return c
		}
	}
	if err != nil {
		panic(err) // two metrics of one name: a bug that the first test finds
	}
	return c
}

func (m *metrics) ingested(provider, result string) {
	m.ingest.get([2]string{provider, result}, func() prometheus.Counter { return m.events.WithLabelValues(provider, result) }).Inc()
}

// request counts a request. Route, method and code come from small sets, never from the caller.
func (m *metrics) request(route, method string, code int, took time.Duration, stream bool) {
	m.counts.get(requestKey{route, method, code}, func() prometheus.Counter {
		return m.requests.WithLabelValues(route, method, strconv.Itoa(code))
	}).Inc()
	if code == statuses[codeRateLimited] {
		m.rateLimited.Inc()
	}
	if !stream {
		m.times.get([2]string{route, method}, func() prometheus.Observer { return m.durations.WithLabelValues(route, method) }).Observe(took.Seconds())
	}
}
