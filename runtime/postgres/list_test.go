package postgres_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// seedThread is a thread as the reference implementation of the filters sees it.
type seedThread struct {
	ID       inbox.ThreadID
	At       time.Time
	Status   inbox.Status
	Priority inbox.Priority
	Provider string
	Agent    string // "" for nobody
	AgentID  string
	Labels   []string
	Words    []string
}

func (th *seedThread) passes(f inbox.Filter) bool {
	return (len(f.Statuses) == 0 || slices.Contains(f.Statuses, th.Status)) &&
		(f.Priority == "" || f.Priority == th.Priority) &&
		(f.Provider == "" || f.Provider == th.Provider) &&
		(f.Assignee == "" || f.Assignee == th.AgentID || f.Assignee == "sub:"+th.Agent && th.Agent != "" || f.Assignee == "none" && th.Agent == "") &&
		(f.Label == "" || slices.Contains(th.Labels, f.Label)) &&
		!slices.ContainsFunc(strings.Fields(f.Query), func(w string) bool {
			if banned, not := strings.CutPrefix(w, "-"); not {
				return slices.Contains(th.Words, banned)
			}
			return !slices.Contains(th.Words, strings.ToLower(w))
		})
}

func seed(t testing.TB, db *pgtest.Database, ten *pgtest.Tenant, threads int) []seedThread {
	t.Helper()
	if err := pgtest.Seed(t.Context(), db.Pool(t, privatepg.Superuser), ten.ID, pgtest.SeedOptions{Threads: threads, Messages: 2 * threads}); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Owner.Query(t.Context(), `
SELECT t.id, s.last_activity_at, s.status, s.priority, s.provider, coalesce(a.subject, ''), coalesce(a.id::text, ''),
       ARRAY(SELECT label FROM thread_label l WHERE l.instance_id = t.instance_id AND l.thread_id = t.id),
       regexp_split_to_array(lower(t.subject || ' ' || t.ai_summary), ' ')
  FROM thread t JOIN thread_state s ON s.instance_id = t.instance_id AND s.thread_id = t.id
  LEFT JOIN agent a ON a.instance_id = s.instance_id AND a.id = s.assignee_id
 WHERE t.instance_id = $1`, ten.ID)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[seedThread])
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if all[i].AgentID != "" {
			all[i].AgentID = agentID(t, all[i].AgentID)
		}
	}
	return all
}

// agentID is the text form of an agent's UUID.
func agentID(t testing.TB, uuid string) string {
	t.Helper()
	var b []byte
	if _, err := fmt.Sscanf(strings.ReplaceAll(uuid, "-", ""), "%x", &b); err != nil || len(b) != 16 {
		t.Fatalf("not a UUID: %q, %v", uuid, err)
	}
	return inbox.AgentID(b).String()
}

var live = []inbox.Status{inbox.Open, inbox.Pending}

// filters are each filter alone, with statuses, and many of their combinations.
func filters(someAgent string) []inbox.Filter {
	one := []inbox.Filter{
		{},
		{Priority: inbox.Urgent},
		{Priority: inbox.Normal},
		{Provider: "github"},
		{Provider: "no-such"},
		{Assignee: someAgent},
		{Assignee: "sub:" + pgtest.SeedAgent(3)},
		{Assignee: "sub:nobody-of-ours"},
		{Assignee: "none"},
		{Label: pgtest.SeedLabelCommon},
		{Label: pgtest.SeedLabelSome},
		{Label: "no-such"},
		{Query: pgtest.SeedWord(10)},
		{Query: pgtest.SeedWord(1000)},
		{Query: "customer"},
		{Query: "customer -" + pgtest.SeedWord(10)},
		{Query: "CASE d7"},
		{Query: "no-such"},
		{Priority: inbox.High, Provider: "telegram"},
		{Priority: inbox.Normal, Provider: "telegram"},
		{Priority: inbox.Urgent, Label: pgtest.SeedLabelCommon},
		{Priority: inbox.Urgent, Label: pgtest.SeedLabelSome},
		{Provider: "github", Assignee: "none"},
		{Provider: "github", Assignee: someAgent, Label: pgtest.SeedLabelCommon},
		{Assignee: "none", Label: pgtest.SeedLabelCommon},
		{Label: pgtest.SeedLabelSome, Query: "customer"},
		{Provider: "telegram", Query: pgtest.SeedWord(10)},
		{Priority: inbox.Urgent, Query: pgtest.SeedWord(10)},
		{Priority: inbox.Low, Provider: "telegram", Assignee: "sub:" + pgtest.SeedAgent(5), Label: pgtest.SeedLabelCommon, Query: "customer"},
	}
	var all []inbox.Filter
	for _, statuses := range [][]inbox.Status{nil, live, {inbox.Archived}, {inbox.Pending, inbox.Pending, inbox.Open}, inbox.Statuses} {
		for _, f := range one {
			f.Statuses = statuses
			all = append(all, f)
		}
	}
	return all
}

func TestListsAgainstTheirDefinition(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	all := seed(t, db, ten, 1500)
	seed(t, db, other, 300)
	s := store(t, ten)
	if few, err := store(t, other).Threads(t.Context(), inbox.Filter{Query: pgtest.SeedWord(10)}, inbox.Page{Limit: 1000}); err != nil || len(few) != 30 {
		t.Errorf("the smaller tenant finds %d threads, %v; want its own 30", len(few), err)
	}
	some := all[slices.IndexFunc(all, func(th seedThread) bool { return th.AgentID != "" })].AgentID

	lists := []struct {
		name string
		less func(a, b seedThread) int
		page func(inbox.Filter, inbox.Page) ([]inbox.Position, error)
	}{
		{
			"inbox", func(a, b seedThread) int { return cmp.Or(b.At.Compare(a.At), bytes.Compare(b.ID[:], a.ID[:])) },
			func(f inbox.Filter, p inbox.Page) (out []inbox.Position, err error) {
				views, err := s.Inbox(t.Context(), f, p)
				for _, v := range views {
					out = append(out, inbox.Position{At: v.LastActivityAt, ID: v.ID})
				}
				return out, err
			},
		},
		{
			"threads", func(a, b seedThread) int { return bytes.Compare(b.ID[:], a.ID[:]) },
			func(f inbox.Filter, p inbox.Page) (out []inbox.Position, err error) {
				threads, err := s.Threads(t.Context(), f, p)
				for _, th := range threads {
					out = append(out, inbox.Position{ID: th.ID})
				}
				return out, err
			},
		},
	}
	for _, l := range lists {
		t.Run(l.name, func(t *testing.T) {
			slices.SortFunc(all, l.less)
			for _, f := range filters(some) {
				var want []inbox.ThreadID
				for i := range all {
					if all[i].passes(f) {
						want = append(want, all[i].ID)
					}
				}
				// By cursor: each thread once, in order. A small page among few results, a large one among many.
				size := max(7, len(want)/3)
				var got []inbox.ThreadID
				page := inbox.Page{Limit: min(size, 1000)}
				for len(got) <= len(all) {
					items, err := l.page(f, page)
					if err != nil {
						t.Fatalf("%+v: %v", f, err)
					}
					for _, p := range items {
						got = append(got, p.ID)
					}
					if len(items) < page.Limit {
						break
					}
					page.After = &items[len(items)-1]
				}
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Errorf("%+v by cursor (-want +got):\n%s", f, diff)
				}
				// By offset: the second page.
				items, err := l.page(f, inbox.Page{Limit: 5, Offset: 5})
				if err != nil {
					t.Fatalf("%+v: %v", f, err)
				}
				if len(items) != max(0, min(5, len(want)-5)) {
					t.Errorf("%+v by offset: %d items of %d", f, len(items), len(want))
				}
				for i, p := range items {
					if p.ID != want[5+i] {
						t.Errorf("%+v by offset: item %d is %v, want %v", f, i, p.ID, want[5+i])
					}
				}
			}
		})
	}
}

func TestListsRefuseWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	s := store(t, db.Instance(t))
	for name, c := range map[string]struct {
		f inbox.Filter
		p inbox.Page
	}{
		"no limit":       {p: inbox.Page{}},
		"negative limit": {p: inbox.Page{Limit: -1}},
		"huge limit":     {p: inbox.Page{Limit: 1001}},
		"negative page":  {p: inbox.Page{Limit: 1, Offset: -1}},
		"deep page":      {p: inbox.Page{Limit: 1, Offset: inbox.MaxOffset + 1}},
		"status":         {inbox.Filter{Statuses: []inbox.Status{"closed"}}, inbox.Page{Limit: 1}},
		"priority":       {inbox.Filter{Priority: "highest"}, inbox.Page{Limit: 1}},
		"assignee":       {inbox.Filter{Assignee: "somebody"}, inbox.Page{Limit: 1}},
		"other kind":     {inbox.Filter{Assignee: inbox.NewID[inbox.ThreadID](time.Now()).String()}, inbox.Page{Limit: 1}},
		"no subject":     {inbox.Filter{Assignee: "sub:"}, inbox.Page{Limit: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Inbox(t.Context(), c.f, c.p); inbox.CodeOf(err) != inbox.CodeInvalid {
				t.Errorf("Inbox: %v, want it refused as invalid", err)
			}
			if _, err := s.Threads(t.Context(), c.f, c.p); inbox.CodeOf(err) != inbox.CodeInvalid {
				t.Errorf("Threads: %v, want it refused as invalid", err)
			}
		})
	}
}

func TestOffsetAtItsDeepest(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	s := store(t, db.Instance(t))
	for _, f := range []inbox.Filter{{}, {Query: "word"}, {Provider: "github", Priority: inbox.High}} {
		views, err := s.Inbox(t.Context(), f, inbox.Page{Limit: 101, Offset: inbox.MaxOffset})
		if err != nil || len(views) != 0 {
			t.Errorf("%+v: %d threads, %v", f, len(views), err)
		}
	}
}
