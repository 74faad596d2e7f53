package rest

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"

	"github.com/open4x/socialops/runtime/provider"
)

// shared is what the inboxes of one server have in common.
type shared struct {
	providers provider.Registry
	metrics   *metrics
	tracer    trace.Tracer // nil: no traces, at no cost
	log       *slog.Logger
	now       func() time.Time
	files     chan struct{} // a slot for each attachment in memory
	refusals  *rate.Limiter // log lines about refused requests
}

func newShared(providers provider.Registry, m prometheus.Registerer, tracer trace.Tracer, log *slog.Logger, now func() time.Time) *shared {
	if log == nil {
		log = slog.Default()
	}
	if now == nil {
		now = time.Now
	}
	return &shared{
		providers: providers, metrics: newMetrics(m), tracer: tracer, log: log, now: now,
		files: make(chan struct{}, maxFiles), refusals: rate.NewLimiter(10, 50),
	}
}

// observe begins to look at a request.
func (s *shared) observe(w http.ResponseWriter, r *http.Request) *observation {
	o := &observation{start: s.now(), id: requestID(r.Header), route: "other"}
	everyAnswer(w.Header(), o.id)
	return o
}

func everyAnswer(h http.Header, id string) {
	h["X-Request-Id"] = []string{id}
	h["X-Content-Type-Options"] = noSniff
}

// guarded answers a request with f, and tells of it however it ends.
func (s *shared) guarded(w http.ResponseWriter, r *http.Request, o *observation, f func(http.ResponseWriter)) {
	track := &tracker{ResponseWriter: w}
	defer func() {
		if what := recover(); what != nil {
			s.recovered(track, r, o, what, track.code != 0)
		}
		if o.code = track.code; o.code == 0 {
			o.code = http.StatusOK
		}
		s.end(r, o)
	}()
	f(track)
}

// tracker remembers the status that was written.
type tracker struct {
	http.ResponseWriter
	code int
}

func (t *tracker) WriteHeader(code int) {
	if t.code == 0 && code >= http.StatusOK {
		t.code = code
	}
	t.ResponseWriter.WriteHeader(code)
}

func (t *tracker) Write(b []byte) (int, error) {
	if t.code == 0 {
		t.code = http.StatusOK
	}
	return t.ResponseWriter.Write(b)
}

// Unwrap lets [http.ResponseController] reach the connection.
func (t *tracker) Unwrap() http.ResponseWriter { return t.ResponseWriter }
