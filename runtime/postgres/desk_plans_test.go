//go:build long

package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// batchRecorder remembers the statements that desks send, without those that say for whom.
type batchRecorder struct{ recorder }

func (*batchRecorder) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (r *batchRecorder) TraceBatchQuery(ctx context.Context, c *pgx.Conn, data pgx.TraceBatchQueryData) {
	if len(data.Args) > 0 && data.Args[0] != nil && fmt.Sprintf("%T", data.Args[0]) != "string" {
		r.TraceQueryStart(ctx, c, pgx.TraceQueryStartData{SQL: data.SQL, Args: data.Args})
	}
}

func (*batchRecorder) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// What a desk reads goes with what it shows, not with how much there is.
func TestDeskPlansAtScale(t *testing.T) {
	const threads, events, limit = 60_000, 400_000, 50
	const people = events/200 + 200 // what people did, of which there is an index: it is walked for what is rare
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	super := db.Pool(t, privatepg.Superuser)
	for tenant, n := range map[*pgtest.Tenant]int{other: threads / 10, ten: threads} {
		if err := pgtest.Seed(t.Context(), super, tenant.ID, pgtest.SeedOptions{Threads: n, Messages: n}); err != nil {
			t.Fatal(err)
		}
		// One event in 200 is a person's, one in 10 the worker's, the others providers'; ten threads have a thousand of them each.
		execute(t, db, tenant, `
INSERT INTO event (instance_id, seq, type, thread_id, actor, at)
SELECT $1, n, CASE WHEN n % 200 = 0 THEN 'thread.updated' WHEN n % 10 = 0 THEN 'action.updated' ELSE 'message.created' END,
       (SELECT array_agg(id) FROM (SELECT id FROM thread WHERE instance_id = $1 ORDER BY id LIMIT 20000) t)[CASE WHEN n % 40 = 0 THEN n % 10 + 1 ELSE n % 20000 + 1 END],
       CASE WHEN n % 200 = 0 THEN 'agent:' || n / 200 % 20 WHEN n % 10 = 0 THEN 'worker' ELSE 'provider' END, now() - make_interval(secs => `+fmt.Sprint(events)+` - n)
  FROM generate_series(1, `+fmt.Sprint(events)+`) n`,
			`INSERT INTO event (instance_id, seq, type, key_id, actor) SELECT $1, `+fmt.Sprint(events)+` + n, 'key.created', gen_random_uuid(), 'agent:1' FROM generate_series(1, 60) n`,
			`UPDATE event_counter SET seq = (SELECT max(seq) FROM event WHERE instance_id = $1) WHERE instance_id = $1`)
		execute(t, db, tenant, `
INSERT INTO ledger (instance_id, reference, kind, amount, created_at)
SELECT $1, k.kind || ':' || n, k.kind, k.amount, now() - make_interval(secs => 200000 - n)
  FROM generate_series(1, 200000) n CROSS JOIN LATERAL (SELECT CASE WHEN n % 4000 = 0 THEN 'credit' WHEN n % 1000 = 0 THEN 'refund' WHEN n % 10 = 0 THEN 'reply' ELSE 'inbound' END AS kind,
       CASE WHEN n % 1000 = 0 THEN 5 ELSE -5 END AS amount) k`)
	}
	if _, err := db.Owner.Exec(t.Context(), `ANALYZE event, ledger`); err != nil {
		t.Fatal(err)
	}
	record := &batchRecorder{}
	pool := tracedPool(t, db.DSN("console"), func(c *pgxpool.Config) { c.ConnConfig.Tracer = record })
	// What is explained runs outside a desk: the setting lasts as long as the connection.
	explained := tracedPool(t, db.DSN("console"), func(c *pgxpool.Config) {
		c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, `SELECT set_config('socialops.instance_id', $1, false), set_config('socialops.owner', $2, false)`, ten.ID.UUID(), ten.Owner)
			return err
		}
	})
	desks := postgres.NewDesks(pool, postgres.DesksOptions{})
	d := desks.Desk(ten.ID)
	page := inbox.Page{Limit: limit}
	far := inbox.Page{Limit: limit, After: &inbox.Position{Seq: events / 2}}
	thread := inbox.TrailFilter{}
	if err := db.Owner.QueryRow(t.Context(), `SELECT id FROM thread WHERE instance_id = $1 ORDER BY id LIMIT 1`, ten.ID).Scan((*[16]byte)(&thread.ThreadID)); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	now := time.Now()
	for name, c := range map[string]struct {
		most int
		read func() error
	}{
		"inbox": {20 * limit, func() error { _, err := d.Inbox(ctx, inbox.Filter{Statuses: live}, page); return err }},
		"an agent's": {20 * limit, func() error {
			_, err := d.Inbox(ctx, inbox.Filter{Assignee: "sub:" + pgtest.SeedAgent(7)}, page)
			return err
		}},
		"by label": {20 * limit, func() error { _, err := d.Inbox(ctx, inbox.Filter{Label: pgtest.SeedLabelSome}, page); return err }},
		"a search": {40 * limit, func() error { _, err := d.Inbox(ctx, inbox.Filter{Query: pgtest.SeedWord(1000)}, page); return err }},
		"messages": {4 * limit, func() error {
			_, err := d.Messages(ctx, thread.ThreadID, inbox.Page{Limit: limit, Newest: true})
			return err
		}},
		"the trail":           {limit, func() error { _, err := d.Trail(ctx, inbox.TrailFilter{}, page); return err }},
		"the trail, far back": {limit, func() error { _, err := d.Trail(ctx, inbox.TrailFilter{}, far); return err }},
		"people's":            {limit, func() error { _, err := d.Trail(ctx, inbox.TrailFilter{People: true}, page); return err }},
		"people's, far back":  {limit, func() error { _, err := d.Trail(ctx, inbox.TrailFilter{People: true}, far); return err }},
		"one agent's":         {people, func() error { _, err := d.Trail(ctx, inbox.TrailFilter{Actor: "agent:7"}, page); return err }},
		"a thread's":          {2 * limit, func() error { _, err := d.Trail(ctx, thread, page); return err }},
		"a rare type's":       {people, func() error { _, err := d.Trail(ctx, inbox.TrailFilter{Type: inbox.EventKeyCreated}, page); return err }},
		"a type that is not":  {people, func() error { _, err := d.Trail(ctx, inbox.TrailFilter{Type: inbox.EventRawShown}, page); return err }},
		"counts":              {20 * 1001, func() error { _, err := d.Counts(ctx, counted); return err }},
		"a count of what's rare": {3 * threads / 100, func() error {
			_, err := d.Counts(ctx, []inbox.Filter{{Priority: inbox.Urgent, Provider: "github"}})
			return err
		}},
		"a count of words": {10 * threads / 1000, func() error { _, err := d.Counts(ctx, []inbox.Filter{{Query: pgtest.SeedWord(1000)}}); return err }},
		"labels":           {10, func() error { _, err := d.Labels(ctx, "", 100); return err }},
		"the ledger":       {limit + 1, func() error { _, err := d.Entries(ctx, "", limit, nil); return err }},
		"the ledger, far back": {limit + 2, func() error {
			_, err := d.Entries(ctx, inbox.EntryInbound, limit-10, &inbox.EntryPosition{At: now.Add(-100_000 * time.Second), Reference: "x"})
			return err
		}},
		"credits":   {110, func() error { _, err := d.Entries(ctx, inbox.EntryCredit, limit, nil); return err }},
		"refunds":   {310, func() error { _, err := d.Entries(ctx, inbox.EntryRefund, limit, nil); return err }},
		"a day":     {90_000, func() error { _, err := d.Charges(ctx, now.Add(-24*time.Hour), now, inbox.StepHour); return err }},
		"instances": {20, func() error { _, err := desks.Owned(ctx, ten.Owner); return err }},
		"an alias":  {1, func() error { _, err := desks.Find(ctx, ten.Owner, ten.Alias); return err }},
	} {
		took := quickest(t, c.read)
		visited, sql := map[string]int{}, ""
		for _, q := range uniq(record.take()) {
			for kind, plan := range plansOf(t, explained, q) {
				visited[kind] += plan.visited()
			}
			sql += q.SQL + "\n"
		}
		t.Logf("%s: rows visited %v, %v", name, visited, took)
		for kind, n := range visited {
			if n > c.most {
				t.Errorf("%s visits %d rows (%s plan), want at most %d:\n%s", name, n, kind, c.most, sql)
			}
		}
	}
}

// counted are filters that an index has.
var counted = []inbox.Filter{
	{Statuses: live},
	{Statuses: live, Assignee: "none"},
	{Assignee: "sub:" + pgtest.SeedAgent(3)},
	{Priority: inbox.Urgent},
	{Provider: "github"},
	{Label: pgtest.SeedLabelCommon},
	{Statuses: []inbox.Status{inbox.Archived}},
}

func tracedPool(t *testing.T, dsn string, change func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	change(config)
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
