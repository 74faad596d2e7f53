package rest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

func TestWebhookAcceptsAndKnowsRepeats(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	first := a.event(http.StatusAccepted, specEvent)
	if first.Status != "accepted" || first.Provider != "generic-webhook" || !strings.HasPrefix(first.ThreadID, "soth_") || !strings.HasPrefix(first.MessageID, "somsg_") {
		t.Errorf("accepted: %+v", first)
	}
	again := a.event(http.StatusOK, specEvent)
	want := first
	want.Status = "duplicate"
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("duplicate: %s", diff)
	}
	other := a.event(http.StatusAccepted, strings.Replace(specEvent, "evt_1001", "evt_1002", 1))
	if other.ThreadID != first.ThreadID || other.MessageID == first.MessageID {
		t.Errorf("another event of the thread: %+v after %+v", other, first)
	}
	if n := a.count("SELECT count(*) FROM message WHERE instance_id = $1", a.tenant.ID); n != 2 {
		t.Errorf("%d messages", n)
	}
	if n := a.count("SELECT amount FROM balance WHERE instance_id = $1", a.tenant.ID); n != -400 {
		t.Errorf("balance %d", n)
	}
}

func TestWebhookOneEventFromManyConnections(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	answers := make([]rest.WebhookAnswer, 64)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			r := a.call(http.MethodPost, "/webhook/generic-webhook", specEvent)
			if r.StatusCode != http.StatusAccepted && r.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", r.Status, r.body)
				return
			}
			answers[i] = decode[rest.WebhookAnswer](t, r, r.StatusCode)
		})
	}
	wg.Wait()
	accepted := 0
	for _, got := range answers {
		if got.Status == "accepted" {
			accepted++
		}
		if got.ThreadID != answers[0].ThreadID || got.MessageID != answers[0].MessageID {
			t.Errorf("ids differ: %+v and %+v", got, answers[0])
		}
	}
	if accepted != 1 {
		t.Errorf("accepted %d times", accepted)
	}
	if n := a.count("SELECT count(*) FROM ledger WHERE instance_id = $1", a.tenant.ID); n != 1 {
		t.Errorf("charged %d times", n)
	}
}

func TestWebhookRefuses(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := start(t, db, func(i *inbox.Instance, _ *rest.Options) { i.Providers = []string{"generic-webhook", "telegram"} })
	other := start(t, db)
	a.sql("UPDATE api_key SET scopes = '{socialops:read}' WHERE instance_id = $1", other.tenant.ID)
	const generic = "/webhook/generic-webhook"
	for name, c := range map[string]struct {
		path, body string
		headers    []string
		status     int
		code       string
		says       string
	}{
		"unknown provider":      {"/webhook/myspace", "{}", nil, 404, "not_found", "generic-webhook, github, telegram"},
		"no provider":           {"/webhook/", "{}", nil, 404, "not_found", "github"},
		"odd provider":          {"/webhook/%00", "{}", nil, 404, "not_found", "github"},
		"not allowed":           {"/webhook/github", "{}", nil, 403, "forbidden", "github"},
		"no key":                {generic, specEvent, []string{"X-API-Key:"}, 401, "unauthorized", "X-API-Key"},
		"wrong key":             {generic, specEvent, []string{"X-API-Key: sk_wrong"}, 401, "unauthorized", "key"},
		"another alias's key":   {generic, specEvent, []string{"X-API-Key: " + other.tenant.Key}, 401, "unauthorized", "key"},
		"no proof, no key":      {"/webhook/telegram", `{"update_id": 1}`, []string{"X-API-Key:"}, 401, "unauthorized", "X-API-Key"},
		"form":                  {generic, specEvent, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported_media_type", "Content-Type: application/json"},
		"multipart":             {generic, specEvent, []string{"Content-Type: multipart/form-data; boundary=x"}, 415, "unsupported_media_type", "JSON"},
		"XML":                   {generic, "<a/>", []string{"Content-Type: application/soap+xml"}, 415, "unsupported_media_type", "JSON"},
		"compressed":            {generic, specEvent, []string{"Content-Encoding: gzip"}, 415, "unsupported_media_type", "Content-Encoding"},
		"empty":                 {generic, "", nil, 400, "invalid", "empty"},
		"cut off":               {generic, specEvent[:40], nil, 400, "invalid", "JSON"},
		"list":                  {generic, "[" + specEvent + "]", nil, 400, "invalid", "object"},
		"two":                   {generic, specEvent + specEvent, nil, 400, "invalid", "one event"},
		"null":                  {generic, "null", nil, 400, "invalid", "object"},
		"words":                 {generic, "hello", nil, 400, "invalid", "JSON"},
		"nothing in it":         {generic, "{}", nil, 400, "invalid", "empty"},
		"wrong type":            {generic, `{"text": 5}`, nil, 400, "invalid", "text"},
		"wrong type deep":       {generic, `{"text": "x", "user": {"id": ["a"]}}`, nil, 400, "invalid", "user.id"},
		"labels no list":        {generic, `{"text": "x", "labels": "ops"}`, nil, 400, "invalid", "labels"},
		"script as URL":         {generic, `{"text": "x", "url": "javascript:alert(1)"}`, nil, 400, "invalid", "url"},
		"deep nesting":          {generic, `{"text": "x", "deep": ` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}", nil, 400, "invalid", "nested"},
		"deep nesting unclosed": {generic, strings.Repeat(`{"a":`, 1_000_000), nil, 400, "invalid", "nested"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := a.call(http.MethodPost, c.path, c.body, c.headers...)
			e := r.problem(t, c.status, c.code)
			if !strings.Contains(e.Message, c.says) {
				t.Errorf("%q does not mention %q", e.Message, c.says)
			}
			if c.status == http.StatusUnauthorized && r.Header.Get("WWW-Authenticate") == "" {
				t.Error("without WWW-Authenticate")
			}
		})
	}
	t.Run("read-only key", func(t *testing.T) {
		t.Parallel()
		e := other.call(http.MethodPost, generic, specEvent).problem(t, 403, "forbidden")
		if !strings.Contains(e.Message, inbox.ScopeWrite) {
			t.Errorf("%q does not name the scope", e.Message)
		}
	})
	t.Run("method", func(t *testing.T) {
		t.Parallel()
		r := a.get(generic)
		r.problem(t, 405, "method_not_allowed")
		if r.Header.Get("Allow") != "POST" {
			t.Errorf("Allow: %s", r.Header.Get("Allow"))
		}
	})
	t.Run("list of providers", func(t *testing.T) {
		t.Parallel()
		e := a.call(http.MethodPost, "/webhook/myspace", "{}").problem(t, 404, "not_found")
		if diff := cmp.Diff(map[string]any{"providers": []any{"generic-webhook", "github", "telegram"}}, e.Details); diff != "" {
			t.Error(diff)
		}
	})
	t.Cleanup(func() {
		if n := a.count("SELECT count(*) FROM message"); n != 0 {
			t.Errorf("%d messages came of refused calls", n)
		}
	})
}

func TestWebhookTakesAnyText(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	for name, c := range map[string]struct {
		body, want string
		headers    []string
	}{
		"emoji":            {`{"text": "👩🏽‍🚀 \ud83d\ude00 done"}`, "👩🏽‍🚀 😀 done", nil},
		"right to left":    {`{"text": "مرحبا \u202eabc"}`, "مرحبا \u202eabc", nil},
		"NUL":              {`{"text": "a\u0000b"}`, "a\uFFFDb", nil},
		"invalid UTF-8":    {"{\"text\": \"a\xff\xfeb\"}", "a\uFFFD\uFFFDb", nil},
		"half a surrogate": {`{"text": "a\ud83d"}`, "a\uFFFD", nil},
		"SQL":              {`{"text": "'; DROP TABLE message; --"}`, "'; DROP TABLE message; --", nil},
		"HTML":             {`{"text": "<script>alert(1)</script>"}`, "<script>alert(1)</script>", nil},
		"unknown fields":   {`{"text": "x", "x": {"y": [1, 2.5, null, true]}}`, "x", nil},
		"byte order mark":  {"\xef\xbb\xbf" + `{"text": "bom"}`, "bom", nil},
		"charset":          {`{"text": "utf"}`, "utf", []string{"Content-Type: application/json; charset=utf-8"}},
		"vendor's JSON":    {`{"text": "v"}`, "v", []string{"Content-Type: application/vnd.acme+json"}},
		"no type":          {`{"text": "none"}`, "none", []string{"Content-Type:"}},
		"plain text":       {`{"text": "plain"}`, "plain", []string{"Content-Type: text/plain"}},
		"bearer":           {`{"text": "b"}`, "b", []string{"X-API-Key:", "Authorization: Bearer " + a.tenant.Key}},
		"long":             {`{"text": "` + strings.Repeat("é", 300_000) + `"}`, strings.Repeat("é", 32_766) + "…", nil}, // 64 KiB
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := decode[rest.WebhookAnswer](t, a.call(http.MethodPost, "/webhook/generic-webhook", c.body, c.headers...), http.StatusAccepted)
			list := decode[rest.List[rest.Message]](t, a.get("/threads/"+got.ThreadID+"/messages"), http.StatusOK)
			if len(list.Data) != 1 || list.Data[0].Text != c.want {
				t.Errorf("%+v", list.Data)
			}
		})
	}
}

// Every field is as harmless as the words in it, and comes back as it was sent.
func TestWebhookHostileFields(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	for name, evil := range map[string]string{
		"SQL":           `'); DROP TABLE message; --`,
		"HTML":          `"><img src=x onerror=alert(1)>`,
		"template":      `{{.Secret}} ${jndi:ldap://x} %s %n`,
		"path":          `../../etc/passwd`,
		"quotes":        `\"'` + "`",
		"emoji":         "👩🏽‍🚀",
		"right to left": "\u202eمرحبا",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The names are unique, so that each is a thread of its own.
			body := encode(t, map[string]any{
				"event_id": "e" + evil, "thread_id": "t" + evil, "message_id": "m" + evil, "parent_id": "p" + evil, "channel": "c" + evil,
				"title": evil, "text": evil, "labels": []string{evil}, "user": map[string]string{"id": "u" + evil, "name": evil, "handle": evil},
				"data": map[string]any{evil: evil}, evil: evil,
				"attachments": []any{map[string]any{"url": "https://files.example/", "name": evil, "mime_type": evil, "kind": "file"}},
			})
			got := a.event(http.StatusAccepted, body)
			thread := decode[rest.Envelope[rest.InboxThread]](t, a.get("/threads/"+got.ThreadID), http.StatusOK).Data
			m := thread.LastMessage
			if thread.Subject != evil || !cmp.Equal(thread.Labels, []string{evil}) || thread.Contact.Name != evil || thread.Contact.Handle != evil || m.Text != evil {
				t.Errorf("the thread came back as %+v, %+v", thread, m)
			}
			var data map[string]string
			if err := json.Unmarshal(m.Data, &data); err != nil || data[evil] != evil {
				t.Errorf("the data came back as %s: %v", m.Data, err)
			}
			files := decode[rest.List[rest.Message]](t, a.get("/threads/"+got.ThreadID+"/messages"), http.StatusOK).Data[0].Attachments
			if len(files) != 1 || files[0].Name != evil || files[0].MIMEType != evil {
				t.Errorf("the file came back as %+v", files)
			}
			if again := a.event(http.StatusOK, body); again.MessageID != got.MessageID {
				t.Errorf("a repeat is %+v, not %+v", again, got)
			}
			if raw := a.count("SELECT count(*) FROM raw_payload WHERE body = $1", []byte(body)); raw != 1 {
				t.Errorf("%d raw payloads are byte for byte what was sent", raw)
			}
			q := decode[rest.List[rest.InboxThread]](t, a.get("/inbox?label="+url.QueryEscape(evil)), http.StatusOK)
			if len(q.Data) != 1 || q.Data[0].ID != thread.ID {
				t.Errorf("found by its label: %+v", q.Data)
			}
			decode[rest.List[rest.InboxThread]](t, a.get("/inbox?q="+url.QueryEscape(evil)+"&assignee="+url.QueryEscape("sub:"+evil)), http.StatusOK)
		})
	}
}

// A body of exactly the limit is taken, one byte more is not, whether or not its length is told.
func TestWebhookBodyLimit(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for name, c := range map[string]struct {
		limit int
		told  bool
		over  int
	}{
		"25 MiB":   {25 << 20, true, 26 << 20},
		"1 KiB":    {1 << 10, true, 25 << 20},
		"untold":   {1 << 20, false, 2 << 20},
		"the odds": {123_457, false, 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := start(t, db, func(i *inbox.Instance, _ *rest.Options) { i.BodyLimit = c.limit })
			post := func(size int) answer {
				t.Helper()
				const frame = `{"text": "big", "filling": ""}`
				body := frame[:len(frame)-2] + strings.Repeat("x", size-len(frame)) + frame[len(frame)-2:]
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.base+"/webhook/generic-webhook", io.MultiReader(strings.NewReader(body)))
				if err != nil {
					t.Fatal(err)
				}
				if c.told {
					r.ContentLength = int64(size)
				}
				r.Header.Set("X-API-Key", a.tenant.Key)
				return a.do(r)
			}
			decode[rest.WebhookAnswer](t, post(c.limit), http.StatusAccepted)
			for _, size := range []int{c.limit + 1, c.over} {
				e := post(size).problem(t, http.StatusRequestEntityTooLarge, "too_large")
				if !strings.Contains(e.Message, fmt.Sprint(c.limit)) {
					t.Errorf("%q does not tell the limit", e.Message)
				}
			}
			if n := a.count("SELECT count(*) FROM raw_payload WHERE instance_id = $1 AND length(body) = $2", a.tenant.ID, c.limit); n != 1 {
				t.Errorf("%d raw payloads of %d bytes", n, c.limit)
			}
		})
	}
}

// What does not fit into memory at once is refused, and taken when it comes again.
func TestWebhookManyLargeBodies(t *testing.T) {
	t.Parallel()
	const size = 512 << 10
	a := start(t, pgtest.New(t), func(_ *inbox.Instance, o *rest.Options) { o.MaxInFlight = 2*size + 100_000 })
	filling := bytes.Repeat([]byte("x"), size)
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := sync.NewCond(&mu)
	refused, accepted := 0, 0
	for i := range 64 {
		wg.Go(func() {
			body := fmt.Sprintf(`{"text": "big", "event_id": "%d", "filling": "%s"}`, i, filling)
			for {
				mu.Lock()
				seen := accepted
				mu.Unlock()
				r := a.call(http.MethodPost, "/webhook/generic-webhook", body)
				mu.Lock()
				if r.StatusCode == http.StatusAccepted {
					accepted++
					taken.Signal()
					mu.Unlock()
					return
				}
				refused++
				for accepted == seen { // room comes when another one is through
					taken.Wait()
				}
				mu.Unlock()
				r.problem(t, http.StatusServiceUnavailable, "unavailable")
				if r.Header.Get("Retry-After") == "" {
					t.Error("503 without Retry-After")
				}
			}
		})
	}
	wg.Wait()
	if refused == 0 {
		t.Error("nothing was refused")
	}
	if n := a.count("SELECT count(*) FROM message"); n != 64 {
		t.Errorf("%d messages", n)
	}
	if bytes := gauge(t, a.metrics, "socialops_ingest_in_flight_bytes"); bytes != 0 {
		t.Errorf("%v bytes are still in flight", bytes)
	}
}

// Whoever has not proven anything can't use up the memory of those who have.
func TestWebhookStrangersHaveHalf(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	a := start(t, pgtest.New(t), func(_ *inbox.Instance, o *rest.Options) { o.MaxInFlight = size + 1000 })
	a.prove("telegram", a.tenant.Account, a.tenant.TelegramSource, "token", "")
	body := `{"update_id": 1, "x": "` + strings.Repeat("x", size-100) + `"}`
	a.call(http.MethodPost, "/webhook/telegram", body, "X-API-Key:").problem(t, http.StatusServiceUnavailable, "unavailable")
	a.call(http.MethodPost, "/webhook/telegram", body[:size/4], "X-API-Key:").problem(t, http.StatusUnauthorized, "unauthorized")
	a.event(http.StatusAccepted, `{"text": "x", "filling": "`+strings.Repeat("x", size-100)+`"}`)
}
