package controllers

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/generic"
	"github.com/open4x/socialops/runtime/provider/github"
)

const testImage = "ghcr.io/open4x/socialops@sha256:" + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// operator is one test's operator, with a namespace, a database and a clock of its own.
type operator struct {
	*kubetest.Env
	t       *testing.T
	db      *pgtest.Database
	clock   *clock
	user    string // whom the API server takes it for
	log     *logged
	options Options

	cancel context.CancelFunc
	ended  chan error
}

type clock struct {
	mu     sync.Mutex
	offset time.Duration
}

// Now is the real time, plus what the test let pass.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// logged is what the operator logged.
type logged struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

// noise are the lines above level info.
func (l *logged) noise() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for line := range strings.Lines(l.all.String()) {
		if !strings.Contains(line, "level=INFO") {
			lines = append(lines, line)
		}
	}
	return lines
}

var marker = regexp.MustCompile(`(?m)^// \+kubebuilder:rbac:groups=([^,]*),resources=([^,]*),verbs=([^,\n]*)(,namespace=own)?$`)

// granted are the rules of this package's markers, all that an operator is granted: so
// every test is one of them, too.
var granted = sync.OnceValue(func() []rbacv1.PolicyRule {
	files, err := filepath.Glob("*.go")
	if err != nil {
		panic(err)
	}
	var rules []rbacv1.PolicyRule
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		for _, m := range marker.FindAllStringSubmatch(string(text), -1) {
			rules = append(rules, rbacv1.PolicyRule{
				APIGroups: []string{strings.Trim(m[1], `"`)}, Resources: strings.Split(m[2], ";"), Verbs: strings.Split(m[3], ";"),
			})
		}
	}
	return rules
})

// newOperator makes an operator that does not run yet.
func newOperator(t *testing.T, change ...func(*Options)) *operator {
	t.Helper()
	return newOperatorIn(t, kubetest.New(t), granted(), change...)
}

func newOperatorIn(t *testing.T, env *kubetest.Env, rules []rbacv1.PolicyRule, change ...func(*Options)) *operator {
	t.Helper()
	o := &operator{Env: env, t: t, db: pgtest.New(t), clock: &clock{}, log: &logged{}, user: kubetest.ServiceAccount(env.Namespace, "operator")}
	config, err := env.User(o.user)
	if err != nil {
		t.Fatal(err)
	}
	env.Grant(t, o.user, rules, env.Namespace)
	o.options = Options{
		RESTConfig: config, Namespace: env.Namespace, WatchNamespaces: []string{env.Namespace},
		Settings: desired.Settings{
			Image: testImage, AllowedImagePrefixes: []string{"ghcr.io/open4x/"},
			DefaultHost: "inbox.example.com", AllowedHosts: []string{"*.example.com"},
			Gateway: v1alpha1.GatewayReference{Namespace: "infra", Name: "public"},
		},
		DatabaseURL: o.db.DSN("owner"), Providers: provider.NewRegistry(generic.New(), github.New()),
		Version: "test", Log: slog.New(slog.NewTextHandler(o.log, nil)), Now: o.clock.Now,
	}
	for _, c := range change {
		c(&o.options)
	}
	return o
}

// startOperator is newOperator, running.
func startOperator(t *testing.T, change ...func(*Options)) *operator {
	t.Helper()
	o := newOperator(t, change...)
	o.start()
	return o
}

// start runs the operator until stop or the end of the test.
func (o *operator) start() {
	o.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(o.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, o.options) }()
	o.cancel, o.ended = cancel, ended
	o.t.Cleanup(func() {
		if o.ended == ended {
			o.stop()
		}
		if o.t.Failed() {
			o.t.Logf("the operator's log:\n%s", o.log.all.String())
		}
	})
}

func (o *operator) stop() {
	o.t.Helper()
	o.cancel()
	if err := <-o.ended; err != nil {
		o.t.Errorf("the operator failed: %v", err)
	}
	o.ended = nil
}

// quiet fails the test if the operator logged what nobody has to see.
func (o *operator) quiet() {
	o.t.Helper()
	if noise := o.log.noise(); len(noise) > 0 {
		o.t.Errorf("the log is not quiet:\n%s", strings.Join(noise, ""))
	}
}

// alias makes a name of a test's own of a readable one.
func (o *operator) alias(name string) string { return name + "-" + o.Namespace }

// instance is a manifest with an alias of the test's own.
func (o *operator) instance(name string, change ...func(*v1alpha1.SocialOpsInstance)) *v1alpha1.SocialOpsInstance {
	in := &v1alpha1.SocialOpsInstance{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindSocialOpsInstance},
		ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: name},
		Spec:       v1alpha1.SocialOpsInstanceSpec{Alias: o.alias(name), Owner: "alice"},
	}
	for _, c := range change {
		c(in)
	}
	return in
}

// has tells whether a condition is as wanted: "Ready=True/Ready".
func has(in *v1alpha1.SocialOpsInstance, want string) bool {
	kind, rest, _ := strings.Cut(want, "=")
	c := meta.FindStatusCondition(in.Status.Conditions, kind)
	if rest == "absent" {
		return c == nil
	}
	return c != nil && string(c.Status)+"/"+c.Reason == rest
}

// await waits until all of the conditions hold of an instance.
func (o *operator) await(name string, conditions ...string) *v1alpha1.SocialOpsInstance {
	o.t.Helper()
	in := &v1alpha1.SocialOpsInstance{ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: name}}
	return kubetest.Await(o.t, o.Env, in, "is "+strings.Join(conditions, " "), func(in *v1alpha1.SocialOpsInstance) bool {
		return !slices.ContainsFunc(conditions, func(c string) bool { return !has(in, c) })
	})
}

// get reads an object of the test's namespace as it is now.
func get[T client.Object](o *operator, name string, into T) T {
	o.t.Helper()
	if err := o.Client.Get(o.t.Context(), client.ObjectKey{Namespace: o.Namespace, Name: name}, into); err != nil {
		o.t.Fatal(err)
	}
	return into
}

// change reads an object, changes and writes it, as a person does.
func edit[T client.Object](o *operator, name string, into T, change func(T)) T {
	o.t.Helper()
	get(o, name, into)
	base, ok := into.DeepCopyObject().(client.Object)
	if !ok {
		o.t.Fatalf("%T", into)
	}
	change(into)
	if err := o.Client.Patch(o.t.Context(), into, client.MergeFrom(base), client.FieldOwner("somebody")); err != nil {
		o.t.Fatal(err)
	}
	return into
}

func (o *operator) query(sql string, args ...any) string {
	o.t.Helper()
	var out *string
	if err := o.db.Owner.QueryRow(o.t.Context(), "SELECT ("+sql+")::text", args...).Scan(&out); err != nil {
		o.t.Fatalf("%s: %v", sql, err)
	}
	if out == nil {
		return ""
	}
	return *out
}

// mark is now, for writes.
func (o *operator) mark() kubetest.Mark {
	o.t.Helper()
	m, err := o.Mark()
	if err != nil {
		o.t.Fatal(err)
	}
	return m
}

// writes are the operator's since a mark, but for Events.
func (o *operator) writes(since kubetest.Mark) []string {
	o.t.Helper()
	all, err := o.Writes(o.t.Context(), o.user, since)
	if err != nil {
		o.t.Fatal(err)
	}
	var out []string
	for _, w := range all {
		if w.Resource != "events" {
			out = append(out, w.String())
		}
	}
	return out
}

// settled waits until the operator has nothing more to do: it has written nothing for a
// while, though an instance was touched in a way that means nothing to it.
func (o *operator) settled() {
	o.t.Helper()
	for deadline := time.Now().Add(kubetest.Patience); time.Now().Before(deadline); {
		m := o.mark()
		time.Sleep(500 * time.Millisecond)
		if len(o.writes(m)) == 0 {
			return
		}
	}
	o.t.Fatal("the operator goes on writing")
}

// events are those about an instance, as "Normal Ready: message".
func (o *operator) events(name string) []string {
	o.t.Helper()
	var list eventsv1.EventList
	if err := o.Client.List(o.t.Context(), &list, client.InNamespace(o.Namespace)); err != nil {
		o.t.Fatal(err)
	}
	slices.SortFunc(list.Items, func(a, b eventsv1.Event) int { return a.EventTime.Compare(b.EventTime.Time) })
	var out []string
	for _, e := range list.Items {
		if e.Regarding.Kind == v1alpha1.KindSocialOpsInstance && e.Regarding.Name == name {
			out = append(out, fmt.Sprintf("%s %s: %s", e.Type, e.Reason, e.Note))
		}
	}
	return out
}

// awaitEvent waits for an Event that begins with a text.
func (o *operator) awaitEvent(name, text string) {
	o.t.Helper()
	var seen []string
	for deadline := time.Now().Add(kubetest.Patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		seen = o.events(name)
		if slices.ContainsFunc(seen, func(e string) bool { return strings.HasPrefix(e, text) }) {
			return
		}
	}
	o.t.Fatalf("no Event %q among\n%s", text, strings.Join(seen, "\n"))
}

// versions are the resourceVersions of everything in the namespace but Events and Leases.
func (o *operator) versions() map[string]string {
	o.t.Helper()
	out := map[string]string{}
	for _, m := range o.Objects(o.t, o.Namespace) {
		if m.Kind != "Lease" {
			out[m.Kind+"/"+m.Name] = m.ResourceVersion
		}
	}
	return out
}

func secretNamed(name string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// pause is a moment between two looks at what can't be waited for.
func pause() { time.Sleep(20 * time.Millisecond) }
