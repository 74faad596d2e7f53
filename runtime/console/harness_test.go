package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/provider/all"
	"github.com/open4x/socialops/runtime/rest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// people are tokens by the text that stands for them: "alice rm" is Alice with
// service:read and service:manage, a is service:admin, and a dash nothing at all.
type people struct {
	mu      sync.Mutex
	expires map[string]time.Time
}

var permissions = map[byte]string{'r': console.PermissionRead, 'm': console.PermissionManage, 'a': console.DefaultAdminPermission}

func (p *people) Verify(_ context.Context, token string) (console.User, error) {
	subject, letters, known := strings.Cut(token, " ")
	if !known {
		return console.User{}, inbox.Errorf(inbox.CodeUnproven, "this is no token of ours: sign in again")
	}
	if subject == "away" {
		return console.User{}, inbox.Errorf(inbox.CodeUnavailable, "the issuer can't be asked: try again")
	}
	u := console.User{Subject: subject, Name: strings.ToUpper(subject[:1]) + subject[1:], Expires: time.Now().Add(time.Hour)}
	for _, l := range []byte(letters) {
		if permission, known := permissions[l]; known {
			u.Permissions = append(u.Permissions, permission)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, set := p.expires[token]; set {
		u.Expires = at
	}
	return u, nil
}

// manifests are bindings in memory.
type manifests struct {
	mu   sync.Mutex
	all  []v1alpha1.ChannelBinding
	fail error
}

func (m *manifests) List(_ context.Context, namespace, instance string) ([]v1alpha1.ChannelBinding, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, m.fail
	}
	var out []v1alpha1.ChannelBinding
	for _, b := range m.all {
		if b.Namespace == namespace && b.Spec.InstanceRef.Name == instance {
			out = append(out, *b.DeepCopy())
		}
	}
	return out, nil
}

func (m *manifests) Create(_ context.Context, b *v1alpha1.ChannelBinding) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	b.CreationTimestamp.Time = time.Now()
	b.Generation = 1
	m.all = append(m.all, *b.DeepCopy())
	return nil
}

func (m *manifests) Update(_ context.Context, namespace, name string, change func(*v1alpha1.ChannelBindingSpec), by string) (*v1alpha1.ChannelBinding, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, m.fail
	}
	i := slices.IndexFunc(m.all, func(b v1alpha1.ChannelBinding) bool { return b.Namespace == namespace && b.Name == name })
	if i < 0 {
		return nil, inbox.Errorf(inbox.CodeNotFound, "there is no such binding")
	}
	change(&m.all[i].Spec)
	m.all[i].Generation++
	m.all[i].Annotations = map[string]string{v1alpha1.AnnotationChangedBy: by}
	return m.all[i].DeepCopy(), nil
}

// app is a console of a real database, with the runtime of one of its aliases.
type app struct {
	t         *testing.T
	db        *pgtest.Database
	tenant    *pgtest.Tenant // alice's
	desks     *postgres.Desks
	manifests *manifests
	people    *people
	server    *console.Server
	native    *rest.Server
	base      string // URL of the console, without a path
	log       *bytes.Buffer
	stop      func()
}

func start(t *testing.T, change ...func(*app, *console.Options)) *app {
	t.Helper()
	db := pgtest.New(t)
	a := &app{t: t, db: db, manifests: &manifests{}, people: &people{expires: map[string]time.Time{}}, log: &bytes.Buffer{}}
	a.tenant = db.Instance(t, func(i *inbox.Instance) { i.Owner = "alice" })
	a.desks = postgres.NewDesks(db.Console(t), postgres.DesksOptions{})
	store := postgres.NewStore(a.tenant.Pool, a.tenant.ID, postgres.StoreOptions{})
	log := slog.New(slog.NewJSONHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	providers := all.Providers(all.Options{})
	a.native = rest.New(rest.Options{Alias: a.tenant.Alias, Store: store, Providers: providers, Log: log})
	tenant := httptest.NewServer(a.native.Handler())
	o := console.Options{
		Desks: a.desks, Verifier: a.people, Bindings: a.manifests, Providers: providers, Install: a.tenant.ID, // pgtest's install
		PublicURL:   func(alias string) string { return "https://inbox.example" + rest.BasePath + alias },
		WebhookBase: func(in inbox.OwnedInstance) string { return tenant.URL + rest.BasePath + in.Alias },
		OIDC:        &console.OIDCConfig{Issuer: "https://id.example/realm", ClientID: "console", Scopes: "openid profile"}, Version: "v1.2.3", Log: log,
	}
	for _, c := range change {
		c(a, &o)
	}
	a.server = console.New(o)
	listener := httptest.NewServer(a.server)
	a.base = listener.URL
	a.stop = sync.OnceFunc(func() {
		a.server.EndStreams()
		listener.Close()
		a.server.Close()
		a.native.EndStreams()
		tenant.Close()
		a.native.Close()
		store.Close()
	})
	t.Cleanup(a.stop)
	return a
}

// answer is what came back, read whole.
type answer struct {
	*http.Response
	body []byte
}

// call sends a request to the console as somebody: see [people]. A path that does
// not begin with /console is below the tenant's.
func (a *app) call(who, method, path, body string, headers ...string) answer {
	a.t.Helper()
	if !strings.HasPrefix(path, "/console") {
		path = console.BasePath + "/" + a.tenant.Alias + path
	}
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return answer{resp, text}
}

// data is the data of an answer that must have the status.
func data[T any](t *testing.T, r answer, status int) T {
	t.Helper()
	return decode[rest.Envelope[T]](t, r, status).Data
}

// decode reads an answer that must have the status. Fields that the type lacks are an error.
func decode[T any](t *testing.T, r answer, status int) (v T) {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("%s %s: %d, want %d: %s", r.Request.Method, r.Request.URL, r.StatusCode, status, r.body)
	}
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s %s: %v: %s", r.Request.Method, r.Request.URL, err, r.body)
	}
	return v
}

// problem is the error that an answer must be.
func (r answer) problem(t *testing.T, status int, code inbox.Code) rest.ErrorInfo {
	t.Helper()
	e := decode[rest.Error](t, r, status)
	if e.Success || e.Info.Code != code || e.Info.Message == "" {
		t.Errorf("%s %s: %s; want the code %s", r.Request.Method, r.Request.URL, r.body, code)
	}
	if r.Header.Get("X-Request-Id") == "" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %s: headers %v", r.Request.Method, r.Request.URL, r.Header)
	}
	return e.Info
}

// event has a stranger send an event to the tenant's own API.
func (a *app) event(body string) rest.WebhookAnswer {
	a.t.Helper()
	r := httptest.NewRequestWithContext(a.t.Context(), http.MethodPost, rest.BasePath+a.tenant.Alias+"/webhook/generic-webhook", strings.NewReader(body))
	r.Header.Set("X-API-Key", a.tenant.Key)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.native.ServeHTTP(w, r)
	var out rest.WebhookAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusAccepted {
		a.t.Fatalf("webhook: %d %s", w.Code, w.Body)
	}
	return out
}

// sql runs a statement as the schema's owner.
func (a *app) sql(statement string, args ...any) {
	a.t.Helper()
	if _, err := a.db.Owner.Exec(a.t.Context(), statement, args...); err != nil {
		a.t.Fatalf("%s: %v", statement, err)
	}
}

// count is the number that a query as the schema's owner gives.
func (a *app) count(query string, args ...any) (n int) {
	a.t.Helper()
	if err := a.db.Owner.QueryRow(a.t.Context(), query, args...).Scan(&n); err != nil {
		a.t.Fatalf("%s: %v", query, err)
	}
	return n
}
