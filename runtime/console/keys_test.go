package console_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

// nativeStatus is what the tenant's own API answers to a key.
func (a *app) nativeStatus(key string) int {
	r := httptest.NewRequestWithContext(a.t.Context(), http.MethodGet, rest.BasePath+a.tenant.Alias+"/inbox", http.NoBody)
	r.Header.Set("X-API-Key", key)
	w := httptest.NewRecorder()
	a.native.ServeHTTP(w, r)
	return w.Code
}

// A key is shown once, kept as a hash, works, and works no longer once it is revoked.
func TestKeys(t *testing.T) {
	t.Parallel()
	a := start(t)
	made := data[console.CreatedKey](t, a.call("alice m", http.MethodPost, "/keys", `{"name": " monitoring ", "scopes": ["socialops:read"], "expires_in_days": 90}`), 201)
	if !strings.HasPrefix(made.Value, "sk_") || made.Name != "monitoring" || made.Origin != "api" || made.ExpiresAt == nil || !strings.HasSuffix(made.Value, strings.TrimPrefix(made.Hint, "…")) {
		t.Errorf("made: %+v", made)
	}
	list := a.call("alice r", http.MethodGet, "/keys", "")
	if strings.Contains(string(list.body), made.Value) || strings.Contains(a.log.String(), made.Value) {
		t.Error("the key is shown again")
	}
	if n := a.count("SELECT count(*) FROM api_key WHERE api_key::text LIKE '%' || $1 || '%'", made.Value); n != 0 {
		t.Error("the key itself is kept")
	}
	if got := a.nativeStatus(made.Value); got != http.StatusOK {
		t.Errorf("with the new key: %d", got)
	}
	gone := data[console.Key](t, a.call("alice m", http.MethodDelete, "/keys/"+made.ID, ""), 200)
	if gone.RevokedAt == nil {
		t.Errorf("revoked: %+v", gone)
	}
	data[console.Key](t, a.call("alice m", http.MethodDelete, "/keys/"+made.ID, ""), 200)
	if got, want := a.trail("people=true"), []string{"key.revoked Alice", "key.created Alice"}; !slices.Equal(got, want) {
		t.Errorf("the trail: %q, want %q", got, want)
	}
	keys := data[[]console.Key](t, a.call("alice r", http.MethodGet, "/keys", ""), 200)
	manifest := keys[slices.IndexFunc(keys, func(k console.Key) bool { return k.Origin == "manifest" })]
	a.call("alice m", http.MethodDelete, "/keys/"+manifest.ID, "").problem(t, 409, inbox.CodeConflict)
	a.call("alice m", http.MethodDelete, "/keys/sokey_01kc0w3v2pf0bvd9m4v9wq7x5e", "").problem(t, 404, inbox.CodeNotFound)
	for name, body := range map[string]string{
		"a scope that is none": `{"name": "x", "scopes": ["socialops:admin"]}`, "no scopes": `{"name": "x", "scopes": []}`,
		"no name": `{"name": " ", "scopes": ["socialops:read"]}`, "no days": `{"name": "x", "scopes": ["socialops:read"], "expires_in_days": -1}`,
	} {
		if r := a.call("alice m", http.MethodPost, "/keys", body); r.StatusCode != 400 {
			t.Errorf("%s: %s %s", name, r.Status, r.body)
		}
	}
}

// Texts are everybody's at the inbox, views one's own unless they are shared.
func TestTextsAndViews(t *testing.T) {
	t.Parallel()
	a := start(t)
	hello := data[console.CannedText](t, a.call("alice m", http.MethodPost, "/canned", `{"name": "Hello", "text": "Hello!\nHow can we help?"}`), 201)
	if field := blames(t, a.call("alice m", http.MethodPost, "/canned", `{"name": " Hello", "text": "x"}`).problem(t, 409, inbox.CodeConflict)); field != "body.name" {
		t.Errorf("blames %s", field)
	}
	changed := data[console.CannedText](t, a.call("alice m", http.MethodPut, "/canned/"+hello.ID, `{"name": "Greeting", "text": "Hi!"}`), 200)
	if list := data[[]console.CannedText](t, a.call("alice r", http.MethodGet, "/canned", ""), 200); len(list) != 1 || list[0].Text != "Hi!" || changed.ID != hello.ID {
		t.Errorf("texts: %+v", list)
	}
	a.call("alice m", http.MethodPost, "/canned", `{"name": "x", "text": "`+strings.Repeat("é", 33_000)+`"}`).problem(t, 400, inbox.CodeInvalid)
	data[console.Removed](t, a.call("alice m", http.MethodDelete, "/canned/"+hello.ID, ""), 200)
	a.call("alice m", http.MethodDelete, "/canned/"+hello.ID, "").problem(t, 404, inbox.CodeNotFound)
	a.call("alice m", http.MethodPut, "/canned/"+hello.ID, `{"name": "x", "text": "y"}`).problem(t, 404, inbox.CodeNotFound)

	mine := data[console.SavedView](t, a.call("alice r", http.MethodPost, "/views", `{"name": "Mine", "query": "?status=open&assignee=me"}`), 201)
	if mine.Query != "status=open&assignee=me" || !mine.Mine || mine.Shared {
		t.Errorf("mine: %+v", mine)
	}
	a.call("alice r", http.MethodPost, "/views", `{"name": "x", "query": "", "shared": true}`).problem(t, 403, inbox.CodeForbidden)
	shared := data[console.SavedView](t, a.call("alice m", http.MethodPut, "/views/"+mine.ID, `{"name": "Ours", "query": "status=open", "shared": true}`), 200)
	if !shared.Shared || shared.Name != "Ours" {
		t.Errorf("shared: %+v", shared)
	}
	a.call("alice r", http.MethodPost, "/views", `{"name": "x", "query": "%zz"}`).problem(t, 400, inbox.CodeInvalid)

	// Somebody else's view: shared it is seen, and can't be changed; not shared it is not there.
	a.sql(`INSERT INTO agent (instance_id, id, subject, name) VALUES ($1, gen_random_uuid(), 'zoe', 'Zoe')`, a.tenant.ID)
	a.sql(`UPDATE saved_view SET agent_id = (SELECT id FROM agent WHERE instance_id = $1 AND subject = 'zoe') WHERE instance_id = $1`, a.tenant.ID)
	if list := data[[]console.SavedView](t, a.call("alice r", http.MethodGet, "/views", ""), 200); len(list) != 1 || list[0].Mine || !list[0].Shared {
		t.Errorf("another's: %+v", list)
	}
	a.call("alice m", http.MethodPut, "/views/"+mine.ID, `{"name": "x", "query": ""}`).problem(t, 403, inbox.CodeForbidden)
	a.call("alice m", http.MethodDelete, "/views/"+mine.ID, "").problem(t, 403, inbox.CodeForbidden)
	a.sql(`UPDATE saved_view SET shared = false WHERE instance_id = $1`, a.tenant.ID)
	a.call("alice m", http.MethodPut, "/views/"+mine.ID, `{"name": "x", "query": ""}`).problem(t, 404, inbox.CodeNotFound)
	a.sql(`UPDATE saved_view SET agent_id = (SELECT id FROM agent WHERE instance_id = $1 AND subject = 'alice') WHERE instance_id = $1`, a.tenant.ID)
	data[console.Removed](t, a.call("alice r", http.MethodDelete, "/views/"+mine.ID, ""), 200)
	a.call("alice r", http.MethodDelete, "/views/"+mine.ID, "").problem(t, 404, inbox.CodeNotFound)
}
