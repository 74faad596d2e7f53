package rest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

func TestFilters(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	threads := map[string]string{} // from a name here to its id
	for _, e := range []string{
		`{"thread_id": "plain", "title": "Printer on fire", "text": "x"}`,
		`{"thread_id": "urgent", "title": "Database on fire", "text": "x", "priority": "urgent", "labels": ["ops", "db"]}`,
		`{"thread_id": "pending", "title": "Waiting for parts", "text": "x", "labels": ["ops"]}`,
		`{"thread_id": "resolved", "title": "Coffee machine", "text": "x", "priority": "low"}`,
		`{"thread_id": "archived", "title": "Old fire", "text": "x"}`,
	} {
		name, _, _ := strings.Cut(strings.TrimPrefix(e, `{"thread_id": "`), `"`)
		threads[name] = a.event(http.StatusAccepted, e).ThreadID
	}
	threads["telegram"] = decode[rest.WebhookAnswer](t, a.call(http.MethodPost, "/webhook/telegram", telegramUpdate), http.StatusAccepted).ThreadID
	for _, name := range []string{"pending", "resolved", "archived"} {
		decode[rest.Envelope[rest.InboxThread]](t, a.call(http.MethodPatch, "/threads/"+threads[name], `{"status": "`+name+`"}`), http.StatusOK)
	}
	agent := decode[rest.Envelope[rest.InboxThread]](t, a.call(http.MethodPatch, "/threads/"+threads["urgent"], `{"assignee": "sub:ada"}`), http.StatusOK).Data.Assignee
	if agent == nil || agent.Subject != "ada" {
		t.Fatalf("assignee: %+v", agent)
	}
	const all = "plain urgent pending resolved archived telegram"
	for query, want := range map[string]struct{ inbox, threads string }{
		"":                                      {"plain urgent pending telegram", all},
		"status=open":                           {"plain urgent telegram", "plain urgent telegram"},
		"status=resolved,archived":              {"resolved archived", "resolved archived"},
		"status=open,pending,resolved,archived": {all, all},
		"status=":                               {"plain urgent pending telegram", all},
		"priority=urgent":                       {"urgent", "urgent"},
		"priority=low":                          {"", "resolved"},
		"provider=telegram":                     {"telegram", "telegram"},
		"provider=github":                       {"", ""},
		"label=ops":                             {"urgent pending", "urgent pending"},
		"label=ops&status=open":                 {"urgent", "urgent"},
		"label=op":                              {"", ""},
		"assignee=sub:ada":                      {"urgent", "urgent"},
		"assignee=" + agent.ID:                  {"urgent", "urgent"},
		"assignee=sub:nobody-yet":               {"", ""},
		"assignee=none":                         {"plain pending telegram", "plain pending resolved archived telegram"},
		"q=fire":                                {"plain urgent", "plain urgent archived"},
		"q=fire+database":                       {"urgent", "urgent"},
		"q=FIRE&priority=normal&status=open":    {"plain", "plain"},
		"q=" + url.QueryEscape("nothing' OR 1=1 --"): {"", ""},
		"q=" + url.QueryEscape("<script>"):           {"", ""},
		"label=" + url.QueryEscape(`'";--`):          {"", ""},
		"status=open&priority=high&limit=50":         {"", ""},
	} {
		for path, want := range map[string]string{"/inbox": want.inbox, "/threads": want.threads} {
			t.Run(path+"?"+query, func(t *testing.T) {
				t.Parallel()
				list := decode[rest.List[rest.InboxThread]](t, a.get(path+"?"+query), http.StatusOK)
				var got []string
				for _, thread := range list.Data {
					for name, id := range threads {
						if id == thread.ID {
							got = append(got, name)
						}
					}
					if withContact := thread.LastMessage != nil; withContact != (path == "/inbox") {
						t.Errorf("last message: %+v", thread.LastMessage)
					}
				}
				wanted := strings.Fields(want)
				slices.Sort(wanted)
				slices.Sort(got)
				if diff := cmp.Diff(wanted, got); diff != "" && len(wanted)+len(got) > 0 {
					t.Error(diff)
				}
				if list.Pagination.HasMore || list.Pagination.NextCursor != nil || list.Pagination.Page != 1 || list.Pagination.Limit != 50 {
					t.Errorf("pagination: %+v", list.Pagination)
				}
			})
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	const n = 25
	var made []string // newest first
	for i := range n {
		made = append([]string{a.event(http.StatusAccepted, fmt.Sprintf(`{"thread_id": "t%d", "text": "x", "user": {"id": "u", "name": "Ada"}}`, i)).ThreadID}, made...)
	}
	first := made[0]
	for i := range n {
		a.event(http.StatusAccepted, fmt.Sprintf(`{"thread_id": "t%d", "text": "%d"}`, n-1, i))
	}
	ids := func(list rest.List[rest.InboxThread]) (ids []string) {
		for _, thread := range list.Data {
			ids = append(ids, thread.ID)
		}
		return ids
	}
	for _, path := range []string{"/inbox", "/threads"} {
		for _, limit := range []int{1, 7, 25, 100} {
			// By cursor, all the way.
			var got []string
			query := fmt.Sprintf("?limit=%d", limit)
			for page := 1; ; page++ {
				list := decode[rest.List[rest.InboxThread]](t, a.get(path+query), http.StatusOK)
				got = append(got, ids(list)...)
				if p := list.Pagination; p.Page != page || p.Limit != limit || p.HasMore != (len(got) < n) || p.HasMore != (p.NextCursor != nil) {
					t.Fatalf("%s%s: pagination %+v after %d threads", path, query, p, len(got))
				}
				if !list.Pagination.HasMore {
					break
				}
				query = fmt.Sprintf("?limit=%d&cursor=%s", limit, *list.Pagination.NextCursor)
			}
			if diff := cmp.Diff(made, got); diff != "" {
				t.Errorf("%s by cursor, %d a page: %s", path, limit, diff)
			}
			// By number, and the page past the end.
			got = nil
			for page := 1; len(got) < n; page++ {
				list := decode[rest.List[rest.InboxThread]](t, a.get(fmt.Sprintf("%s?limit=%d&page=%d", path, limit, page)), http.StatusOK)
				if list.Pagination.Page != page {
					t.Errorf("%s: page %d says %+v", path, page, list.Pagination)
				}
				got = append(got, ids(list)...)
			}
			if diff := cmp.Diff(made, got); diff != "" {
				t.Errorf("%s by number, %d a page: %s", path, limit, diff)
			}
		}
		if past := decode[rest.List[rest.InboxThread]](t, a.get(path+"?page=101&limit=100"), http.StatusOK); len(past.Data) != 0 || past.Data == nil || past.Pagination.HasMore {
			t.Errorf("past the end: %+v", past)
		}
	}
	var seqs []int64
	query := "?limit=10"
	for query != "" {
		list := decode[rest.List[rest.Message]](t, a.get("/threads/"+first+"/messages"+query), http.StatusOK)
		for _, m := range list.Data {
			seqs = append(seqs, m.Seq)
		}
		query = ""
		if list.Pagination.NextCursor != nil {
			query = "?limit=10&cursor=" + *list.Pagination.NextCursor
		}
	}
	for i, seq := range seqs {
		if seq != int64(i+1) {
			t.Fatalf("messages by cursor: %v", seqs)
		}
	}
	if len(seqs) != n+1 {
		t.Errorf("%d messages", len(seqs))
	}
}

func TestListsRefuse(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	for i := range 3 {
		a.event(http.StatusAccepted, fmt.Sprintf(`{"thread_id": "t%d", "title": "fire", "text": "x"}`, i))
	}
	cursor := func(path string) string {
		t.Helper()
		next := decode[rest.List[rest.InboxThread]](t, a.get(path), http.StatusOK).Pagination.NextCursor
		if next == nil {
			t.Fatal("no next page")
		}
		return *next
	}
	ofInbox, ofThreads, ofSearch := cursor("/inbox?limit=1"), cursor("/threads?limit=1"), cursor("/inbox?limit=1&q=fire")
	for query, says := range map[string]string{
		"page=0":                                 "page",
		"page=-1":                                "page",
		"page=x":                                 "page",
		"page=1.5":                               "page",
		"page=99999999999999999999":              "page",
		"limit=0":                                "limit",
		"limit=101":                              "100",
		"limit=-5":                               "limit",
		"limit=ten":                              "limit",
		"page=1000&limit=100":                    "cursor",
		"page=9223372036854775807":               "cursor",
		"status=opened":                          "open",
		"status=open,opened":                     "open",
		"priority=highest":                       "urgent",
		"provider=myspace":                       "generic-webhook, github, telegram",
		"assignee=ada":                           "sub:",
		"assignee=sub:":                          "sub:",
		"assignee=" + "soth_" + ofInbox[:26]:     "soag_",
		"stauts=open":                            "status, priority, provider, q, assignee, label, page, limit, cursor",
		"status=open&status=pending":             "once",
		"q=" + strings.Repeat("x", 501):          "500",
		"q=%00":                                  "U+0000",
		"q=%ff":                                  "UTF-8",
		"label=%zz":                              "percent",
		"cursor=abc":                             "cursor",
		"cursor=" + url.QueryEscape("' OR 1=1"):  "cursor",
		"cursor=" + ofThreads:                    "another query",
		"cursor=" + ofSearch:                     "another query",
		"cursor=" + ofInbox + "&status=open":     "another query",
		"cursor=" + ofInbox + "&page=2":          "page",
		"cursor=" + ofInbox + "&limit=101":       "100",
		"cursor=" + ofInbox + "A":                "cursor",
		url.QueryEscape("<script>") + "=1":       "this call takes",
		strings.Repeat("long", 1000) + "=1":      "this call takes",
		"cursor=" + strings.Repeat("A", 201):     "cursor",
		"a=1;b=2":                                "percent",
		"label=" + strings.Repeat("%F0%9F", 300): "UTF-8",
	} {
		t.Run(query[:min(60, len(query))], func(t *testing.T) {
			t.Parallel()
			e := a.get("/inbox?"+query).problem(t, http.StatusBadRequest, "invalid")
			if !strings.Contains(e.Message, says) || len(e.Message) > 400 {
				t.Errorf("%q does not mention %q", e.Message, says)
			}
		})
	}
	// The cursor goes on with its own query, whatever the limit.
	if list := decode[rest.List[rest.InboxThread]](t, a.get("/inbox?limit=2&q=fire&cursor="+ofSearch), http.StatusOK); len(list.Data) != 2 || list.Pagination.Page != 2 {
		t.Errorf("the next page: %+v", list)
	}
	another := start(t, a.db)
	another.get("/inbox?cursor="+ofInbox).problem(t, http.StatusBadRequest, "invalid")
	a.get("/threads/"+inbox.NewID[inbox.ThreadID](time.Now()).String()+"/messages").problem(t, http.StatusNotFound, "not_found")
}
