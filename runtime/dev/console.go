package dev

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/console/identity"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/rest"
)

// consoleConns is how many connections the console keeps at most.
const consoleConns = 8

// consoleServer is the console of a running dev mode.
type consoleServer struct {
	*console.Server
	pool     *pgxpool.Pool
	sessions *sessions
}

// newConsole makes the console. It needs the first inboxes to be in force.
func (d *process) newConsole(ctx context.Context, keys *secrets, queued func()) (*consoleServer, error) {
	install, err := keys.installID()
	if err != nil {
		return nil, err
	}
	key, err := keys.consoleKey()
	if err != nil {
		return nil, err
	}
	local, err := identity.NewLocal(key, identity.LocalAudience)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	pool, err := postgres.Open(ctx, d.server.DSN(consoleRole, databaseName), consoleConns)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	here := d.here()
	who := &sessions{Local: local, projector: d.projector}
	return &consoleServer{pool: pool, sessions: who, Server: console.New(console.Options{
		Desks: postgres.NewDesks(pool, postgres.DesksOptions{Queued: queued}), Verifier: local, Sessions: who,
		Bindings: &bindings{projector: d.projector}, Providers: d.providers, Install: install,
		PublicURL:   func(alias string) string { return d.PublicURL + rest.BasePath + alias },
		WebhookBase: func(in inbox.OwnedInstance) string { return here + rest.BasePath + in.Alias },
		Version:     d.Version, Metrics: d.metrics, Log: d.Log,
	})}, nil
}

func (d *consoleServer) close() {
	d.Close()
	d.pool.Close()
}

// here is the address that this machine reaches the process at, also when it
// listens on every one.
func (d *process) here() string {
	address := d.listener.Addr().String()
	if at, err := netip.ParseAddrPort(address); err == nil && at.Addr().IsUnspecified() {
		address = net.JoinHostPort("localhost", fmt.Sprint(at.Port()))
	}
	return "http://" + address
}

// sessions sign people in who say who they are.
type sessions struct {
	*identity.Local
	projector *projection
}

// Owners are the owners of the inboxes in force, by their aliases.
func (s *sessions) Owners() []string {
	set, _ := s.projector.inForce()
	instances := slices.Clone(set.Instances)
	slices.SortFunc(instances, func(a, b *v1alpha1.SocialOpsInstance) int { return cmp.Compare(a.Spec.Alias, b.Spec.Alias) })
	var owners []string
	for _, i := range instances {
		if !slices.Contains(owners, i.Spec.Owner) {
			owners = append(owners, i.Spec.Owner)
		}
	}
	return owners
}

// local lets only browsers in that were sent to this machine, and only by its own
// pages. Whoever asks is signed in, so a page of another site must not be able to
// ask: neither from its own address, nor under a name of its own that suddenly
// leads here (DNS rebinding).
func local(h http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "another site's page may not call this console", http.StatusForbidden)
	}))
	protected := sameOrigin.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLocal(r) {
			at, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
			http.Error(w, fmt.Sprintf("the dev mode's console answers at this machine's own address only: open http://%v", at), http.StatusMisdirectedRequest)
			return
		}
		protected.ServeHTTP(w, r)
	})
}

// isLocal tells whether the Host is this machine: localhost, a loopback address, or
// the address that the connection came in at. A name that anybody can have is none of them.
func isLocal(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	if address.IsLoopback() {
		return true
	}
	at, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if at == nil {
		return false
	}
	own, err := netip.ParseAddrPort(at.String())
	return err == nil && own.Addr().Unmap().WithZone("") == address.Unmap().WithZone("")
}
