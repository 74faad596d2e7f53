package runtime

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/console/identity"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/rest"
)

// ConsoleConfig is what a cluster's console needs.
type ConsoleConfig struct {
	// DatabaseURL leads to Postgres as the console's own role, perhaps through a
	// transaction-mode pooler. Each new connection asks for it, as the login may be replaced.
	DatabaseURL func() (string, error)
	Install     [16]byte // the operator's id, of which channels' ids are made
	Bindings    console.Bindings
	Providers   provider.Registry
	Listen      string // address of the page and its API
	Health      string // address of /healthz, /readyz and /metrics; empty: none
	// Drain is how long it goes on serving once it is told to stop, so that
	// whoever routes to it notices first.
	Drain time.Duration

	Issuer, Audience string // whose access tokens are taken, and for whom they must be
	IssuerCAFile     string // certificates to trust beside the public ones; empty: none
	PermissionsClaim string
	ClientID, Scopes string // how the page signs people in
	AdminPermission  string

	// RuntimeURL is where an instance's runtime is reached, with {name}, {namespace} and {alias} in it.
	RuntimeURL string
	// PublicURL is where providers reach every alias's API, such as https://inbox.example.com; empty: not known.
	PublicURL string

	Version string
	Log     *slog.Logger
}

// consoleConns is how many connections a console keeps at most: one process serves
// every instance's people, and an open page asks for several things at once.
const consoleConns = 8

// ServeConsole runs the console until ctx ends. It starts without its issuer and
// without the Kubernetes API server, and tells of either when it is needed.
func ServeConsole(ctx context.Context, c ConsoleConfig) error {
	base, err := runtimeBase(c.RuntimeURL)
	if err != nil {
		return err
	}
	verifier, err := c.verifier()
	if err != nil {
		return err
	}
	return frame{service: "socialops-console", version: c.Version, name: "the console", listen: c.Listen, health: c.Health, log: c.Log}.run(ctx,
		func(ctx, failed context.Context, l net.Listener, metrics *prometheus.Registry, health *Health) error {
			return c.serve(ctx, failed, l, verifier, base, metrics, health)
		}, verifier.Run)
}

func (c ConsoleConfig) serve(
	ctx, failed context.Context, l net.Listener, verifier console.Verifier, base func(inbox.OwnedInstance) string, metrics *prometheus.Registry, health *Health,
) error {
	pool, err := postgres.OpenFrom(ctx, c.DatabaseURL, consoleConns)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer pool.Close()
	check := func(ctx context.Context, pool *pgxpool.Pool) error { return postgres.CheckConsoleSchema(ctx, pool) }
	if err := awaitSchema(ctx, pool, check, c.Log); err != nil {
		return errors.Join(unlessStopped(ctx, err), l.Close())
	}
	metrics.MustRegister(&poolCollector{pool: pool})
	notifier := postgres.NewNotifier(pool, c.Log)
	defer notifier.Close()
	server := console.New(console.Options{
		Desks: postgres.NewDesks(pool, postgres.DesksOptions{Queued: notifier.Poke}), Verifier: verifier, Bindings: c.Bindings, Providers: c.Providers,
		Install: c.Install, PublicURL: c.publicURL, WebhookBase: base,
		OIDC:            &console.OIDCConfig{Issuer: c.Issuer, ClientID: c.ClientID, Scopes: c.Scopes},
		AdminPermission: c.AdminPermission, Version: c.Version, Metrics: metrics, Tracer: tracer(), Log: c.Log,
	})
	defer server.Close()
	return draining{handler: server, endStreams: server.EndStreams, health: health, drain: c.Drain, log: c.Log.With("part", "console")}.serve(ctx, failed, l)
}

// verifier checks the issuer's tokens.
func (c ConsoleConfig) verifier() (*identity.Verifier, error) {
	if c.Issuer == "" || c.ClientID == "" {
		return nil, errors.New("--oidc-issuer and --oidc-client-id are missing: who signs people in, and as which client?")
	}
	cas, err := TrustedCAs("oidc-ca-file", c.IssuerCAFile)
	if err != nil {
		return nil, err
	}
	v, err := identity.NewOIDC(identity.OIDC{
		Issuer: c.Issuer, Audience: c.Audience, PermissionsClaim: c.PermissionsClaim, HTTPClient: issuerClient(cas), Log: c.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("setting up sign-in: %w", err)
	}
	return v, nil
}

// publicURL is where an alias's API is for the outside, empty when that is not known.
func (c ConsoleConfig) publicURL(alias string) string {
	if c.PublicURL == "" {
		return ""
	}
	return strings.TrimSuffix(c.PublicURL, "/") + rest.BasePath + alias
}

// DefaultRuntimeURL leads to the Service that the operator makes for an instance.
const DefaultRuntimeURL = "http://{name}.{namespace}.svc"

// runtimeBase is where an instance's API is reached from here.
func runtimeBase(template string) (func(inbox.OwnedInstance) string, error) {
	u, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(template))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the runtimes' address %q: want one such as %s", template, DefaultRuntimeURL)
	}
	template = strings.TrimSuffix(template, "/")
	return func(in inbox.OwnedInstance) string {
		return strings.NewReplacer("{name}", in.Name, "{namespace}", in.Namespace, "{alias}", in.Alias).Replace(template) + rest.BasePath + in.Alias
	}, nil
}

// issuerClient trusts an issuer's own certificates beside the public ones; nil is the usual client.
func issuerClient(cas *x509.CertPool) *http.Client {
	if cas == nil {
		return nil
	}
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment}
	}
	transport = transport.Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cas}
	return &http.Client{Transport: transport}
}
