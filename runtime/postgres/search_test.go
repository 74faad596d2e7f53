package postgres_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestSearchTakesAnyInput(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	for name, subject := range map[string]string{
		"outage": "Checkout outage in Berlin, since 9:30",
		"emoji":  "Party 🎉 time",
		"rtl":    "مرحبا بالعالم",
		"greek":  "ΟΔΟΣ ANOTHER",
		"quoted": `They said "all is well" & left`,
		"markup": "<b>Bold</b> <script>alert(1)</script>",
	} {
		in := generic("event-"+name, name, "text")
		in.Thread.Subject = subject
		ingest(t, s, ten, in)
	}
	for query, want := range map[string]int{
		"outage":                          1,
		"OUTAGE berlin":                   1,
		"outage paris":                    0,
		"outage or party":                 2,
		`"outage in berlin"`:              1,
		`"berlin outage"`:                 0,
		"outage -berlin":                  0,
		"party -berlin":                   1,
		"outag":                           0, // whole words
		"مرحبا":                           1,
		"οδος":                            0, // "simple" folds case letter by letter: the final sigma differs
		"another":                         1,
		"bold":                            1,
		"it's":                            0,
		`"`:                               0,
		`"outage`:                         1, // an open quote is closed
		"&":                               0,
		"| & ! ( ) <-> :* \\":             0,
		"outage:*":                        1,
		"outage & ! party | (":            0, // the signs are no operators: all three words are wanted
		"'; DROP TABLE thread; --":        0,
		"%":                               0,
		"🎉":                               0, // no word to the parser
		"   ":                             0,
		"":                                6, // no search
		"outage\x00":                      1,
		"\xff\xfe outage":                 1,
		"-":                               0,
		"--":                              0,
		"or":                              0,
		"or or or":                        0,
		strings.Repeat("(", 5000):         0,
		strings.Repeat("a", 10_000):       0, // too long for a word of the index: there is none such
		strings.Repeat("outage ", 1500):   1,
		strings.Repeat("-nothing ", 1200): 6,
		strings.Repeat("ab ", 3400):       0,
	} {
		views, err := s.Inbox(t.Context(), inbox.Filter{Query: query}, inbox.Page{Limit: 50})
		if err != nil || len(views) != want {
			t.Errorf("inbox, q=%.40q: %d threads, %v; want %d", query, len(views), err, want)
		}
		threads, err := s.Threads(t.Context(), inbox.Filter{Query: query}, inbox.Page{Limit: 50})
		if err != nil || len(threads) != want {
			t.Errorf("threads, q=%.40q: %d threads, %v; want %d", query, len(threads), err, want)
		}
	}
}

// A list of few threads that lie far back is walked for in vain the first time, and
// gathered at once from then on: to the caller it is the same list, page by page.
func TestRareListsAreTheSameHoweverTheyAreFound(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	var all []inbox.ThreadID // newest first
	for i := range 40 {
		in := generic(fmt.Sprint("event-", i), fmt.Sprint("thread-", i), "text")
		in.Thread.Subject, in.Thread.Labels = "common", []string{"z", "a"}
		if i < 5 {
			in.Thread.Subject = "rare"
		}
		id := ingest(t, s, ten, in).ThreadID
		if i < 5 {
			all = append([]inbox.ThreadID{id}, all...)
		}
	}
	for name, f := range map[string]inbox.Filter{
		"words":               {Query: "rare"},
		"words of a label":    {Query: "rare", Label: "a"},
		"words of a provider": {Query: "rare", Provider: "generic-webhook", Statuses: []inbox.Status{inbox.Open}},
		"words of nobody's":   {Query: "rare", Assignee: "none", Priority: inbox.Normal},
	} {
		for try := range 3 {
			var inboxed, listed []inbox.ThreadID
			var at, byID *inbox.Position
			for range 3 {
				views, err := s.Inbox(t.Context(), f, inbox.Page{Limit: 2, After: at})
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range views {
					inboxed = append(inboxed, v.ID)
					if v.Subject != "rare" || v.LastMessage == nil || v.Unread != 1 || !slices.Equal(v.Labels, []string{"a", "z"}) {
						t.Errorf("%s, try %d: %+v", name, try, v)
					}
				}
				threads, err := s.Threads(t.Context(), f, inbox.Page{Limit: 2, After: byID})
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range threads {
					listed = append(listed, v.ID)
				}
				at = &inbox.Position{At: views[len(views)-1].LastActivityAt, ID: views[len(views)-1].ID}
				byID = &inbox.Position{ID: threads[len(threads)-1].ID}
			}
			third, err := s.Inbox(t.Context(), f, inbox.Page{Limit: 2, Offset: 2})
			if err != nil || len(third) != 2 || third[0].ID != all[2] {
				t.Errorf("%s, try %d, by offset: %+v, %v", name, try, third, err)
			}
			if !slices.Equal(inboxed, all) {
				t.Errorf("%s, try %d: inbox has %v, want %v", name, try, inboxed, all)
			}
			want := slices.Clone(all)
			slices.SortFunc(want, func(a, b inbox.ThreadID) int { return bytes.Compare(b[:], a[:]) })
			if !slices.Equal(listed, want) {
				t.Errorf("%s, try %d: threads has %v, want %v", name, try, listed, want)
			}
		}
	}
}

// The function behind the search sees every tenant's threads, and tells each its own only.
func TestSearchIsTiedToTheRoleThatLoggedIn(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, b := db.Instance(t), db.Instance(t)
	s := store(t, a)
	for _, name := range []string{"one", "two"} {
		in := generic("event-"+name, name, "text")
		in.Thread.Subject = "secret " + name
		ingest(t, s, a, in)
	}
	const search = `SELECT count(*) FROM search_threads('secret')`
	for name, c := range map[string]struct {
		role string
		sql  string // run before, on the same connection
		want int64
	}{
		"own":                       {a.Role, "", 2},
		"another tenant":            {b.Role, "", 0},
		"with its instance's id":    {b.Role, `SET socialops.instance_id = '` + a.ID.UUID() + `'`, 0},
		"as the group":              {b.Role, `SET ROLE socialops_runtime`, 0},
		"with a schema of its own":  {b.Role, `SET search_path = pg_temp; CREATE TEMP TABLE instance_role AS SELECT '` + b.Role + `'::name AS role_name, '` + a.ID.UUID() + `'::uuid AS instance_id`, 0},
		"the schema's owner":        {"owner", "", 0},
		"the superuser":             {privatepg.Superuser, "", 0},
		"the superuser as a tenant": {privatepg.Superuser, `SET ROLE ` + a.Role, 0},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := db.Pool(t, c.role).Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Release()
			if c.sql != "" {
				// TEMP is not granted to tenants: what they are refused changes nothing either.
				_, _ = conn.Conn().PgConn().Exec(t.Context(), c.sql).ReadAll()
			}
			var got int64
			if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM public.search_threads('secret')").Scan(&got); err != nil || got != c.want {
				t.Errorf("%s: %d, %v; want %d", search, got, err, c.want)
			}
		})
	}
	if _, err := db.Worker(t).Exec(t.Context(), search); err == nil {
		t.Error("the worker may search, which is no work of its")
	}
}
