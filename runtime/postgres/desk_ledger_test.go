package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestDeskCredit(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, purged := db.Instance(t), db.Instance(t)
	execute(t, db, purged, `UPDATE instance SET purged_at = now() WHERE id = $1`)
	d := desks(t, db)
	var first atomic.Int64
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			balance, repeated, err := d.Credit(t.Context(), ten.Alias, 1000, "credit:invoice-1", "admin")
			if err != nil || balance != 1000 {
				t.Errorf("balance %d, %v", balance, err)
			}
			if !repeated {
				first.Add(1)
			}
		})
	}
	wg.Wait()
	if first.Load() != 1 {
		t.Errorf("granted %d times", first.Load())
	}
	if balance, repeated, err := d.Credit(t.Context(), ten.Alias, 5, "credit:2", "admin:carol"); err != nil || repeated || balance != 1005 {
		t.Errorf("another one: %d, %v, %v", balance, repeated, err)
	}
	given, err := postgres.Credit(t.Context(), db.Owner, ten.Alias, 1000, "credit:invoice-1")
	if err != nil || !given.Repeated || given.Balance != 1005 {
		t.Errorf("by command: %+v, %v", given, err)
	}
	if _, err := postgres.Credit(t.Context(), db.Owner, ten.Alias, 7, "credit:3"); err != nil {
		t.Error(err)
	}
	for what, c := range map[string]struct {
		alias     string
		amount    inbox.MicroUSD
		reference string
		want      inbox.Code
	}{
		"another amount": {ten.Alias, 5, "credit:invoice-1", inbox.CodeConflict},
		"nobody":         {"nobody", 5, "credit:x", inbox.CodeNotFound},
		"a purged alias": {purged.Alias, 5, "credit:x", inbox.CodeNotFound},
		"nothing":        {ten.Alias, 0, "credit:x", inbox.CodeInvalid},
		"no reference":   {ten.Alias, 5, "credit: ", inbox.CodeInvalid},
		"another kind":   {ten.Alias, 5, "refund:x", inbox.CodeInvalid},
		"a long one":     {ten.Alias, 5, "credit:" + strings.Repeat("x", 194), inbox.CodeInvalid},
	} {
		_, _, err := d.Credit(t.Context(), c.alias, c.amount, c.reference, "admin")
		coded(t, what, err, c.want)
	}
	event := func(detail, actor string) inbox.Event {
		return inbox.Event{Type: inbox.EventCreditGranted, Detail: detail, Actor: actor}
	}
	trail(t, d.Desk(ten.ID), inbox.TrailFilter{}, event("credit:3", "admin"), event("credit:2", "admin:carol"), event("credit:invoice-1", "admin"))
	consistent(t, db, ten)
	booked(t, db)
}

// A credit and what is charged at once lock the instance's counters in one order.
func TestCreditsBesideCharges(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s, d := store(t, ten), desks(t, db)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 20 {
				in := generic(fmt.Sprintf("%d-%d", worker, i), fmt.Sprint(i%3), "x")
				in.Thread.Labels = []string{fmt.Sprint(worker)}
				if _, err := s.Ingest(t.Context(), ten.Generic, in); err != nil {
					t.Error(err)
				}
				if _, _, err := d.Credit(t.Context(), ten.Alias, 1, fmt.Sprintf("credit:%d-%d", worker, i), "admin"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := count(t, db, `SELECT deadlocks FROM pg_stat_database WHERE datname = $1`, db.Name); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
	consistent(t, db, ten)
}

func TestCharges(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	d := desks(t, db).Desk(ten.ID)
	for _, row := range []string{
		`'inbound:1', 'inbound', -200, '2026-01-01 00:00Z'`, `'inbound:2', 'inbound', -300, '2026-01-01 23:59:59.999Z'`,
		`'reply:1:0', 'reply', -500, '2026-01-01 23:30Z'`, `'refund:reply:1:0', 'refund', 500, '2026-01-03 00:00+01'`, `'credit:1', 'credit', 1000, '2026-01-04 12:00Z'`,
	} {
		execute(t, db, ten, `INSERT INTO ledger (instance_id, reference, kind, amount, created_at) VALUES ($1, `+row+`)`)
		execute(t, db, other, `INSERT INTO ledger (instance_id, reference, kind, amount, created_at) VALUES ($1, `+row+`)`)
	}
	at := func(day, hour int) time.Time { return time.Date(2026, 1, day, hour, 0, 0, 0, time.UTC) }
	type sums = map[inbox.EntryKind]inbox.EntrySum
	for name, c := range map[string]struct {
		from, to time.Time
		step     inbox.Step
		want     []inbox.Charge
	}{
		"days": {at(1, 0), at(4, 0), inbox.StepDay, []inbox.Charge{
			{At: at(1, 0), Entries: sums{inbox.EntryInbound: {Count: 2, Sum: -500}, inbox.EntryReply: {Count: 1, Sum: -500}}},
			{At: at(2, 0), Entries: sums{inbox.EntryRefund: {Count: 1, Sum: 500}}},
		}},
		"hours": {at(1, 1), at(3, 0), inbox.StepHour, []inbox.Charge{
			{At: at(1, 23), Entries: sums{inbox.EntryInbound: {Count: 1, Sum: -300}, inbox.EntryReply: {Count: 1, Sum: -500}}},
			{At: at(2, 23), Entries: sums{inbox.EntryRefund: {Count: 1, Sum: 500}}},
		}},
		"a day without any": {at(3, 0), at(4, 0), inbox.StepDay, nil},
	} {
		got, err := d.Charges(t.Context(), c.from, c.to, c.step)
		if diff := gocmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	for what, c := range map[string]struct {
		from, to time.Time
		step     inbox.Step
	}{
		"another step": {at(1, 0), at(2, 0), "week"}, "backwards": {at(2, 0), at(1, 0), inbox.StepDay}, "no period": {at(1, 0), at(1, 0), inbox.StepDay},
		"too many": {at(1, 0), at(1, 1001), inbox.StepHour},
	} {
		_, err := d.Charges(t.Context(), c.from, c.to, c.step)
		coded(t, what, err, inbox.CodeInvalid)
	}
}

func TestEntries(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	d := desks(t, db).Desk(ten.ID)
	rows := map[inbox.EntryKind][]string{
		inbox.EntryInbound: {"inbound:c", "inbound:b", "inbound:a"},
		inbox.EntryReply:   {"reply:b:0", "reply:a:0"},
		inbox.EntryRefund:  {"refund:reply:b:0", "refund:reply:a:0", "refund:inbound:c"},
		inbox.EntryCredit:  {"credit:Zürich", "credit:_", "credit:9", "credit:-"},
	}
	all := 0
	for kind, references := range rows {
		for i, reference := range references { // two of a kind at one time each
			amount := map[bool]int{true: -5, false: 5}[kind == inbox.EntryInbound || kind == inbox.EntryReply]
			sql := fmt.Sprintf(`INSERT INTO ledger (instance_id, reference, kind, amount, created_at) VALUES ($1, '%s', '%s', %d, '2026-01-0%dZ')`, reference, kind, amount, 5-i/2)
			execute(t, db, ten, sql)
			execute(t, db, other, sql)
			all++
		}
	}
	for _, kind := range append([]inbox.EntryKind{""}, inbox.EntryKinds...) {
		for _, limit := range []int{1, 2, 100} {
			var got []inbox.Entry
			var after *inbox.EntryPosition
			for {
				page, err := d.Entries(t.Context(), kind, limit, after)
				if err != nil {
					t.Fatal(err)
				}
				if got = append(got, page...); len(page) < limit {
					break
				}
				last := page[len(page)-1]
				after = &inbox.EntryPosition{At: last.At, Reference: last.Reference}
			}
			want := all
			if kind != "" {
				want = len(rows[kind])
			}
			seen := map[string]bool{}
			for _, e := range got {
				seen[e.Reference] = true
				if !slices.Contains(rows[e.Kind], e.Reference) || kind != "" && e.Kind != kind || e.Amount != 5 && e.Amount != -5 {
					t.Errorf("%q: %+v", kind, e)
				}
			}
			if len(got) != want || len(seen) != want || !slices.IsSortedFunc(got, func(a, b inbox.Entry) int { return b.At.Compare(a.At) }) {
				t.Errorf("entries of kind %q, %d at a time: %v, want %d of them, newest first", kind, limit, got, want)
			}
		}
	}
	_, err := d.Entries(t.Context(), "", 0, nil)
	coded(t, "no limit", err, inbox.CodeInvalid)
}
