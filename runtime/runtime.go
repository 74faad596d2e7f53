// Package runtime wires the inbox together: one alias's server from its rooms
// (rest, postgres, provider), with a health port beside it and a shutdown that
// finishes what was acknowledged.
package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/rest"
	"github.com/open4x/socialops/runtime/seal"
)

// Config is what one alias's server needs.
type Config struct {
	Alias       string
	DatabaseURL string // as the instance's own role; may lead through a transaction-mode pooler
	InstanceKey []byte // opens the instance's sealed secrets; nil: it has none
	Providers   provider.Registry
	Listen      string // address of the API
	Health      string // address of /healthz, /readyz and /metrics; empty: none
	// Drain is how long it goes on serving once it is told to stop, so that
	// whoever routes to it notices first.
	Drain   time.Duration
	Version string
	Log     *slog.Logger
}

// grace is how long requests under way may take once the server stops.
const grace = 20 * time.Second

// Serve runs one alias's server until ctx ends, and returns when everything that
// it acknowledged is stored.
func Serve(ctx context.Context, c Config) error {
	collectLess()
	return frame{service: "socialops-runtime", version: c.Version, name: "the API", listen: c.Listen, health: c.Health, log: c.Log}.run(ctx, c.serve)
}

func (c Config) serve(ctx, failed context.Context, api net.Listener, metrics *prometheus.Registry, health *Health) error {
	tenant, err := OpenTenant(ctx, TenantConfig{
		Alias: c.Alias, DatabaseURL: c.DatabaseURL, InstanceKey: c.InstanceKey, Providers: c.Providers, Metrics: metrics, Log: c.Log,
	})
	if err != nil {
		return errors.Join(unlessStopped(ctx, err), api.Close())
	}
	defer tenant.Close()
	return draining{handler: tenant, endStreams: tenant.EndStreams, health: health, drain: c.Drain, log: c.Log.With("alias", c.Alias)}.serve(ctx, failed, api)
}

// TenantConfig is what opens one alias.
type TenantConfig struct {
	Alias       string
	DatabaseURL string // as the instance's own role
	InstanceKey []byte // nil: the instance has no sealed secrets
	Providers   provider.Registry
	Metrics     prometheus.Registerer
	Log         *slog.Logger
	Queued      func() // called when an action was queued; nil: notify the workers over the database
}

// Tenant is one alias's API on its own connections.
type Tenant struct {
	*rest.Server
	store    *postgres.Store
	pool     *pgxpool.Pool
	metrics  *storeMetrics
	notifier *postgres.Notifier // nil when somebody else wakes the workers
}

// OpenTenant connects as an alias's role, checks that the schema is new enough
// and that the role is the alias's own, and makes its API. It waits for a
// database that is away, until ctx ends.
func OpenTenant(ctx context.Context, c TenantConfig) (*Tenant, error) {
	pool, err := postgres.Open(ctx, c.DatabaseURL, postgres.MaxConns)
	if err != nil {
		return nil, err
	}
	t := &Tenant{pool: pool}
	instance, err := t.identify(ctx, c)
	if err != nil {
		pool.Close()
		return nil, err
	}
	queued := c.Queued
	if queued == nil {
		t.notifier = postgres.NewNotifier(pool, c.Log)
		queued = t.notifier.Poke
	}
	if t.metrics, err = newStoreMetrics(c.Metrics, c.Alias, pool); err != nil {
		c.Log.WarnContext(ctx, "some metrics are not shown", "error", err)
	}
	t.store = postgres.NewStore(pool, instance, postgres.StoreOptions{BatchSize: func(n int) { t.metrics.batches.Observe(float64(n)) }, Queued: queued})
	options := rest.Options{
		Alias: c.Alias, Store: t.store, Providers: c.Providers, Metrics: c.Metrics, Log: c.Log, Tracer: tracer(),
	}
	if c.InstanceKey != nil {
		key, err := seal.NewKey(c.InstanceKey)
		if err != nil {
			t.Close()
			return nil, fmt.Errorf("reading the instance's key: %w", err)
		}
		options.OpenSecret = func(sealed []byte, proof inbox.Proof) ([]byte, error) {
			return key.Open(sealed, inbox.ProofPlace(instance, proof.AccountID))
		}
	}
	t.Server = rest.New(options)
	return t, nil
}

// tracer is nil without an endpoint to send to, so that requests pay nothing.
func tracer() trace.Tracer {
	if !TracingConfigured() {
		return nil
	}
	return otel.Tracer("github.com/open4x/socialops/runtime/rest")
}

const retryDatabase = time.Second

// identify checks whose the role is.
func (t *Tenant) identify(ctx context.Context, c TenantConfig) (inbox.InstanceID, error) {
	if err := awaitSchema(ctx, t.pool, checkSchema, c.Log); err != nil {
		return inbox.InstanceID{}, err
	}
	var id [16]byte
	var alias string
	if err := t.pool.QueryRow(ctx, "SELECT id, alias FROM instance").Scan(&id, &alias); err != nil {
		return inbox.InstanceID{}, fmt.Errorf("reading the instance of alias %q as its own role: %w", c.Alias, err)
	}
	if alias != c.Alias {
		return inbox.InstanceID{}, fmt.Errorf("the database role belongs to the alias %q, not to %q: give this runtime its own role's URL", alias, c.Alias)
	}
	return id, nil
}

func checkSchema(ctx context.Context, pool *pgxpool.Pool) error {
	return postgres.CheckSchema(ctx, pool) //nolint:wrapcheck // says what to do
}

// awaitSchema checks the schema, and waits for a database that is away until ctx ends.
func awaitSchema(ctx context.Context, pool *pgxpool.Pool, check func(context.Context, *pgxpool.Pool) error, log *slog.Logger) error {
	for {
		err := check(ctx, pool)
		if err == nil || !postgres.IsAway(err) {
			return err //nolint:wrapcheck // says what to do
		}
		log.WarnContext(ctx, "the database is away; trying again", "error", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the database: %w", ctx.Err())
		case <-time.After(retryDatabase):
		}
	}
}

// unlessStopped is nil for who was told to stop while it waited for its database:
// that is no failure.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Close ends the tenant's streams, stores what was accepted and disconnects.
// Requests must have ended.
func (t *Tenant) Close() {
	if t.Server != nil {
		t.Server.Close()
	}
	t.store.Close()
	t.metrics.close()
	if t.notifier != nil {
		t.notifier.Close()
	}
	t.pool.Close()
}

func closeWithin(d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return f(ctx)
}

var _ http.Handler = (*Tenant)(nil)
