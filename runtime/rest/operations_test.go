package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

func TestRateLimits(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t), func(i *inbox.Instance, _ *rest.Options) { i.RateLimit = 5 })
	a.prove("telegram", a.tenant.Account, a.tenant.TelegramSource, "token", "")
	calls := []func() answer{
		func() answer { return a.get("/inbox") },
		func() answer { return a.call(http.MethodPost, "/webhook/generic-webhook", `{"text": "x"}`) },
		func() answer { return a.get("/threads/soth_xxx") }, // what fails counts too
	}
	for i := range 5 {
		r := calls[i%3]()
		if r.Header.Get("X-RateLimit-Limit") != "5" || r.Header.Get("X-RateLimit-Remaining") != string('4'-rune(i)) || r.Header.Get("X-RateLimit-Reset") == "" || r.StatusCode == http.StatusTooManyRequests {
			t.Errorf("call %d: %s, %v", i+1, r.Status, r.Header)
		}
	}
	for _, call := range calls {
		r := call()
		r.problem(t, http.StatusTooManyRequests, "rate_limited")
		if r.Header.Get("Retry-After") == "" || r.Header.Get("X-RateLimit-Remaining") != "0" {
			t.Errorf("over the limit: %v", r.Header)
		}
	}
	// A provider that proves itself has no key, and so no limit of one.
	r := a.call(http.MethodPost, "/webhook/telegram", telegramUpdate, "X-API-Key:", "X-Telegram-Bot-Api-Secret-Token: token")
	if decode[rest.WebhookAnswer](t, r, http.StatusAccepted); r.Header.Get("X-RateLimit-Limit") != "" {
		t.Errorf("with a proof: %v", r.Header)
	}
	a.get("/inbox").problem(t, http.StatusTooManyRequests, "rate_limited")
	a.call(http.MethodGet, "/openapi.json", "", "X-API-Key:") // needs none
	if n := counter(t, a.metrics, "socialops_http_rate_limited_total"); n != 4 {
		t.Errorf("%v refusals were counted", n)
	}
}

func TestLogAndMetrics(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	a.call(http.MethodPost, "/webhook/generic-webhook", specEvent, "X-Request-Id: mine-1")
	r := a.call(http.MethodGet, "/threads/soth_xxx", "", "X-Request-Id: mine-2")
	if r.Header.Get("X-Request-Id") != "mine-2" {
		t.Errorf("X-Request-Id: %s", r.Header.Get("X-Request-Id"))
	}
	r = a.call("BREW", "/inbox", "", "X-Request-Id: <script>")
	if id := r.Header.Get("X-Request-Id"); id == "" || strings.Contains(id, "<") {
		t.Errorf("X-Request-Id: %s", id)
	}
	a.get("/nowhere-" + strings.Repeat("x", 50))
	a.call(http.MethodPost, "/webhook/nobody-"+strings.Repeat("x", 50), "{}")
	if n := counter(t, a.metrics, "socialops_ingest_events_total", "provider", "generic-webhook", "result", "accepted"); n != 1 {
		t.Errorf("%v accepted events", n)
	}
	if n := counter(t, a.metrics, "socialops_ingest_events_total", "provider", "unknown", "result", "not_found"); n != 1 {
		t.Errorf("%v events of unknown providers", n)
	}
	for _, labels := range [][]string{
		{"route", "/webhook/{provider}", "method", "POST", "code", "202"},
		{"route", "/threads/{thread_id}", "method", "GET", "code", "404"},
		{"route", "other", "method", "other", "code", "405"},
		{"route", "other", "method", "GET", "code", "404"},
	} {
		if n := counter(t, a.metrics, "socialops_http_requests_total", labels...); n != 1 {
			t.Errorf("%v: %v", labels, n)
		}
	}
	if h := series(t, a.metrics, "socialops_http_request_duration_seconds", "route", "/webhook/{provider}", "method", "POST").GetHistogram(); h.GetSampleCount() != 2 {
		t.Errorf("durations: %v", h)
	}
	lines := map[string]map[string]any{}
	for line := range strings.Lines(a.logged()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if id, ok := fields["request_id"].(string); ok {
			lines[id] = fields
		}
	}
	for id, want := range map[string]map[string]any{
		"mine-1": {"level": "DEBUG", "route": "/webhook/{provider}", "status": 202.0, "method": "POST", "alias": a.tenant.Alias},
		"mine-2": {"level": "INFO", "route": "/threads/{thread_id}", "status": 404.0, "code": "not_found"},
	} {
		for field, v := range want {
			if lines[id][field] != v {
				t.Errorf("%s: %s is %v, want %v", id, field, lines[id][field], v)
			}
		}
	}
}

// Postgres goes away and comes back: what needs it says so and how long to wait,
// what does not goes on, and nothing is lost or doubled.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	db := pgtest.NewServer(t)
	a := start(t, db)
	a.event(http.StatusAccepted, specEvent)
	l := a.listen("")
	if err := db.Server.Kill(); err != nil {
		t.Fatal(err)
	}
	const lost = `{"event_id": "2", "thread_id": "incident_42", "text": "while it was away"}`
	for _, r := range []answer{a.call(http.MethodPost, "/webhook/generic-webhook", lost), a.get("/inbox"), a.get("/usage")} {
		r.problem(t, http.StatusServiceUnavailable, "unavailable")
		if r.Header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	}
	if r := a.get("/docs"); r.StatusCode != http.StatusOK {
		t.Errorf("the page: %s", r.Status)
	}
	if err := db.Server.Restart(t.Context(), "fast"); err != nil {
		t.Fatal(err)
	}
	db.Owner.Reset() // its connections broke too
	for {
		r := a.call(http.MethodPost, "/webhook/generic-webhook", lost)
		if r.StatusCode == http.StatusAccepted {
			break
		}
		r.problem(t, http.StatusServiceUnavailable, "unavailable") // until what failed last is old enough to be tried again
	}
	a.event(http.StatusOK, lost)
	if e := skip(l, inbox.EventMessageCreated, func(rest.Event) bool { return true }); e.Message == nil || e.Message.Text != "while it was away" {
		t.Errorf("the stream went on with %+v", e)
	}
	if n := a.count("SELECT count(*) FROM message"); n != 2 {
		t.Errorf("%d messages", n)
	}
}

// broken is a store of which everything but the settings fails or panics.
type broken struct {
	instant
	err error
}

func (b broken) Inbox(context.Context, inbox.Filter, inbox.Page) ([]inbox.ThreadView, error) {
	if b.err != nil {
		return nil, b.err
	}
	panic("a bug")
}

func (b broken) Ingest(context.Context, inbox.ChannelID, inbox.Inbound) (inbox.Receipt, error) {
	if b.err != nil {
		return inbox.Receipt{}, b.err
	}
	panic("a bug")
}

func TestFailuresInside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"a panic":        {nil, 500, "internal"},
		"an odd error":   {errors.New("secret detail of the database"), 500, "internal"},
		"time is up":     {context.DeadlineExceeded, 503, "unavailable"},
		"unavailable":    {inbox.Errorf(inbox.CodeUnavailable, "the database is away"), 503, "unavailable"},
		"a code unheard": {inbox.Errorf("brand_new", "something"), 500, "brand_new"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := broken{newInstant(), c.err}
			store.config.Keys[0].Scopes = append(store.config.Keys[0].Scopes, inbox.ScopeRead)
			s := rest.New(rest.Options{Alias: "support", Store: store, Providers: benchProviders, Log: discard})
			server := httptest.NewServer(s.Handler())
			t.Cleanup(func() { server.Close(); s.Close() })
			a := &app{t: t, tenant: &pgtest.Tenant{Key: "sk_bench"}, base: server.URL + "/v1/apps/socialops/support"}
			for _, r := range []answer{a.call(http.MethodPost, "/webhook/generic-webhook", specEvent), a.get("/inbox")} {
				e := r.problem(t, c.status, c.code)
				if strings.Contains(string(r.body), "secret detail") || c.status == 503 && r.Header.Get("Retry-After") == "" {
					t.Errorf("%s, %v", r.body, r.Header)
				}
				if c.code == "internal" && !strings.Contains(e.Message, "X-Request-Id") {
					t.Errorf("%q does not tell how to report it", e.Message)
				}
			}
		})
	}
}

// A client that is slow with its body holds memory for a while only, and one that
// hangs up none.
func TestWebhookClientHangsUp(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	ctx, cancel := context.WithCancel(t.Context())
	reading, stop := newSlow()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/webhook/generic-webhook", reading)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 1 << 20
	r.Header.Set("X-API-Key", a.tenant.Key)
	var wg sync.WaitGroup
	wg.Go(func() {
		if resp, err := http.DefaultClient.Do(r); err == nil {
			resp.Body.Close()
			t.Errorf("answered %s", resp.Status)
		}
	})
	for gauge(t, a.metrics, "socialops_ingest_in_flight_bytes") != 1<<20 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	stop()
	wg.Wait()
	for gauge(t, a.metrics, "socialops_ingest_in_flight_bytes") != 0 {
		time.Sleep(time.Millisecond)
	}
}

// newSlow is a body that begins and then waits.
func newSlow() (body *bufio.Reader, stop func()) {
	done := make(chan struct{})
	return bufio.NewReader(slow{done}), func() { close(done) }
}

type slow struct{ done chan struct{} }

func (s slow) Read(b []byte) (int, error) {
	<-s.done
	return 0, errors.New("hung up")
}
