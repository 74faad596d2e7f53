package runtime

import (
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Health is the answer of the health port. It is given from memory: an outage of
// Postgres makes no pod unready, since another pod would fare no better.
type Health struct {
	reason atomic.Pointer[string] // why not ready; nil: ready
}

// NewHealth is not ready, for the given reason.
func NewHealth(reason string) *Health {
	h := &Health{}
	h.NotReady(reason)
	return h
}

// Ready lets traffic in.
func (h *Health) Ready() { h.reason.Store(nil) }

// NotReady keeps traffic out.
func (h *Health) NotReady(reason string) { h.reason.Store(&reason) }

// Handler serves /healthz, /readyz and /metrics.
func (h *Health) Handler(metrics prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if reason := h.reason.Load(); reason != nil {
			http.Error(w, *reason, http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	return mux
}
