package console_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

// Each thread of a bulk change is changed by itself.
func TestBulk(t *testing.T) {
	t.Parallel()
	a := start(t)
	foreign := a.db.Instance(t)
	var ids []string
	for i := range 3 {
		ids = append(ids, a.event(fmt.Sprintf(`{"event_id": "%d", "thread_id": "%[1]d", "text": "x", "user": {"id": "u"}, "labels": ["kept", "old"]}`, i)).ThreadID)
	}
	a.sql(`INSERT INTO thread_label (instance_id, thread_id, label, status, last_activity_at)
	       SELECT instance_id, thread_id, 'l' || n, status, last_activity_at FROM thread_state, generate_series(1, 48) n WHERE instance_id = $1 AND thread_id = (SELECT id FROM thread WHERE instance_id = $1 AND external_id = '2')`, a.tenant.ID)
	theirs := foreign.ID.UUID()
	body := fmt.Sprintf(`{"thread_ids": [%q, "soth_01kc0w3v2pf0bvd9m4v9wq7x5e", "nonsense", %q, %q, %q], "status": "resolved", "priority": "high", "assignee": "sub:alice", "add_labels": ["new"], "remove_labels": ["old", "absent"]}`,
		ids[0], theirs, ids[1], ids[2])
	got := data[console.BulkResults](t, a.call("alice m", http.MethodPost, "/bulk", body), 200).Results
	var ok []bool
	for _, r := range got {
		ok = append(ok, r.OK)
		if r.OK != (r.Error == nil) || r.OK != (r.Thread != nil) {
			t.Errorf("%+v", r)
		}
		if r.OK && (r.Thread.Status != "resolved" || r.Thread.Priority != "high" || r.Thread.Assignee == nil || slices.Contains(r.Thread.Labels, "old") || !slices.Contains(r.Thread.Labels, "new") || !slices.Contains(r.Thread.Labels, "kept")) {
			t.Errorf("changed: %+v", r.Thread)
		}
		if !r.OK && r.Error.Code != inbox.CodeNotFound {
			t.Errorf("%s: %+v", r.ThreadID, r.Error)
		}
	}
	if !slices.Equal(ok, []bool{true, false, false, false, true, true}) {
		t.Errorf("results: %+v", got)
	}
	crowded := data[console.BulkResults](t, a.call("alice m", http.MethodPost, "/bulk", fmt.Sprintf(`{"thread_ids": [%q], "add_labels": ["one more"]}`, ids[2])), 200).Results[0]
	if crowded.OK || crowded.Error.Code != inbox.CodeUnprocessed || !strings.Contains(crowded.Error.Message, "50") {
		t.Errorf("with 51 labels: %+v", crowded)
	}
	for name, body := range map[string]string{
		"nothing to change": fmt.Sprintf(`{"thread_ids": [%q]}`, ids[0]),
		"no threads":        `{"thread_ids": [], "status": "open"}`,
		"too many threads":  `{"thread_ids": ["` + strings.Repeat(`x","`, 100) + `x"], "status": "open"}`,
		"an empty label":    fmt.Sprintf(`{"thread_ids": [%q], "add_labels": [""]}`, ids[0]),
		"no such status":    fmt.Sprintf(`{"thread_ids": [%q], "status": "done"}`, ids[0]),
	} {
		if r := a.call("alice m", http.MethodPost, "/bulk", body); r.StatusCode != 400 {
			t.Errorf("%s: %s %s", name, r.Status, r.body)
		}
	}
	nobody := data[console.BulkResults](t, a.call("alice m", http.MethodPost, "/bulk", fmt.Sprintf(`{"thread_ids": [%q], "assignee": null}`, ids[0])), 200).Results[0]
	if !nobody.OK || nobody.Thread.Assignee != nil {
		t.Errorf("for nobody: %+v", nobody)
	}
	if rows := a.trail("type=thread.updated&people=true"); rows[0] != "thread.updated Alice assignee" || !slices.Contains(rows, "thread.updated Alice status priority assignee") || !slices.Contains(rows, "thread.updated Alice labels") {
		t.Errorf("the trail: %q", rows)
	}
}

func TestCountsAndLabels(t *testing.T) {
	t.Parallel()
	a := start(t)
	for i := range 3 {
		a.event(fmt.Sprintf(`{"event_id": "%d", "thread_id": "%[1]d", "text": "x", "title": "Title", "user": {"id": "u"}, "labels": ["l%[1]d", "all"]}`, i))
	}
	got := data[console.Counts](t, a.call("alice r", http.MethodGet, "/counts?view=status%3Dopen&view=label%3Dl1&view=assignee%3Dsub%3Aalice&view=q%3Dtitle", ""), 200)
	if !slices.Equal(got.Counts, []int{3, 1, 0, 3}) {
		t.Errorf("counts: %v", got)
	}
	if got := data[console.Counts](t, a.call("alice r", http.MethodGet, "/counts", ""), 200); len(got.Counts) != 0 {
		t.Errorf("of nothing: %v", got)
	}
	if e := a.call("alice r", http.MethodGet, "/counts?view=status%3Dopen&view=status%3Dnonsense", "").problem(t, 400, inbox.CodeInvalid); !strings.Contains(e.Message, "number 2") {
		t.Errorf("%s", e.Message)
	}
	a.call("alice r", http.MethodGet, "/counts?"+strings.Repeat("view=status%3Dopen&", 21), "").problem(t, 400, inbox.CodeInvalid)
	if got := data[[]string](t, a.call("alice r", http.MethodGet, "/labels?prefix=l", ""), 200); !slices.Equal(got, []string{"l0", "l1", "l2"}) {
		t.Errorf("labels: %v", got)
	}
}

// What a provider sent is shown to those who may change things, after the trail has it.
// No other answer holds a provider's own ids.
func TestRaw(t *testing.T) {
	t.Parallel()
	a := start(t)
	const planted = "ext-planted"
	got := a.event(`{"event_id": "ext-planted-event", "thread_id": "ext-planted-thread", "message_id": "ext-planted-message", "text": "Shown", "user": {"id": "ext-planted-user", "name": "Ada"}, "other": "<b>only here</b>"}`)
	thread := "/threads/" + got.ThreadID
	message := decode[rest.List[rest.Message]](t, a.call("alice r", http.MethodGet, thread+"/messages", ""), 200).Data[0]
	path := thread + "/messages/" + message.ID + "/raw"
	a.call("alice r", http.MethodPost, path, "").problem(t, 403, inbox.CodeForbidden)
	if n := a.count("SELECT count(*) FROM event WHERE type = 'raw.shown'"); n != 0 {
		t.Errorf("who may not look is in the trail %d times", n)
	}
	raw := data[console.RawMessage](t, a.call("alice m", http.MethodPost, path, ""), 200)
	if raw.ExternalThreadID != "ext-planted-thread" || raw.ExternalMessageID != "ext-planted-message" || len(raw.Payloads) != 1 ||
		raw.Payloads[0].Encoding != "utf-8" || !strings.Contains(raw.Payloads[0].Body, "<b>only here</b>") || !strings.HasPrefix(raw.Payloads[0].ContentType, "application/json") {
		t.Errorf("raw: %+v", raw)
	}
	if rows := a.trail("people=true"); !slices.Equal(rows, []string{"raw.shown Alice"}) {
		t.Errorf("the trail: %q", rows)
	}
	a.call("alice m", http.MethodPost, thread+"/messages/somsg_01kc0w3v2pf0bvd9m4v9wq7x5e/raw", "").problem(t, 404, inbox.CodeNotFound)
	a.call("alice m", http.MethodPost, "/threads/soth_01kc0w3v2pf0bvd9m4v9wq7x5e/messages/"+message.ID+"/raw", "").problem(t, 404, inbox.CodeNotFound)

	asked := 0
	for _, c := range a.calls() {
		if c.method != http.MethodGet || c.id == "stream-events" {
			continue
		}
		asked++
		p := strings.NewReplacer("soth_01kc0w3v2pf0bvd9m4v9wq7x5e", got.ThreadID).Replace(c.at(a.tenant.Alias))
		if r := a.call("alice rma", c.method, p, ""); strings.Contains(string(r.body)+fmt.Sprint(r.Header), planted) || strings.Contains(string(r.body), "only here") {
			t.Errorf("%s shows what only raw may:\n%s", c.id, r.body)
		}
	}
	if asked < 15 {
		t.Errorf("%d calls were asked", asked)
	}
	if log := a.log.String(); strings.Contains(log, planted) || strings.Contains(log, "only here") {
		t.Errorf("the log has it:\n%s", log)
	}
}
