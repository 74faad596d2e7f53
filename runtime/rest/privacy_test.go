package rest_test

import (
	"fmt"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

// No answer holds a provider's id of a thread, contact, message or file, nor
// anything that is only in a raw payload. The events are the providers' own
// fixtures, all of them; what must not be shown is what they left in the tables.
func TestNothingExternalIsShown(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	a.prove("telegram", a.tenant.Account, a.tenant.TelegramSource, "token", "")
	var said strings.Builder // every answer
	keep := func(r answer) answer {
		fmt.Fprintf(&said, "%v\n%s\n", r.Header, r.body)
		return r
	}
	accepted := map[string]int{}
	send := func(provider, body string, headers ...string) {
		t.Helper()
		r := keep(a.call(http.MethodPost, "/webhook/"+provider, body, headers...))
		switch r.StatusCode {
		case http.StatusAccepted:
			accepted[provider]++
		case http.StatusOK, http.StatusBadRequest:
		default:
			t.Errorf("%s: %s %s", provider, r.Status, r.body)
		}
	}
	send("generic-webhook", `{"event_id": "ext-event-1", "thread_id": "ext-thread-1", "message_id": "ext-message-1", "user": {"id": "ext-user-1", "name": "Ada"},
		"channel": "ext-channel-1", "title": "Hello", "text": "Shown", "unheard-of": "only-in-raw", "attachments": [{"url": "https://files.example/f"}]}`)
	send("generic-webhook", `{"event_id": "ext-event-2", "thread_id": "ext-thread-1", "parent_id": "ext-message-1", "text": "An answer", "unheard-of": "only-in-raw"}`)
	number := 0
	for _, body := range fixtures(t, "../provider/telegram/testdata/updates/*.json") {
		number++ // each is a message of its own
		body = regexp.MustCompile(`"(update_id|message_id)": ?[0-9]+`).ReplaceAllString(body, fmt.Sprintf(`"$1": %d`, 7_100_000+number))
		send("telegram", body, "X-API-Key:", "X-Telegram-Bot-Api-Secret-Token: token")
	}
	for path, body := range fixtures(t, "../provider/github/testdata/*/*.json") {
		send("github", body, "X-GitHub-Event: "+filepath.Base(filepath.Dir(path)), "X-GitHub-Delivery: ext-delivery-"+filepath.Base(path))
	}
	if accepted["telegram"] < 30 || accepted["github"] < 30 || accepted["generic-webhook"] != 2 {
		t.Errorf("accepted: %v", accepted)
	}

	var threads []string
	for _, path := range []string{"/inbox?limit=100&status=open,pending,resolved,archived", "/threads?limit=100"} {
		list := decode[rest.List[rest.InboxThread]](t, keep(a.get(path)), http.StatusOK)
		if list.Pagination.HasMore {
			t.Error("the fixtures make more threads than this test walks")
		}
		threads = threads[:0]
		for _, thread := range list.Data {
			threads = append(threads, thread.ID)
		}
	}
	keep(a.get("/inbox?limit=1"))
	for _, id := range threads {
		path := "/threads/" + id
		keep(a.get(path))
		keep(a.call(http.MethodPatch, path, `{"priority": "high"}`))
		keep(a.call(http.MethodPost, path+"/read", ""))
		keep(a.call(http.MethodPost, path+"/replies", `{"text": "thanks"}`))
		keep(a.call(http.MethodPost, path+"/notes", `{"text": "a note"}`))
		for _, m := range decode[rest.List[rest.Message]](t, keep(a.get(path+"/messages?limit=100")), http.StatusOK).Data {
			for _, f := range m.Attachments {
				keep(a.get("/attachments/" + f.ID))
			}
			keep(a.call(http.MethodPost, path+"/messages/"+m.ID+"/retry", ""))
		}
	}
	keep(a.get("/usage"))
	keep(a.get("/openapi.json"))
	end, err := a.store.LastEvent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := a.listen("?after=0")
	for l.next().Seq < end {
	}
	said.WriteString(l.raw.String())

	everything := said.String()
	if !strings.Contains(everything, "Shown") || !strings.Contains(everything, "Engine stops after 3 seconds") || len(threads) < 20 {
		t.Fatalf("the walk saw too little: %d threads, %d bytes", len(threads), len(everything))
	}
	// A page's address holds what the page is about, and GitHub's pictures the user's number.
	everything = regexp.MustCompile(`"(url|avatar_url)":"https://[^"]*"`).ReplaceAllString(everything, "")
	for _, secret := range append(a.externals(), "only-in-raw", "ext-event-1", "ext-delivery", "node_id", "language_code", "token\"") {
		if i := indexWord(everything, secret); i >= 0 {
			t.Errorf("%q is shown: …%s…", secret, everything[max(0, i-200):min(len(everything), i+80)])
		}
	}
	if log := a.logged(); strings.Contains(log, "Engine stops") || strings.Contains(log, "Shown") || strings.Contains(log, a.tenant.Key) || strings.Contains(log, "only-in-raw") || strings.Contains(log, "ext-thread-1") {
		t.Error("the log holds content, an external id or a key")
	}
}

// indexWord finds a word that is not part of a longer one.
func indexWord(text, word string) int {
	part := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] == '-' || text[i] == '_' || '0' <= text[i] && text[i] <= '9' || 'A' <= text[i] && text[i] <= 'Z' || 'a' <= text[i] && text[i] <= 'z')
	}
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return -1
		}
		if i += from; !part(i-1) && !part(i+len(word)) {
			return i
		}
		from = i + 1
	}
}

// fixtures reads files in the order of their paths.
func fixtures(t *testing.T, pattern string) iter.Seq2[string, string] {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures at %s: %v", pattern, err)
	}
	return func(yield func(string, string) bool) {
		for _, path := range paths {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !yield(path, string(body)) {
				return
			}
		}
	}
}

// externals are the providers' own ids in the instance's tables: those that are long
// enough to be told from other numbers.
func (a *app) externals() (ids []string) {
	a.t.Helper()
	const all = `
SELECT external_id FROM thread WHERE instance_id = $1 UNION SELECT target FROM thread WHERE instance_id = $1
UNION SELECT external_id FROM contact WHERE instance_id = $1 UNION SELECT external_id FROM message WHERE instance_id = $1
UNION SELECT ref FROM attachment WHERE instance_id = $1 UNION SELECT group_id FROM message WHERE instance_id = $1`
	rows, err := a.db.Owner.Query(a.t.Context(), all, a.tenant.ID)
	if err != nil {
		a.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id *string
		if err := rows.Scan(&id); err != nil {
			a.t.Fatal(err)
		}
		if id != nil && len(*id) >= 5 {
			ids = append(ids, *id)
		}
	}
	if err := rows.Err(); err != nil {
		a.t.Fatal(err)
	}
	if len(ids) < 50 {
		a.t.Errorf("only %d external ids are in the tables", len(ids))
	}
	return ids
}
