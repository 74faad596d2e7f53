package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/dev/manifests"
	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/project"
	"github.com/open4x/socialops/runtime/seal"
)

// manifestsFile is where the manifests in force are kept between runs, so that an
// alias stays immutable and a generation only grows.
const manifestsFile = "manifests.json"

// watchEvery is how often the folder is looked at for changes.
const watchEvery = time.Second

// projection keeps the rows true to the folder, as the operator keeps them true
// to a cluster.
type projection struct {
	dir       string // of the manifests
	dataDir   string
	log       *slog.Logger
	pool      *pgxpool.Pool
	projector *project.Projector
	server    *privatepg.Server

	stamp   string    // of the folder when it was last read
	checkAt time.Time // when to project again though nothing changed; zero: never
	asked   chan chan<- struct{}

	mu      sync.RWMutex // of what follows
	set     *manifests.Set
	results project.Results

	said map[string]string // problems of the last reading, so that each is told once
	told map[string]bool   // conditions that were told
}

func (d *process) newProjection(ctx context.Context, keys *secrets, encryption []byte) (*projection, error) {
	install, err := keys.installID()
	if err != nil {
		return nil, err
	}
	key, err := seal.NewKey(encryption)
	if err != nil {
		return nil, fmt.Errorf("reading the encryption key: %w", err)
	}
	pool, err := postgres.Open(ctx, d.server.DSN(ownerRole, databaseName), 2)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	p := &projection{
		dir: d.Manifests, dataDir: d.DataDir, log: d.Log, pool: pool, server: d.server, asked: make(chan chan<- struct{}), said: map[string]string{}, told: map[string]bool{},
		projector: &project.Projector{
			Store: postgres.NewConfiguration(pool), Providers: d.providers, Seal: key, Install: install, KeepConditions: true, Now: time.Now,
			PublicURL: func(*v1alpha1.SocialOpsInstance) string { return d.PublicURL },
		},
	}
	if p.set, err = manifests.Load(filepath.Join(d.DataDir, manifestsFile)); err != nil {
		pool.Close()
		return nil, err //nolint:wrapcheck // says what to do
	}
	if d.Demo { // the simulator forgets with the process
		if err := p.projector.Recheck(ctx); err != nil {
			pool.Close()
			return nil, err //nolint:wrapcheck // says what it was doing
		}
	}
	return p, nil
}

func (p *projection) close() { p.pool.Close() }

// pass reads the folder, projects what it holds and opens the aliases' inboxes.
// Only what keeps everything from working is an error.
func (p *projection) pass(ctx context.Context, t *tenants) error {
	p.stamp = stamp(p.dir)
	set, err := manifests.Read(ctx, p.dir, p.set)
	if err != nil {
		return fmt.Errorf("%w: name a folder with --manifests", err)
	}
	p.mu.Lock()
	p.set = set
	p.mu.Unlock()
	p.tell(set)
	if err := set.Save(filepath.Join(p.dataDir, manifestsFile)); err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	in, err := p.input(set)
	if err != nil {
		return err
	}
	results, err := p.projector.All(ctx, in)
	p.mu.Lock()
	p.results = results
	p.mu.Unlock()
	p.checkAt = results.CheckAt
	if err != nil {
		p.log.WarnContext(ctx, "some manifests could not be projected; trying again", "error", err)
	}
	partly := err != nil
	var want []tenant
	for _, i := range set.Instances {
		r, ok := results.Instances[project.Name{Namespace: i.Namespace, Name: i.Name}]
		if !ok || r.ID.IsZero() || r.Role == "" {
			if partly { // not known to be refused: one that is served goes on
				want = append(want, tenant{alias: i.Spec.Alias})
			}
			continue
		}
		want = append(want, tenant{alias: i.Spec.Alias, databaseURL: p.server.DSN(r.Role, databaseName), instanceKey: r.Key})
	}
	p.tellConditions(ctx, results)
	if results.Purging {
		if _, err := p.projector.Purge(ctx); err != nil {
			p.log.WarnContext(ctx, "a deleted inbox is not purged yet; trying again", "error", err)
		}
	}
	return t.set(ctx, want)
}

func (p *projection) input(set *manifests.Set) (project.Manifests, error) {
	var m project.Manifests
	find := func(namespace, name string) *project.Secret {
		if s := set.Secret(namespace, name); s != nil {
			return (*project.Secret)(s)
		}
		return nil
	}
	for _, s := range set.Secrets {
		m.Secrets = append(m.Secrets, (*project.Secret)(s))
	}
	for _, i := range set.Instances {
		key, err := p.key(i.Spec.Alias)
		if err != nil {
			return m, err
		}
		m.Instances = append(m.Instances, project.InstanceInput{
			Manifest: i, Secrets: find, Generated: []project.GeneratedKey{{Name: "dev", Value: key}},
		})
	}
	m.Bindings = set.Bindings
	return m, nil
}

// key reads an alias's API key of the dev mode, or makes it.
func (p *projection) key(alias string) (string, error) {
	path := KeyFile(p.dataDir, alias)
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		if key := trimNewline(string(b)); project.ValidKey(key) {
			return key, nil
		}
		return "", fmt.Errorf("%s holds no API key: remove the file, and a new one is made", path)
	case !errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("reading an API key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("making the folder of keys: %w", err)
	}
	key := project.GenerateKey()
	return key, writePrivate(path, []byte(key+"\n"))
}

// KeyFile is where the API key of an alias is written.
func KeyFile(dataDir, alias string) string { return filepath.Join(dataDir, "keys", alias) }

func trimNewline(s string) string {
	for len(s) > 0 && (s[len(s)-1] == '\n' || s[len(s)-1] == '\r') {
		s = s[:len(s)-1]
	}
	return s
}

// tell logs what is wrong with manifests, each problem once.
func (p *projection) tell(set *manifests.Set) {
	problems := map[string]string{}
	for _, problem := range set.Problems {
		text := problem.Error()
		problems[text] = text
		if _, known := p.said[text]; !known {
			p.log.Error("a manifest is refused", "problem", text)
		}
	}
	for _, note := range set.Notes {
		text := note.String()
		problems[text] = text
		if _, known := p.said[text]; !known {
			p.log.Info("a manifest is not used", "note", text)
		}
	}
	p.said = problems
}

// watch projects again when the folder changes and when a condition is to be looked at again.
func (p *projection) watch(ctx context.Context, t *tenants) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			due := !p.checkAt.IsZero() && time.Now().After(p.checkAt)
			if !due && stamp(p.dir) == p.stamp {
				continue
			}
			p.again(ctx, t)
		case done := <-p.asked:
			p.again(ctx, t)
			close(done)
		}
	}
}

func (p *projection) again(ctx context.Context, t *tenants) {
	if err := p.pass(ctx, t); err != nil && ctx.Err() == nil {
		p.log.ErrorContext(ctx, "the manifests could not be taken in", "error", err)
	}
}

// refresh has [projection.watch] take in the folder at once, and waits until it has or ctx ends.
func (p *projection) refresh(ctx context.Context) {
	done := make(chan struct{})
	select {
	case p.asked <- done:
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// inForce is what was last taken in, and what became of it. Neither is changed later.
func (p *projection) inForce() (*manifests.Set, project.Results) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.set, p.results
}

// stamp changes when a file of the folder does.
func stamp(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	var s strings.Builder
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() {
			s.WriteString(fmt.Sprintf("%s %d %d\n", e.Name(), info.Size(), info.ModTime().UnixNano()))
		}
	}
	return s.String()
}

// tellConditions logs what does not hold of each object, whenever that changes.
func (p *projection) tellConditions(ctx context.Context, results project.Results) {
	say := func(kind string, name project.Name, conditions []metav1.Condition) {
		for _, c := range conditions {
			if c.Status == metav1.ConditionTrue || c.Type == v1alpha1.ConditionReady || c.Type == v1alpha1.ConditionReconciling || c.Type == v1alpha1.ConditionStalled {
				continue
			}
			text := fmt.Sprintf("%s %s: %s: %s: %s", kind, name, c.Type, c.Reason, c.Message)
			if p.told[text] {
				continue
			}
			p.told[text] = true
			level := slog.LevelWarn
			if c.Status == metav1.ConditionUnknown { // for a person to do, which nobody can check
				level = slog.LevelInfo
			}
			p.log.Log(ctx, level, "not ready", "object", kind+" "+name.String(), "condition", c.Type, "reason", c.Reason, "message", c.Message)
		}
	}
	for name, r := range results.Instances {
		say("SocialOpsInstance", name, r.Conditions)
	}
	for name, r := range results.Bindings {
		say("ChannelBinding", name, r.Conditions)
	}
	for name, r := range results.Accounts {
		say("Secret", name, slices.DeleteFunc(slices.Clone(r.Conditions), func(c metav1.Condition) bool {
			return c.Type == v1alpha1.ConditionWebhookRegistered // the bindings tell, and later
		}))
	}
}
