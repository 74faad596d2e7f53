package console

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/open4x/socialops/runtime/console/web"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/project"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/rest"
)

// BasePath is below what the console's API lies.
const BasePath = "/console/socialops"

// Options are what a [Server] is made of.
type Options struct {
	Desks     inbox.Desks
	Verifier  Verifier
	Bindings  Bindings
	Providers provider.Registry
	Install   [16]byte // of which channels' ids are made
	// PublicURL is where an alias's API is for the outside, without a slash at its end:
	// what is entered at providers.
	PublicURL func(alias string) string
	// WebhookBase is where this process reaches an alias's API, without a slash at its
	// end: test events go there.
	WebhookBase func(in inbox.OwnedInstance) string
	Sessions    Sessions    // of the dev mode; nil in a cluster
	OIDC        *OIDCConfig // what the page is told of the issuer; nil in the dev mode

	AdminPermission string // which permission lets staff grant credits; empty: DefaultAdminPermission
	Version         string

	Metrics prometheus.Registerer // nil: not shown
	Tracer  trace.Tracer          // nil: no traces, at no cost
	Log     *slog.Logger          // nil: slog.Default()
	Now     func() time.Time      // nil: time.Now
}

// OIDCConfig is how the page signs people in.
type OIDCConfig struct {
	Issuer   string `json:"issuer" doc:"Its discovery document is below this address."`
	ClientID string `json:"client_id"`
	Scopes   string `json:"scopes" doc:"With spaces between." example:"openid profile offline_access"`
}

// DefaultAdminPermission lets staff grant credits.
const DefaultAdminPermission = "service:admin"

// Server is the console: its API and its page.
type Server struct {
	Options
	ids    project.Projector // only makes ids
	api    *rest.API
	page   *page
	log    *slog.Logger
	now    func() time.Time
	owned  *recent[ownedKey, inbox.OwnedInstance]
	agents *recent[agentKey, inbox.Agent]
	client *http.Client // of test events

	raws chan struct{} // a slot for each message whose payloads are in memory

	mu      sync.Mutex
	inboxes map[inbox.InstanceID]*opened
	ending  bool
}

// New makes the console's server. It starts nothing; [Server.Close] waits for what requests started.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.AdminPermission == "" {
		o.AdminPermission = DefaultAdminPermission
	}
	s := &Server{
		Options: o, ids: project.Projector{Install: o.Install}, log: o.Log, now: o.Now,
		owned:  newRecent[ownedKey, inbox.OwnedInstance](ownedFor, o.Now),
		agents: newRecent[agentKey, inbox.Agent](agentFor, o.Now),
		client: newTestClient(), raws: make(chan struct{}, maxRaws),
		inboxes: map[inbox.InstanceID]*opened{},
	}
	s.api = s.newAPI()
	s.page = newPage(web.Files, s.config, o.Log)
	return s
}

// ServeHTTP answers the API's calls, and everything else with the page.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == BasePath || strings.HasPrefix(r.URL.Path, BasePath+"/") {
		s.api.ServeHTTP(w, r)
		return
	}
	s.page.ServeHTTP(w, r)
}

var _ http.Handler = (*Server)(nil)
