package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/provider/all"
	"github.com/open4x/socialops/runtime/rest"
	"github.com/open4x/socialops/runtime/seal"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// app is the API of an instance on a real Postgres, behind a real listener.
type app struct {
	t       *testing.T
	db      *pgtest.Database
	tenant  *pgtest.Tenant
	store   *postgres.Store
	server  *rest.Server
	metrics *prometheus.Registry
	log     *bytes.Buffer // see logged
	stop    func()
	base    string // URL of the alias, without a slash at its end
	seal    *seal.Key
}

// start serves a new instance of the database.
func start(t *testing.T, db *pgtest.Database, change ...func(*inbox.Instance, *rest.Options)) *app {
	t.Helper()
	key, err := seal.NewKey(seal.Generate())
	if err != nil {
		t.Fatal(err)
	}
	a := &app{t: t, db: db, metrics: prometheus.NewRegistry(), log: &bytes.Buffer{}, seal: key}
	o := rest.Options{
		Providers: all.Providers(all.Options{}), Metrics: a.metrics, Log: slog.New(slog.NewJSONHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OpenSecret: func(sealed []byte, p inbox.Proof) ([]byte, error) { return key.Open(sealed, p.AccountID.String()) },
	}
	a.tenant = db.Instance(t, func(i *inbox.Instance) {
		for _, c := range change {
			c(i, &o)
		}
	})
	a.store = postgres.NewStore(a.tenant.Pool, a.tenant.ID, postgres.StoreOptions{})
	o.Alias, o.Store = a.tenant.Alias, a.store
	a.server = rest.New(o)
	listener := httptest.NewUnstartedServer(a.server.Handler())
	listener.Config.ReadHeaderTimeout = 5 * time.Second
	listener.Config.ReadTimeout = time.Minute
	listener.Config.WriteTimeout = time.Minute
	listener.Start()
	a.stop = sync.OnceFunc(func() {
		a.server.EndStreams()
		listener.Close()
		a.server.Close()
		a.store.Close()
	})
	t.Cleanup(a.stop)
	a.base = listener.URL + strings.TrimSuffix(rest.BasePath, "/") + "/" + a.tenant.Alias
	return a
}

// answer is what came back, read whole.
type answer struct {
	*http.Response
	body []byte
}

// call sends a request with the tenant's key. Headers are "Name: value"; one
// without a value takes the header away.
func (a *app) call(method, path, body string, headers ...string) answer {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("X-API-Key", a.tenant.Key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if value = strings.TrimSpace(value); value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	return a.do(r)
}

func (a *app) do(r *http.Request) answer {
	a.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return answer{resp, body}
}

func (a *app) get(path string) answer { a.t.Helper(); return a.call(http.MethodGet, path, "") }

// event sends a generic event and returns its answer, which must be the given status.
func (a *app) event(status int, body string) rest.WebhookAnswer {
	a.t.Helper()
	return decode[rest.WebhookAnswer](a.t, a.call(http.MethodPost, "/webhook/generic-webhook", body), status)
}

// decode reads an answer that must have the given status. Fields that the type lacks are an error.
func decode[T any](t *testing.T, a answer, status int) (v T) {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: %d, want %d: %s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.body)
	}
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s %s: %v: %s", a.Request.Method, a.Request.URL, err, a.body)
	}
	return v
}

// problem is the error that an answer must be.
func (a answer) problem(t *testing.T, status int, code string) rest.ErrorInfo {
	t.Helper()
	e := decode[rest.Error](t, a, status)
	if e.Success || string(e.Info.Code) != code || e.Info.Message == "" {
		t.Errorf("%s %s: %s; want the code %s", a.Request.Method, a.Request.URL, a.body, code)
	}
	if got := a.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("%s %s: an error of type %q", a.Request.Method, a.Request.URL, got)
	}
	if a.Header.Get("X-Request-Id") == "" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %s: headers %v", a.Request.Method, a.Request.URL, a.Header)
	}
	return e.Info
}

// sql runs a statement as the schema's owner.
func (a *app) sql(statement string, args ...any) {
	a.t.Helper()
	if _, err := a.db.Owner.Exec(a.t.Context(), statement, args...); err != nil {
		a.t.Fatalf("%s: %v", statement, err)
	}
}

// count is the number that a query as the schema's owner gives. It works in a cleanup too.
func (a *app) count(query string, args ...any) (n int) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.t.Context()), time.Minute)
	defer cancel()
	if err := a.db.Owner.QueryRow(ctx, query, args...).Scan(&n); err != nil {
		a.t.Fatalf("%s: %v", query, err)
	}
	return n
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// logged ends the server and gives what it logged.
func (a *app) logged() string {
	a.t.Helper()
	a.stop()
	return a.log.String()
}
