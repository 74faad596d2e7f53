package rest

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// BasePath is below what every alias's API lies.
const BasePath = "/v1/apps/socialops/"

// Options are what a [Server] is made of.
type Options struct {
	Alias     string
	Store     inbox.Store // of the alias's instance
	Providers provider.Registry
	// OpenSecret decrypts a proof's signing secret. Nil: nothing is sealed.
	OpenSecret func(sealed []byte, proof inbox.Proof) ([]byte, error)

	Metrics prometheus.Registerer // servers of one process may share one; nil: not shown
	Tracer  trace.Tracer          // nil: no traces, at no cost
	Log     *slog.Logger          // nil: slog.Default()
	Now     func() time.Time      // nil: time.Now

	MaxInFlight int64 // bytes of webhook bodies in memory at once; 0: DefaultMaxInFlight
}

// Server is one alias's API.
type Server struct {
	alias     string
	prefix    string // BasePath, alias and slash
	store     inbox.Store
	providers provider.Registry
	settings  *settings
	streams   *hub
	metrics   *metrics
	tracer    trace.Tracer
	log       *slog.Logger
	now       func() time.Time

	bodies    *budget       // of all webhook bodies
	strangers *budget       // of those whose sender has not proven anything yet: half
	files     chan struct{} // a slot for each attachment in memory
	refusals  *rate.Limiter // log lines about refused requests

	errUnknownProvider *Error
	api                func() *api // made on first use, so that a pod starts small
}

// New makes the server of an alias. It starts nothing; [Server.Close] waits for what requests started.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = DefaultMaxInFlight
	}
	if o.OpenSecret == nil {
		o.OpenSecret = func([]byte, inbox.Proof) ([]byte, error) {
			return nil, errors.New("this server holds no key to open secrets with")
		}
	}
	log := o.Log.With("alias", o.Alias)
	m := newMetrics(o.Metrics)
	s := &Server{
		alias: o.Alias, prefix: BasePath + o.Alias + "/", store: o.Store, providers: o.Providers,
		settings: &settings{store: o.Store, providers: o.Providers, open: o.OpenSecret, now: o.Now, log: log, failures: m.settings},
		metrics:  m, tracer: o.Tracer, log: log, now: o.Now,
		bodies: newBudget(o.MaxInFlight, m.bodies), strangers: newBudget(o.MaxInFlight/2, nil),
		files:    make(chan struct{}, maxFiles),
		refusals: rate.NewLimiter(10, 50),
	}
	s.streams = newHub(s)
	s.errUnknownProvider = failure(inbox.CodeNotFound, "there is no such provider: the known ones are "+strings.Join(o.Providers.Names(), ", "))
	s.errUnknownProvider.Info.Details = map[string][]string{"providers": o.Providers.Names()}
	s.api = sync.OnceValue(func() *api { return newAPI(s) })
	return s
}

// EndStreams ends all event streams, so that their clients go elsewhere, and takes
// no new ones. It is for the beginning of a shutdown: see [http.Server.RegisterOnShutdown].
func (s *Server) EndStreams() { s.streams.close() }

// Close ends the streams and waits for what goes on beside requests. Requests must have ended.
func (s *Server) Close() {
	s.streams.close()
	s.streams.wait()
	s.settings.wait()
}

// Handler answers everything below the alias's path, and 404 for the rest.
func (s *Server) Handler() http.Handler { return s }

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o := &observation{start: s.now(), id: requestID(r.Header), route: "other"}
	everyAnswer(w.Header(), o.id)
	path, ours := strings.CutPrefix(r.URL.Path, s.prefix)
	if name, is := strings.CutPrefix(path, "webhook/"); ours && is && !strings.Contains(name, "/") {
		s.serveWebhook(w, r, name, o)
		return
	}
	s.serveAPI(w, r, ours, o)
}

func everyAnswer(h http.Header, id string) {
	h["X-Request-Id"] = []string{id}
	h["X-Content-Type-Options"] = noSniff
}

var errNoInbox = failure(inbox.CodeNotFound, "there is no inbox at this path: the paths of one begin with "+BasePath+" and its alias")

// NoInbox answers a request for an alias that nobody serves, where several servers share a listener.
func NoInbox(w http.ResponseWriter, r *http.Request) {
	everyAnswer(w.Header(), requestID(r.Header))
	errNoInbox.write(w)
}

func (s *Server) serveWebhook(w http.ResponseWriter, r *http.Request, name string, o *observation) {
	o.route = "/webhook/{provider}"
	defer func() {
		if what := recover(); what != nil {
			s.recovered(w, r, o, what, false) // the answer is the last thing that a webhook call writes
		}
		s.end(r, o)
	}()
	if s.tracer != nil {
		r = r.WithContext(s.begin(r, o))
	}
	s.webhook(w, r, name, o)
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, ours bool, o *observation) {
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
	if !ours {
		o.fail(errNoInbox)
		errNoInbox.write(track)
		return
	}
	h := w.Header()
	h["Content-Security-Policy"] = apiCSP
	h["Cache-Control"] = noStore
	h["Referrer-Policy"] = noReferrer
	s.api().serve(track, r, s.begin(r, o), o)
}

// knownName is a provider's name as a label: callers can't add to the set.
func (s *Server) knownName(name string) string {
	if s.providers[name] == nil {
		return "unknown"
	}
	return name
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
