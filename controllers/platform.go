package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/project"
	"github.com/open4x/socialops/runtime/seal"
)

// platform is what instances, accounts and bindings rest on: the install's own
// Secrets, and a database that comes and goes.
type platform struct {
	// Projector projects behind the gate: while the database is away, it says so.
	Projector *project.Projector

	options *Options
	live    client.Client // of nothing cached
	pool    *pgxpool.Pool
	gate    *gate
	hooks   hooks

	logins   *partLogins
	sweep    *chore
	purge    *chore
	accounts *accountReconciler
	bindings *bindingReconciler
}

// hooks are what the database's coming and going sets in motion in instances; nil: nothing.
type hooks struct {
	// EnqueueInstances has every instance looked at again: the database is in use, again.
	EnqueueInstances func()
	// EnqueueAlias has those looked at that want an alias: it is free.
	EnqueueAlias func(alias string)
}

// openPlatform reads the install's Secrets, or makes them, and touches no database yet.
// It completes o by what these tell. c caches nothing.
func openPlatform(ctx context.Context, c client.Client, o *Options) (*platform, error) {
	if err := useTrialDatabase(ctx, c, o); err != nil {
		return nil, err
	}
	if o.DatabaseURL == "" {
		return nil, errors.New("no database is given: set DATABASE_URL, or name a trial database's Secret")
	}
	if len(o.Settings.DatabasePorts) == 0 {
		ports, err := postgres.Ports(o.DatabaseURL)
		if err != nil {
			return nil, err //nolint:wrapcheck // says what it was doing
		}
		o.Settings.DatabasePorts = ports
	}
	in, err := ensureInstall(ctx, c, o)
	if err != nil {
		return nil, err
	}
	key, err := seal.NewKey(in.encryptionKey)
	if err != nil {
		return nil, fmt.Errorf("reading the encryption key: %w", err)
	}
	pool, err := postgres.Open(ctx, cmp.Or(o.DirectURL, o.DatabaseURL), connections(o.Workers))
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	store := postgres.NewConfiguration(pool)
	p := &platform{options: o, live: c, pool: pool, gate: newGate(store)}
	projector := func(store inbox.Configuration) *project.Projector {
		return &project.Projector{
			Store: store, Providers: o.Providers, Seal: key, Install: in.id, PurgeBatch: o.PurgeBatch, Now: o.Now,
			PublicURL: func(i *v1alpha1.SocialOpsInstance) string { return desired.PublicURL(i, &o.Settings) },
		}
	}
	p.Projector = projector(p.gate)
	p.logins = newPartLogins(c, o, in, projector(store))
	p.sweep = newChore("sweep", o, p.sweepOnce)
	p.purge = newChore("purge", o, p.purgeOnce)
	return p, nil
}

// connections is how many the operator keeps at most: each reconcile may wait with one
// for its turn, and chores need some more.
func connections(workers int) int32 {
	return int32(min(2*workers+4, 100)) //nolint:gosec // small
}

func (p *platform) close() { p.pool.Close() }

// addTo has the manager run all that is the platform's, once this process leads.
func (p *platform) addTo(mgr ctrl.Manager, c *caches, h hooks) error {
	p.hooks = h
	p.accounts = newAccountReconciler(mgr, c, p)
	p.bindings = newBindingReconciler(mgr, c, p)
	if err := p.logins.addTo(mgr); err != nil {
		return err
	}
	for _, runnable := range []leading{
		(&bootstrap{platform: p, store: postgres.NewConfiguration(p.pool), log: p.options.Log}).run, p.sweep.run, p.purge.run,
	} {
		if err := mgr.Add(runnable); err != nil {
			return fmt.Errorf("adding to the operator: %w", err)
		}
	}
	if err := p.accounts.addTo(mgr); err != nil {
		return err
	}
	return p.bindings.addTo(context.Background(), mgr) // registering takes no time
}

// leading runs with the lead only.
type leading func(context.Context) error

// Start implements [manager.Runnable].
func (l leading) Start(ctx context.Context) error { return l(ctx) }

// epoch rises whenever the database came into use: it may be another one then.
func (p *platform) epoch() uint64 { return p.gate.epoch.Load() }

// purgeSoon has deleted instances' data removed.
func (p *platform) purgeSoon() { p.purge.soon() }

// runtimeURL is where a role of an instance finds the database.
func (p *platform) runtimeURL(role, password string) (string, error) {
	return postgres.URLAs(p.options.DatabaseURL, role, password) //nolint:wrapcheck // says what to do
}

// end has Postgres told that an instance is gone from the cluster: its row is retired
// or deleted, as its manifest last said.
func (p *platform) end(ctx context.Context, name types.NamespacedName) error {
	purging, err := p.Projector.End(ctx, name.Namespace, name.Name)
	if err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	p.ended(ctx, name, purging)
	return nil
}

// delete has an instance's data removed.
func (p *platform) delete(ctx context.Context, name types.NamespacedName) error {
	if err := p.Projector.Delete(ctx, name.Namespace, name.Name); err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	p.ended(ctx, name, true)
	return nil
}

// ended has those looked at who used an instance, and who may have what it held.
func (p *platform) ended(ctx context.Context, name types.NamespacedName, purging bool) {
	p.bindings.look(ctx, client.InNamespace(name.Namespace), client.MatchingFields{indexBindingInstance: name.Name})
	p.bindings.lookAtLosers()
	p.accounts.look(ctx, client.InNamespace(name.Namespace))
	if purging {
		p.purgeSoon()
	}
}

// instanceProjected has an instance's bindings looked at: what they rest on is in Postgres.
func (p *platform) instanceProjected(name types.NamespacedName) {
	p.bindings.look(context.Background(), client.InNamespace(name.Namespace), client.MatchingFields{indexBindingInstance: name.Name}) // a cache's answer needs no patience
}

// cameIntoUse has everything looked at again.
func (p *platform) cameIntoUse(ctx context.Context) {
	if p.hooks.EnqueueInstances != nil {
		p.hooks.EnqueueInstances()
	}
	p.accounts.look(ctx)
	p.bindings.look(ctx)
	p.sweep.soon()
	p.purge.soon()
}
