//go:build long

package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// recorder remembers the statements that a pool runs.
type recorder struct {
	mu         sync.Mutex
	statements []pgx.TraceQueryStartData
}

func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	data.Args = slices.Clone(data.Args)
	r.statements = append(r.statements, data)
	return ctx
}

func (*recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (r *recorder) take() []pgx.TraceQueryStartData {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.statements
	r.statements = nil
	return s
}

// A page visits a number of rows that goes with the page's length, not with the
// inbox's, whatever the filter. Asserted on the plans that Postgres makes for the
// tenant's role, both for the statement's values and for any values, as it makes
// the latter once a statement was prepared and ran five times.
func TestPlansAtScale(t *testing.T) {
	threads := 200_000
	if s := os.Getenv("SOCIALOPS_SCALE"); s != "" {
		var err error
		if threads, err = strconv.Atoi(s); err != nil {
			t.Fatal("SOCIALOPS_SCALE: want a number of threads:", err)
		}
	}
	const limit = 50
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	super := db.Pool(t, privatepg.Superuser)
	for tenant, n := range map[*pgtest.Tenant]int{other: threads / 20, ten: threads} {
		start := time.Now()
		if err := pgtest.Seed(t.Context(), super, tenant.ID, pgtest.SeedOptions{Threads: n, Messages: 2 * n}); err != nil {
			t.Fatal(err)
		}
		t.Logf("seeded %d threads and %d messages in %v", n, 2*n, time.Since(start).Round(time.Second))
	}
	config, err := pgxpool.ParseConfig(db.DSN(ten.Role))
	if err != nil {
		t.Fatal(err)
	}
	record := &recorder{}
	config.ConnConfig.Tracer = record
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := postgres.NewStore(pool, ten.ID, postgres.StoreOptions{})
	t.Cleanup(s.Close)

	// Far down: what a page visits must not grow with what lies before it.
	deep := &inbox.Position{At: time.Now().AddDate(0, -6, 0), ID: inbox.NewID[inbox.ThreadID](time.Now().AddDate(0, -6, 0))}
	for name, f := range map[string]inbox.Filter{
		"bare":         {},
		"priority":     {Priority: inbox.Urgent},
		"provider":     {Provider: "github"},
		"agent":        {Assignee: "sub:" + pgtest.SeedAgent(7)},
		"nobody":       {Assignee: "none"},
		"common label": {Label: pgtest.SeedLabelCommon},
		"label":        {Label: pgtest.SeedLabelSome},
		"rare label":   {Label: pgtest.SeedLabelRare},
	} {
		for _, statuses := range [][]inbox.Status{live, {inbox.Open}, {inbox.Pending}, {inbox.Resolved}, {inbox.Archived}, inbox.Statuses} {
			f.Statuses = statuses
			for at, after := range map[string]*inbox.Position{"first page": nil, "far down": deep} {
				page := inbox.Page{Limit: limit + 1, After: after}
				views, err := s.Inbox(t.Context(), f, page)
				if err != nil {
					t.Fatal(err)
				}
				took := quickest(t, func() error { _, err := s.Inbox(t.Context(), f, page); return err })
				for _, q := range uniq(record.take()) {
					for kind, plan := range plansOf(t, ten.Pool, q) {
						n := plan.visited()
						t.Logf("inbox by %s %v, %s: %d threads, %d rows visited (%s plan), %v", name, statuses, at, len(views), n, kind, took)
						if n > 20*limit {
							t.Errorf("the inbox by %s %v, %s, visits %d rows (%s plan), want at most %d:\n%s", name, statuses, at, n, kind, 20*limit, q.SQL)
						}
					}
				}
			}
		}
	}

	// What no index has in order is checked thread by thread along one that has, or
	// gathered and sorted: about as many rows as the better of the two, where one
	// thread in so many passes.
	for name, c := range map[string]struct {
		f     inbox.Filter
		oneIn int
	}{
		"q, 1 in 10":                    {inbox.Filter{Query: pgtest.SeedWord(10)}, 10},
		"q, 1 in 100":                   {inbox.Filter{Query: "d7"}, 100},
		"q, 1 in 1,000":                 {inbox.Filter{Query: pgtest.SeedWord(1000)}, 1000},
		"q, 1 in 100,000":               {inbox.Filter{Query: pgtest.SeedWord(100_000)}, 100_000},
		"q, all":                        {inbox.Filter{Query: "customer"}, 1},
		"q, none":                       {inbox.Filter{Query: "nonsense"}, 1_000_000},
		"q, 1 in 10, open and pending":  {inbox.Filter{Query: pgtest.SeedWord(10), Statuses: live}, 10},
		"q, 1 in 1,000, open, pending":  {inbox.Filter{Query: pgtest.SeedWord(1000), Statuses: live}, 1000},
		"q, 1 in 100,000 of 1 in 5":     {inbox.Filter{Query: pgtest.SeedWord(100_000), Label: pgtest.SeedLabelCommon}, 100_000},
		"q, 1 in 1,000 of 1 in 5":       {inbox.Filter{Query: pgtest.SeedWord(1000), Label: pgtest.SeedLabelCommon}, 1000},
		"threads, open and pending":     {inbox.Filter{Statuses: live}, 5},
		"threads, resolved":             {inbox.Filter{Statuses: []inbox.Status{inbox.Resolved}}, 3},
		"threads, urgent":               {inbox.Filter{Priority: inbox.Urgent}, 100},
		"threads, of a provider":        {inbox.Filter{Provider: "github"}, 10},
		"threads, an agent's":           {inbox.Filter{Assignee: "sub:" + pgtest.SeedAgent(7)}, 20},
		"threads, nobody's":             {inbox.Filter{Assignee: "none"}, 50},
		"threads, with a common label":  {inbox.Filter{Label: pgtest.SeedLabelCommon}, 5},
		"threads, with a label":         {inbox.Filter{Label: pgtest.SeedLabelSome}, 100},
		"threads, with a rare label":    {inbox.Filter{Label: pgtest.SeedLabelRare}, 10_000},
		"threads, urgent of a provider": {inbox.Filter{Priority: inbox.Urgent, Provider: "github"}, 100},
	} {
		for list, page := range map[string]func() (int, error){
			"inbox": func() (int, error) {
				v, err := s.Inbox(t.Context(), c.f, inbox.Page{Limit: limit + 1})
				return len(v), err
			},
			"threads": func() (int, error) {
				v, err := s.Threads(t.Context(), c.f, inbox.Page{Limit: limit + 1})
				return len(v), err
			},
		} {
			if list == "inbox" && c.f.Query == "" {
				continue // above
			}
			n, err := page()
			if err != nil {
				t.Fatal(err)
			}
			took := quickest(t, func() error { _, err := page(); return err })
			visited := map[string]int{}
			for _, q := range uniq(record.take()) {
				for kind, plan := range plansOf(t, ten.Pool, q) {
					visited[kind] += plan.visited()
				}
			}
			t.Logf("%s, %s: %d threads, rows visited %v, %v", list, name, n, visited, took)
			most := 60*limit + 8*min(threads/c.oneIn, limit*c.oneIn)
			for kind, n := range visited {
				if n > most {
					t.Errorf("%s, %s, visits %d rows (%s plan), want at most %d", list, name, n, kind, most)
				}
			}
		}
	}
}

// quickest is the best time of some tries: the others tell of the machine.
func quickest(t *testing.T, f func() error) time.Duration {
	t.Helper()
	best := time.Hour
	for range 5 {
		start := time.Now()
		if err := f(); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	return best.Round(100 * time.Microsecond)
}

// uniq drops repeats of a statement.
func uniq(statements []pgx.TraceQueryStartData) []pgx.TraceQueryStartData {
	var out []pgx.TraceQueryStartData
	seen := map[string]bool{}
	for _, q := range statements {
		if !seen[q.SQL] {
			seen[q.SQL] = true
			out = append(out, q)
		}
	}
	return out
}

// node is a part of a plan that was run.
type node struct {
	Relation string  `json:"Relation Name"`
	Function string  `json:"Function Name"`
	Rows     float64 `json:"Actual Rows"`
	Loops    float64 `json:"Actual Loops"`
	Removed  float64 `json:"Rows Removed by Filter"`
	Recheck  float64 `json:"Rows Removed by Index Recheck"`
	Plans    []node
}

// visited counts the rows that were read from tables and indexes, also those that
// a condition then dropped.
func (n *node) visited() int {
	sum := 0
	if n.Relation != "" || n.Function != "" {
		sum = int((n.Rows + n.Removed + n.Recheck) * n.Loops)
	}
	for i := range n.Plans {
		sum += n.Plans[i].visited()
	}
	return sum
}

// plansOf runs a statement under EXPLAIN with a plan for its values and with one for any values.
func plansOf(t *testing.T, pool *pgxpool.Pool, q pgx.TraceQueryStartData) map[string]*node {
	t.Helper()
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Conn().Prepare(t.Context(), "explained", q.SQL); err != nil {
		t.Fatal(err)
	}
	args := make([]string, len(q.Args))
	for i, a := range q.Args {
		args[i] = literal(t, a)
	}
	execute := "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE explained"
	if len(args) > 0 {
		execute += "(" + strings.Join(args, ", ") + ")"
	}
	plans := map[string]*node{}
	for _, kind := range []string{"custom", "generic"} {
		var text []byte
		if _, err := conn.Exec(t.Context(), "SET plan_cache_mode = force_"+kind+"_plan"); err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRow(t.Context(), execute, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
			t.Fatalf("%s: %v", execute, err)
		}
		var explained []struct{ Plan node }
		if err := json.Unmarshal(text, &explained); err != nil {
			t.Fatal(err)
		}
		plans[kind] = &explained[0].Plan
	}
	if err := conn.Conn().Deallocate(t.Context(), "explained"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "RESET plan_cache_mode"); err != nil {
		t.Fatal(err)
	}
	return plans
}

// literal writes a parameter as SQL.
func literal(t *testing.T, v any) string {
	t.Helper()
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	switch v := v.(type) {
	case string:
		return quote(v)
	case []string:
		return quote("{" + strings.Join(v, ",") + "}")
	case int, int64:
		return fmt.Sprint(v)
	case time.Time:
		return quote(v.Format(time.RFC3339Nano))
	case inbox.InstanceID:
		return quote(v.UUID())
	case inbox.AgentID:
		return quote(v.UUID())
	case pgtype.UUID:
		return quote(v.String())
	case []pgtype.UUID:
		ids := make([]string, len(v))
		for i, id := range v {
			ids[i] = id.String()
		}
		return quote("{" + strings.Join(ids, ",") + "}")
	default:
		t.Fatalf("don't know how to write a %T as SQL", v)
		return ""
	}
}
