package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/open4x/socialops/runtime"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/rest"
)

// tenant is what opens one alias. Without a databaseURL it is not to be opened, but
// to stay if it is open.
type tenant struct {
	alias       string
	databaseURL string
	instanceKey []byte
}

// tenants are the aliases that this process serves, each on connections of its
// own role, as its own pod would be in a cluster.
type tenants struct {
	providers provider.Registry
	metrics   prometheus.Registerer
	log       *slog.Logger
	queued    func()

	mu   sync.RWMutex
	open map[string]*serving
}

type serving struct {
	*runtime.Tenant
	requests sync.WaitGroup
}

// ServeHTTP hands a request to its alias.
func (t *tenants) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	alias, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, rest.BasePath), "/")
	t.mu.RLock()
	s := t.open[alias]
	if s != nil {
		s.requests.Add(1) // under the lock, so that no request begins once the alias is closing
	}
	t.mu.RUnlock()
	if s == nil {
		rest.NoInbox(w, r)
		return
	}
	defer s.requests.Done()
	s.Tenant.ServeHTTP(w, r)
}

// set serves exactly the given aliases: those that are new are opened, those that
// are gone closed. One that does not open leaves the others as they are.
func (t *tenants) set(ctx context.Context, want []tenant) error {
	var errs []error
	for _, w := range want {
		t.mu.RLock()
		_, there := t.open[w.alias]
		t.mu.RUnlock()
		if there || w.databaseURL == "" {
			continue
		}
		opened, err := runtime.OpenTenant(ctx, runtime.TenantConfig{
			Alias: w.alias, DatabaseURL: w.databaseURL, InstanceKey: w.instanceKey,
			Providers: t.providers, Metrics: t.metrics, Log: t.log, Queued: t.queued,
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("opening the inbox %q: %w", w.alias, err))
			continue
		}
		t.mu.Lock()
		t.open[w.alias] = &serving{Tenant: opened}
		t.mu.Unlock()
	}
	for _, alias := range t.aliases() {
		if !slices.ContainsFunc(want, func(w tenant) bool { return w.alias == alias }) {
			t.close(alias)
		}
	}
	return errors.Join(errs...)
}

func (t *tenants) aliases() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := make([]string, 0, len(t.open))
	for alias := range t.open {
		list = append(list, alias)
	}
	slices.Sort(list)
	return list
}

func (t *tenants) close(alias string) {
	t.mu.Lock()
	s := t.open[alias]
	delete(t.open, alias)
	t.mu.Unlock()
	s.EndStreams()
	s.requests.Wait()
	s.Close()
}

// endStreams ends every stream, so that their clients' requests end.
func (t *tenants) endStreams() {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, s := range t.open {
		s.EndStreams()
	}
}

func (t *tenants) closeAll() {
	for _, alias := range t.aliases() {
		t.close(alias)
	}
}
