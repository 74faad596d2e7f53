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
	*shared
	alias    string
	store    inbox.Store
	own      *Inbox
	settings *settings

	bodies    *budget // of all webhook bodies
	strangers *budget // of those whose sender has not proven anything yet: half

	errUnknownProvider *Error
	api                func() *API // made on first use, so that a pod starts small
}

// New makes the server of an alias. It starts nothing; [Server.Close] waits for what requests started.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = DefaultMaxInFlight
	}
	if o.OpenSecret == nil {
		o.OpenSecret = func([]byte, inbox.Proof) ([]byte, error) {
			return nil, errors.New("this server holds no key to open secrets with")
		}
	}
	common := newShared(o.Providers, o.Metrics, o.Tracer, o.Log.With("alias", o.Alias), o.Now)
	m := common.metrics
	s := &Server{
		shared: common, alias: o.Alias, store: o.Store, own: newInbox(common, o.Alias, BasePath+o.Alias+"/", o.Store, nativeStreams),
		settings: &settings{store: o.Store, providers: o.Providers, open: o.OpenSecret, now: common.now, log: common.log, failures: m.settings},
		bodies:   newBudget(o.MaxInFlight, m.bodies), strangers: newBudget(o.MaxInFlight/2, nil),
	}
	s.errUnknownProvider = Failure(inbox.CodeNotFound, "there is no such provider: the known ones are "+strings.Join(o.Providers.Names(), ", "))
	s.errUnknownProvider.Info.Details = map[string][]string{"providers": o.Providers.Names()}
	s.api = sync.OnceValue(func() *API { return nativeAPI(s) })
	return s
}

// EndStreams ends all event streams, so that their clients go elsewhere, and takes
// no new ones. It is for the beginning of a shutdown: see [http.Server.RegisterOnShutdown].
func (s *Server) EndStreams() { s.own.EndStreams() }

// Close ends the streams and waits for what goes on beside requests. Requests must have ended.
func (s *Server) Close() {
	s.own.Close()
	s.settings.wait()
}

// Handler answers everything below the alias's path, and 404 for the rest.
func (s *Server) Handler() http.Handler { return s }

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o := s.observe(w, r)
	o.alias = s.alias
	path, ours := strings.CutPrefix(r.URL.Path, s.own.prefix)
	if name, is := strings.CutPrefix(path, "webhook/"); ours && is && !strings.Contains(name, "/") {
		s.serveWebhook(w, r, name, o)
		return
	}
	s.guarded(w, r, o, func(w http.ResponseWriter) {
		if !ours {
			o.fail(errNoInbox)
			errNoInbox.write(w)
			return
		}
		s.api().serve(w, r, o)
	})
}

var errNoInbox = Failure(inbox.CodeNotFound, "there is no inbox at this path: the paths of one begin with "+BasePath+" and its alias")

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

// knownName is a provider's name as a label: callers can't add to the set.
func (s *Server) knownName(name string) string {
	if s.providers[name] == nil {
		return "unknown"
	}
	return name
}
