package rest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

func TestThread(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	made := a.event(http.StatusAccepted, specEvent)
	path := "/threads/" + made.ThreadID
	got := decode[rest.Envelope[rest.InboxThread]](t, a.get(path), http.StatusOK)
	if !got.Success {
		t.Error("success is false")
	}
	thread := got.Data
	if thread.ID != made.ThreadID || thread.Provider != "generic-webhook" || thread.Subject != "Incident opened" || thread.Status != inbox.Open ||
		thread.Priority != inbox.Normal || thread.UnreadCount != 1 || thread.Handler != inbox.HandledByAgents || string(thread.CustomData) != "{}" || thread.Assignee != nil {
		t.Errorf("thread: %+v", thread)
	}
	if diff := cmp.Diff([]string{"ops", "urgent"}, thread.Labels); diff != "" {
		t.Error(diff)
	}
	if thread.Contact == nil || thread.Contact.ID != thread.ContactID || thread.LastMessage == nil || thread.LastMessage.ID != made.MessageID || thread.LastMessage.Text != "API latency is high" {
		t.Errorf("contact %+v, last message %+v", thread.Contact, thread.LastMessage)
	}
	for _, step := range []struct {
		patch string
		check func(rest.InboxThread) bool
	}{
		{`{"status": "pending"}`, func(t rest.InboxThread) bool { return t.Status == inbox.Pending && t.Priority == inbox.Normal }},
		{`{"priority": "urgent", "status": "resolved"}`, func(t rest.InboxThread) bool { return t.Status == inbox.Resolved && t.Priority == inbox.Urgent }},
		{`{"assignee": "sub:ada@example.org"}`, func(t rest.InboxThread) bool {
			return t.Assignee != nil && t.Assignee.Subject == "ada@example.org" && t.Status == inbox.Resolved
		}},
		{`{"labels": [" ops ", "ops", "ü'\";--<b>"]}`, func(t rest.InboxThread) bool {
			return cmp.Equal(t.Labels, []string{"ops", "ü'\";--<b>"}) && t.Assignee != nil
		}},
		{`{"assignee": null}`, func(t rest.InboxThread) bool { return t.Assignee == nil && len(t.Labels) == 2 }},
		{`{"labels": []}`, func(t rest.InboxThread) bool { return t.Labels != nil && len(t.Labels) == 0 }},
		{`{"assignee": "sub:<script>'; DROP TABLE agent"}`, func(t rest.InboxThread) bool { return t.Assignee != nil }},
		{`{"assignee": ""}`, func(t rest.InboxThread) bool { return t.Assignee == nil }},
		{`{"status": null, "priority": "low"}`, func(t rest.InboxThread) bool { return t.Status == inbox.Resolved && t.Priority == inbox.Low }},
	} {
		got := decode[rest.Envelope[rest.InboxThread]](t, a.call(http.MethodPatch, path, step.patch), http.StatusOK).Data
		if !step.check(got) {
			t.Errorf("after %s: %+v", step.patch, got)
		}
		if diff := cmp.Diff(got, decode[rest.Envelope[rest.InboxThread]](t, a.get(path), http.StatusOK).Data); diff != "" {
			t.Errorf("after %s what was answered is not what is read: %s", step.patch, diff)
		}
	}
	read := decode[rest.Envelope[rest.ReadResult]](t, a.call(http.MethodPost, path+"/read", ""), http.StatusOK)
	if read.Data != (rest.ReadResult{ThreadID: made.ThreadID}) || decode[rest.Envelope[rest.InboxThread]](t, a.get(path), http.StatusOK).Data.UnreadCount != 0 {
		t.Errorf("read: %+v", read)
	}
	a.event(http.StatusAccepted, `{"thread_id": "incident_42", "text": "again"}`)
	if again := decode[rest.Envelope[rest.InboxThread]](t, a.get(path), http.StatusOK).Data; again.Status != inbox.Open || again.UnreadCount != 1 {
		t.Errorf("an inbound message left the thread %s with %d unread", again.Status, again.UnreadCount)
	}
	if n := a.count("SELECT count(*) FROM event WHERE type = 'thread.updated' AND actor = 'key:' || $1", keyID(a)); n == 0 {
		t.Error("the log does not name the key")
	}
}

func keyID(a *app) string {
	a.t.Helper()
	config, err := a.store.Config(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	return config.Keys[0].ID.String()
}

func TestCallsRefuse(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, other, reader := start(t, db), start(t, db), start(t, db)
	a.sql("UPDATE api_key SET scopes = '{socialops:read}' WHERE instance_id = $1", reader.tenant.ID)
	made := a.event(http.StatusAccepted, specEvent)
	theirs := other.event(http.StatusAccepted, specEvent)
	thread := "/threads/" + made.ThreadID
	absent := "/threads/" + inbox.NewID[inbox.ThreadID](time.Now()).String()
	replies := thread + "/replies"
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code, says         string
	}{
		"no key":                    {"GET", "/inbox", "", []string{"X-API-Key:"}, 401, "unauthorized", "X-API-Key"},
		"wrong key":                 {"GET", "/inbox", "", []string{"X-API-Key: sk_wrong"}, 401, "unauthorized", "key"},
		"another alias's key":       {"GET", "/inbox", "", []string{"X-API-Key: " + other.tenant.Key}, 401, "unauthorized", "alias"},
		"another alias's thread":    {"GET", "/threads/" + theirs.ThreadID, "", nil, 404, "not_found", "thread"},
		"patch another's thread":    {"PATCH", "/threads/" + theirs.ThreadID, `{"status": "resolved"}`, nil, 404, "not_found", "thread"},
		"answer another's thread":   {"POST", "/threads/" + theirs.ThreadID + "/replies", `{"text": "x"}`, nil, 404, "not_found", "thread"},
		"read another's thread":     {"POST", "/threads/" + theirs.ThreadID + "/read", "", nil, 404, "not_found", "thread"},
		"retry another's reply":     {"POST", "/threads/" + theirs.ThreadID + "/messages/" + theirs.MessageID + "/retry", "", nil, 404, "not_found", ""},
		"no such thread":            {"GET", absent, "", nil, 404, "not_found", "thread"},
		"messages of none":          {"GET", absent + "/messages", "", nil, 404, "not_found", "thread"},
		"no id":                     {"GET", "/threads/soth_xxx", "", nil, 404, "not_found", "soth_"},
		"a message's id":            {"GET", "/threads/" + made.MessageID, "", nil, 404, "not_found", "soth_"},
		"SQL as id":                 {"GET", "/threads/'%20OR%201=1", "", nil, 404, "not_found", "soth_"},
		"no such path":              {"GET", "/nothing", "", nil, 404, "not_found", "/docs"},
		"the root":                  {"GET", "/", "", nil, 404, "not_found", "/docs"},
		"slash at the end":          {"GET", "/inbox/", "", nil, 404, "not_found", "/docs"},
		"two slashes":               {"GET", "//inbox", "", nil, 404, "not_found", "/docs"},
		"dots":                      {"GET", "/threads/../inbox", "", nil, 404, "not_found", "/docs"},
		"method":                    {"DELETE", thread, "", nil, 405, "method_not_allowed", "GET, HEAD, PATCH"},
		"method of a list":          {"POST", "/inbox", "{}", nil, 405, "method_not_allowed", "GET"},
		"preflight":                 {"OPTIONS", "/inbox", "", []string{"Origin: https://evil.example"}, 405, "method_not_allowed", "GET"},
		"no body":                   {"POST", replies, "", nil, 400, "invalid", "JSON"},
		"malformed":                 {"POST", replies, `{"text": `, nil, 400, "invalid", "JSON"},
		"trailing":                  {"POST", replies, `{"text": "x"} y`, nil, 400, "invalid", "JSON"},
		"list":                      {"POST", replies, `["x"]`, nil, 400, "invalid", "object"},
		"null":                      {"POST", replies, `null`, nil, 400, "invalid", "object"},
		"no text":                   {"POST", replies, `{}`, nil, 400, "invalid", "text"},
		"empty text":                {"POST", replies, `{"text": ""}`, nil, 400, "invalid", "text"},
		"blank text":                {"POST", replies, `{"text": " \n\t "}`, nil, 400, "invalid", "blank"},
		"text of another type":      {"POST", replies, `{"text": 5}`, nil, 400, "invalid", "string"},
		"unknown field":             {"POST", replies, `{"text": "x", "txet": "y"}`, nil, 400, "invalid", "txet"},
		"unknown field of SQL":      {"POST", replies, `{"text": "x", "'; DROP TABLE message; --": 1}`, nil, 400, "invalid", "DROP"},
		"too long":                  {"POST", replies, `{"text": "` + strings.Repeat("é", 32769) + `"}`, nil, 400, "invalid", "65536"},
		"much too long":             {"POST", replies, `{"text": "` + strings.Repeat("x", 500_000) + `"}`, nil, 413, "too_large", "bytes"},
		"deep":                      {"POST", replies, `{"text": "x", "a": ` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, nil, 400, "invalid", "JSON"},
		"form":                      {"POST", replies, `{"text": "x"}`, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported_media_type", "Content-Type: application/json"},
		"parent is no id":           {"POST", replies, `{"text": "x", "parent_id": "7"}`, nil, 400, "invalid", "somsg_"},
		"parent elsewhere":          {"POST", replies, `{"text": "x", "parent_id": "` + theirs.MessageID + `"}`, nil, 422, "unprocessed", "thread"},
		"two parents":               {"POST", replies, `{"text": "x", "parent_id": "` + made.MessageID + `", "in_reply_to": "` + theirs.MessageID + `"}`, nil, 400, "invalid", "in_reply_to"},
		"reply to no thread":        {"POST", absent + "/replies", `{"text": "x"}`, nil, 404, "not_found", "thread"},
		"note to no thread":         {"POST", absent + "/notes", `{"text": "x"}`, nil, 404, "not_found", "thread"},
		"long idempotency key":      {"POST", replies, `{"text": "x"}`, []string{"Idempotency-Key: " + strings.Repeat("k", 256)}, 400, "invalid", "Idempotency-Key"},
		"odd idempotency key":       {"POST", replies, `{"text": "x"}`, []string{"Idempotency-Key: kéy"}, 400, "invalid", "Idempotency-Key"},
		"query of a post":           {"POST", replies + "?text=x", `{"text": "x"}`, nil, 400, "invalid", "no query"},
		"retry an inbound":          {"POST", thread + "/messages/" + made.MessageID + "/retry", "", nil, 404, "not_found", ""},
		"retry no id":               {"POST", thread + "/messages/x/retry", "", nil, 404, "not_found", "somsg_"},
		"empty patch":               {"PATCH", thread, `{}`, nil, 400, "invalid", "status, priority, assignee and labels"},
		"patch of nothing known":    {"PATCH", thread, `{"subject": "x"}`, nil, 400, "invalid", "subject"},
		"status unknown":            {"PATCH", thread, `{"status": "closed"}`, nil, 400, "invalid", "archived"},
		"status empty":              {"PATCH", thread, `{"status": ""}`, nil, 400, "invalid", "archived"},
		"status of another type":    {"PATCH", thread, `{"status": ["open"]}`, nil, 400, "invalid", "status"},
		"assignee of another type":  {"PATCH", thread, `{"assignee": {"id": 1}}`, nil, 400, "invalid", "assignee"},
		"assignee unknown":          {"PATCH", thread, `{"assignee": "` + inbox.NewID[inbox.AgentID](time.Now()).String() + `"}`, nil, 422, "unprocessed", "agent"},
		"assignee is no name":       {"PATCH", thread, `{"assignee": "ada"}`, nil, 422, "unprocessed", "sub:"},
		"assignee with NUL":         {"PATCH", thread, `{"assignee": "sub:a\u0000b"}`, nil, 400, "invalid", "U+0000"},
		"blank label":               {"PATCH", thread, `{"labels": ["a", " "]}`, nil, 400, "invalid", "blank"},
		"long label":                {"PATCH", thread, `{"labels": ["` + strings.Repeat("l", 101) + `"]}`, nil, 400, "invalid", "100"},
		"label of another type":     {"PATCH", thread, `{"labels": [5]}`, nil, 400, "invalid", "labels"},
		"too many labels":           {"PATCH", thread, `{"labels": ["` + strings.Join(strings.Fields(strings.Repeat("l ", 51)), `","`) + `"]}`, nil, 400, "invalid", "50"},
		"usage backwards":           {"GET", "/usage?from=2026-02-01&to=2026-01-01", "", nil, 400, "invalid", "before"},
		"usage of too long":         {"GET", "/usage?from=2024-01-01&to=2026-01-01", "", nil, 400, "invalid", "366"},
		"usage of no time":          {"GET", "/usage?from=yesterday", "", nil, 400, "invalid", "2026-11-01"},
		"no such attachment":        {"GET", "/attachments/" + inbox.NewID[inbox.AttachmentID](time.Now()).String(), "", nil, 404, "not_found", "attachment"},
		"attachment without an id":  {"GET", "/attachments/passwd", "", nil, 404, "not_found", "soatt_"},
		"attachment outside":        {"GET", "/attachments/..%2f..%2fetc%2fpasswd", "", nil, 404, "not_found", "/docs"},
		"events from nowhere":       {"GET", "/events?after=x", "", nil, 400, "invalid", "after"},
		"events from before":        {"GET", "/events?after=-1", "", nil, 400, "invalid", "after"},
		"events from the future":    {"GET", "/events", "", []string{"Last-Event-ID: 999999999"}, 400, "invalid", "ends at"},
		"query of the document":     {"POST", "/openapi.json", "{}", nil, 405, "method_not_allowed", "GET"},
		"body over the line":        {"PATCH", thread, `{"labels": ["` + strings.Repeat("x", 400_000) + `"]}`, nil, 413, "too_large", "bytes"},
		"idempotent but blank text": {"POST", thread + "/notes", `{"text": " "}`, []string{"Idempotency-Key: k"}, 400, "invalid", "blank"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := a.call(c.method, c.path, c.body, c.headers...)
			e := r.problem(t, c.status, c.code)
			if !strings.Contains(e.Message, c.says) || len(e.Message) > 500 {
				t.Errorf("%q does not mention %q", e.Message, c.says)
			}
			if c.status == http.StatusUnauthorized && r.Header.Get("WWW-Authenticate") == "" {
				t.Error("without WWW-Authenticate")
			}
			if c.status == http.StatusMethodNotAllowed && r.Header.Get("Allow") == "" {
				t.Error("without Allow")
			}
			for _, cors := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Headers"} {
				if r.Header.Get(cors) != "" {
					t.Errorf("%s: %s", cors, r.Header.Get(cors))
				}
			}
		})
	}
	for _, c := range [][2]string{{"PATCH", thread}, {"POST", replies}, {"POST", thread + "/notes"}, {"POST", thread + "/read"}, {"POST", thread + "/messages/" + made.MessageID + "/retry"}} {
		r := reader.call(c[0], c[1], `{"text": "x"}`)
		if e := r.problem(t, http.StatusForbidden, "forbidden"); !strings.Contains(e.Message, inbox.ScopeWrite) {
			t.Errorf("%s %s with a key that may only read: %q", c[0], c[1], e.Message)
		}
	}
	decode[rest.List[rest.InboxThread]](t, reader.get("/inbox"), http.StatusOK)
	t.Cleanup(func() {
		if n := a.count("SELECT count(*) FROM message WHERE origin = 'ours'"); n != 0 {
			t.Errorf("%d messages came of refused calls", n)
		}
	})
}

func TestErrorDetails(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	made := a.event(http.StatusAccepted, specEvent)
	e := a.call(http.MethodPatch, "/threads/"+made.ThreadID, `{"status": "closed", "priority": 7, "secret-field": "secret-value"}`).problem(t, 400, "invalid")
	text := fmt.Sprint(e.Details)
	for _, want := range []string{"body.status", "body.priority", "body.secret-field"} {
		if !strings.Contains(text, want) {
			t.Errorf("the details %s do not list %s", text, want)
		}
	}
	if strings.Contains(text, "secret-value") {
		t.Errorf("the details repeat values: %s", text)
	}
}

// An alias that this server does not serve looks the same whoever asks for it.
func TestUnknownAlias(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	a.base = strings.TrimSuffix(a.base, a.tenant.Alias) + "nobody"
	for _, path := range []string{"/inbox", "/webhook/generic-webhook", "/docs", ""} {
		a.get(path).problem(t, http.StatusNotFound, "not_found")
	}
	a.call(http.MethodPost, "/webhook/generic-webhook", specEvent).problem(t, http.StatusNotFound, "not_found")
	a.base = strings.TrimSuffix(a.base, "/v1/apps/socialops/nobody")
	for _, path := range []string{"/", "/v1/apps/socialops/", "/v2/apps/socialops/" + a.tenant.Alias + "/inbox", "/healthz"} {
		a.get(path).problem(t, http.StatusNotFound, "not_found")
	}
}
