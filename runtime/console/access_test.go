package console_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/inbox"
)

// described is a call as the document has it.
type described struct {
	method, path, id string
	permission       string // that it needs; empty: none
	body             bool
}

// calls are all that the document describes, with ids that can be.
func (a *app) calls() (all []described) {
	a.t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string
			Security    []map[string][]string
			RequestBody *struct{}
		}
	}
	r := a.call("", http.MethodGet, console.BasePath+"/openapi.json", "")
	if err := json.Unmarshal(r.body, &doc); err != nil {
		a.t.Fatal(err)
	}
	ids := strings.NewReplacer(
		"{thread_id}", "soth_01kc0w3v2pf0bvd9m4v9wq7x5e", "{message_id}", "somsg_01kc0w3v2pf0bvd9m4v9wq7x5e", "{attachment_id}", "soatt_01kc0w3v2pf0bvd9m4v9wq7x5e",
		"{channel_id}", "soch_01kc0w3v2pf0bvd9m4v9wq7x5e", "{key_id}", "sokey_01kc0w3v2pf0bvd9m4v9wq7x5e",
		"{canned_id}", "socan_01kc0w3v2pf0bvd9m4v9wq7x5e", "{view_id}", "soview_01kc0w3v2pf0bvd9m4v9wq7x5e",
	)
	for path, item := range doc.Paths {
		for method, op := range item {
			c := described{method: strings.ToUpper(method), path: console.BasePath + ids.Replace(path), id: op.OperationID, body: op.RequestBody != nil}
			if len(op.Security) > 0 {
				c.permission = op.Security[0]["token"][0]
			}
			all = append(all, c)
		}
	}
	return all
}

// at names the inbox of a path.
func (c described) at(alias string) string { return strings.Replace(c.path, "{alias}", alias, 1) }

func (c described) ofAlias() bool { return strings.Contains(c.path, "{alias}") }

// Every call there is, with every way not to be let in.
func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	a := start(t)
	foreign := a.db.Instance(t, func(i *inbox.Instance) { i.Owner = "bob" })
	a.people.expires["alice rma"] = time.Now().Add(time.Hour)
	a.people.expires["alice rm"] = time.Now().Add(-time.Second)
	calls := a.calls()
	if len(calls) < 35 {
		t.Fatalf("the document describes %d calls", len(calls))
	}
	open := []string{"get-config", "create-session"}
	writes := 0
	for _, c := range calls {
		body := ""
		if c.body {
			body = "{}"
		}
		if slices.Contains(open, c.id) != (c.permission == "") {
			t.Errorf("%s needs %q", c.id, c.permission)
		}
		if c.permission == "" {
			continue
		}
		ask := func(who, alias string) answer { return a.call(who, c.method, c.at(alias), body) }
		for _, who := range []string{"", "nonsense", "alice rm", strings.Repeat("x", 17<<10)} {
			r := ask(who, a.tenant.Alias)
			r.problem(t, http.StatusUnauthorized, inbox.CodeUnproven)
			if !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), `Bearer realm="socialops"`) {
				t.Errorf("%s: WWW-Authenticate: %q", c.id, r.Header.Get("WWW-Authenticate"))
			}
		}
		ask("away r", a.tenant.Alias).problem(t, http.StatusServiceUnavailable, inbox.CodeUnavailable)
		forbidden := []string{"alice -"}
		switch c.permission {
		case console.PermissionManage:
			writes++
			forbidden = append(forbidden, "alice r", "alice a")
		case console.PermissionRead:
			forbidden = append(forbidden, "alice a")
		case console.DefaultAdminPermission:
			forbidden = append(forbidden, "alice r", "alice m")
		default:
			t.Errorf("%s needs %q", c.id, c.permission)
		}
		for _, who := range forbidden {
			r := ask(who, a.tenant.Alias)
			if r.problem(t, http.StatusForbidden, inbox.CodeForbidden); !strings.Contains(r.Header.Get("WWW-Authenticate"), `scope="`+c.permission+`"`) {
				t.Errorf("%s as %q: WWW-Authenticate: %q", c.id, who, r.Header.Get("WWW-Authenticate"))
			}
		}
		if c.ofAlias() && c.permission != console.DefaultAdminPermission {
			// Another's inbox and one that is not there can't be told apart.
			theirs := ask("alice rma", foreign.Alias).problem(t, http.StatusNotFound, inbox.CodeNotFound)
			none := ask("alice rma", "nowhere").problem(t, http.StatusNotFound, inbox.CodeNotFound)
			if theirs.Message != none.Message {
				t.Errorf("%s: %q, but %q", c.id, theirs.Message, none.Message)
			}
		}
		// The same call is let in: what comes of it is another matter.
		if c.id != "stream-events" {
			if r := ask("alice rma", a.tenant.Alias); r.StatusCode == 401 || r.StatusCode == 403 || r.StatusCode >= 500 {
				t.Errorf("%s: %s %s", c.id, r.Status, r.body)
			}
		}
	}
	if writes < 14 {
		t.Errorf("%d calls need service:manage", writes)
	}
	if n := a.count("SELECT count(*) FROM event WHERE instance_id = $1", foreign.ID); n != 0 {
		t.Errorf("%d events in another's inbox", n)
	}
}

// What a call does not know is refused, wherever it stands.
func TestUnknownInput(t *testing.T) {
	t.Parallel()
	a := start(t)
	for _, c := range a.calls() {
		body := ""
		if c.body {
			body = "{}"
		}
		e := a.call("alice rma", c.method, c.at(a.tenant.Alias)+"?nonsense=1", body).problem(t, http.StatusBadRequest, inbox.CodeInvalid)
		if !strings.Contains(e.Message, "query") {
			t.Errorf("%s: %s", c.id, e.Message)
		}
		if !c.body {
			continue
		}
		a.call("alice rma", c.method, c.at(a.tenant.Alias), `{"nonsense": 1}`).problem(t, http.StatusBadRequest, inbox.CodeInvalid)
		a.call("alice rma", c.method, c.at(a.tenant.Alias), `{"text": `).problem(t, http.StatusBadRequest, inbox.CodeInvalid)
		a.call("alice rma", c.method, c.at(a.tenant.Alias), `<x/>`, "Content-Type: text/xml").problem(t, http.StatusUnsupportedMediaType, "unsupported_media_type")
		a.call("alice rma", c.method, c.at(a.tenant.Alias), `{"text": "`+strings.Repeat("x", 500_000)+`"}`).problem(t, http.StatusRequestEntityTooLarge, inbox.CodeTooLarge)
	}
	for _, path := range []string{console.BasePath, console.BasePath + "/", console.BasePath + "/nowhere/at/all", console.BasePath + "/" + a.tenant.Alias, console.BasePath + "/./me"} {
		a.call("alice rma", http.MethodGet, path, "").problem(t, http.StatusNotFound, inbox.CodeNotFound)
	}
	a.call("alice rma", http.MethodPut, "/inbox", "{}").problem(t, http.StatusMethodNotAllowed, "method_not_allowed")
}

// A new instance is there at once, and one that changes hands is so within seconds.
func TestOwnership(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var ahead time.Duration
	a := start(t, func(_ *app, o *console.Options) { o.Now = func() time.Time { return now.Add(ahead) } })
	inboxOf := func(alias string) answer {
		return a.call("carol rm", http.MethodGet, console.BasePath+"/"+alias+"/inbox", "")
	}
	inboxOf("hers").problem(t, http.StatusNotFound, inbox.CodeNotFound)
	hers := a.db.Instance(t, func(i *inbox.Instance) { i.Alias, i.Owner = "hers", "carol" })
	if r := inboxOf("hers"); r.StatusCode != http.StatusOK {
		t.Errorf("a new instance: %s", r.body)
	}
	a.sql("UPDATE instance SET owner = 'dave' WHERE id = $1", hers.ID)
	ahead = 6 * time.Second
	inboxOf("hers").problem(t, http.StatusNotFound, inbox.CodeNotFound)
	a.sql("UPDATE instance SET owner = 'carol', suspended = true WHERE id = $1", hers.ID)
	if r := inboxOf("hers"); r.StatusCode != http.StatusOK {
		t.Errorf("a suspended instance is read: %s", r.body)
	}
	a.call("carol rm", http.MethodPost, console.BasePath+"/hers/canned", `{"name": "n", "text": "t"}`).problem(t, http.StatusConflict, inbox.CodeConflict)
	// A name that changes at the issuer changes here.
	agents := func() (names []string) {
		for _, ag := range data[[]struct{ ID, Subject, Name string }](t, a.call("carol r", http.MethodGet, console.BasePath+"/hers/agents", ""), 200) {
			names = append(names, ag.Subject+" "+ag.Name)
		}
		return names
	}
	a.sql("INSERT INTO agent (instance_id, id, subject, name) VALUES ($1, gen_random_uuid(), 'carol', 'Former name')", hers.ID)
	if got := agents(); !slices.Equal(got, []string{"carol Carol"}) {
		t.Errorf("agents: %v", got)
	}
}
