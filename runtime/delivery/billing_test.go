package delivery_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
)

func TestBillingModes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t, byChat(map[string]func(int) inbox.Outcome{"bad": func(int) inbox.Outcome { return inbox.Outcome{Kind: inbox.Refused, Reason: "no"} }}), listening)
	const price = 500
	for _, c := range []struct {
		name             string
		mode             inbox.BillingMode
		credit           inbox.MicroUSD
		good, bad        int // replies to chats that take them, and that don't
		delivered, spoil int // and what becomes of them
		balance          inbox.MicroUSD
		entries          int64
	}{
		{name: "off", mode: inbox.BillingOff, good: 3, bad: 1, delivered: 3, spoil: 1},
		{name: "track below zero", mode: inbox.BillingTrack, good: 3, bad: 1, delivered: 3, spoil: 1, balance: -3 * price, entries: 5},
		{name: "enforce without credit", mode: inbox.BillingEnforce, good: 20, delivered: 0},
		{name: "enforce, and enough", mode: inbox.BillingEnforce, credit: 10 * price, good: 8, delivered: 8, balance: 2 * price, entries: 9},
		{name: "enforce, and enough for some", mode: inbox.BillingEnforce, credit: 7*price + 1, good: 20, delivered: 7, balance: 1, entries: 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			ten := w.tenant(t, func(in *inbox.Instance) { in.BillingMode, in.ReplyPrice = c.mode, price })
			if c.credit > 0 {
				w.exec(t, `INSERT INTO ledger (instance_id, reference, kind, amount) VALUES ($1, 'credit:test', 'credit', $2)`, ten.ID, int64(c.credit))
			}
			for i := range c.good {
				ten.thread(t, "good"+strings.Repeat("+", i)).reply(t, "hello")
			}
			for range c.bad {
				ten.thread(t, "bad").reply(t, "hello")
			}
			w.settled(t)
			type result struct {
				Delivered, Unpaid, Spoilt int
				Balance                   inbox.MicroUSD
				Entries                   int64
			}
			var got result
			err := w.Owner.QueryRow(t.Context(), `
				SELECT count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE error LIKE 'the balance does not cover%' AND attempts = 0),
				       count(*) FILTER (WHERE error = 'no'), (SELECT amount FROM balance WHERE instance_id = $1),
				       (SELECT count(*) FROM ledger WHERE instance_id = $1)
				  FROM action WHERE instance_id = $1`, ten.ID).Scan(&got.Delivered, &got.Unpaid, &got.Spoilt, &got.Balance, &got.Entries)
			if err != nil {
				t.Fatal(err)
			}
			want := result{c.delivered, c.good - c.delivered, c.spoil, c.balance, c.entries}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
	w.balanced(t)
}

// One tenant's empty balance costs another one nothing.
func TestUnpaidTenantSpoilsNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	poor := w.tenant(t, func(in *inbox.Instance) { in.BillingMode = inbox.BillingEnforce })
	rich := w.tenant(t)
	var ids []inbox.ActionID
	for i := range 10 {
		poor.thread(t, "p"+strings.Repeat("+", i)).reply(t, "hello")
		ids = append(ids, rich.thread(t, "r"+strings.Repeat("+", i)).reply(t, "hello"))
	}
	w.run(t, byChat(nil), listening)
	for _, id := range ids {
		if s := rich.until(t, id, inbox.ActionCompleted, inbox.ActionFailed); s.Status != inbox.ActionCompleted {
			t.Errorf("got %+v", s)
		}
	}
	w.settled(t)
	w.balanced(t)
}
