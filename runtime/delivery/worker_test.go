package delivery_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/billing"
	"github.com/open4x/socialops/runtime/delivery"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// Each outcome of a send, and what becomes of the action and the money.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := []struct {
		name    string
		outcome inbox.Outcome
		panics  bool
		want    state
		audit   []string
	}{
		{
			name:    "delivered",
			outcome: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "77:1"},
			want:    state{Status: inbox.ActionCompleted, Attempts: 1, External: "77:1", Balance: -500},
			audit:   []string{"completed by worker"},
		},
		{
			name:    "handed over",
			outcome: inbox.Outcome{Kind: inbox.HandedOver, ExternalID: "77:2"},
			want:    state{Status: inbox.ActionAwaiting, Attempts: 1, External: "77:2", Balance: -500},
			audit:   []string{"awaiting by worker"},
		},
		{
			name:    "refused",
			outcome: inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (403): Forbidden: bot was blocked by the user"},
			want:    state{Status: inbox.ActionFailed, Attempts: 1, Error: "Telegram refused it (403): Forbidden: bot was blocked by the user"},
			audit:   []string{"failed: Telegram refused it (403): Forbidden: bot was blocked by the user by worker"},
		},
		{
			name:    "unknown",
			outcome: inbox.Outcome{Kind: inbox.Unknown, Reason: "it took too long"},
			want:    state{Status: inbox.ActionFailed, Attempts: 1, Error: "delivery outcome unknown"},
			audit:   []string{"failed: delivery outcome unknown by worker"},
		},
		{
			name:  "nothing that a provider should say",
			want:  state{Status: inbox.ActionFailed, Attempts: 1, Error: "delivery outcome unknown"},
			audit: []string{"failed: delivery outcome unknown by worker"},
		},
		{
			name:   "a provider's code that panics",
			panics: true,
			want:   state{Status: inbox.ActionFailed, Attempts: 1, Error: "delivery outcome unknown"},
			audit:  []string{"failed: delivery outcome unknown by worker"},
		},
		{
			name:    "a reason with bytes that Postgres does not take",
			outcome: inbox.Outcome{Kind: inbox.Refused, Reason: "bad\x00\xff"},
			want:    state{Status: inbox.ActionFailed, Attempts: 1, Error: "bad\uFFFD\uFFFD"},
			audit:   []string{"failed: bad\uFFFD\uFFFD by worker"},
		},
		{
			name:    "an id that no index takes",
			outcome: inbox.Outcome{Kind: inbox.Delivered, ExternalID: strings.Repeat("x", 5000)},
			want:    state{Status: inbox.ActionCompleted, Attempts: 1, Balance: -500},
			audit:   []string{"completed by worker"},
		},
		{
			name:    "an id with a NUL",
			outcome: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "a\x00b"},
			want:    state{Status: inbox.ActionCompleted, Attempts: 1, External: "a\uFFFDb", Balance: -500},
			audit:   []string{"completed by worker"},
		},
	}
	answers := map[string]func(int) inbox.Outcome{}
	for i, c := range cases {
		answers[strconv.Itoa(i)] = func(int) inbox.Outcome {
			if c.panics {
				panic("no such luck")
			}
			return c.outcome
		}
	}
	w.run(t, byChat(answers), listening)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ten := w.tenant(t)
			id := ten.thread(t, strconv.Itoa(i)).reply(t, "hello")
			if d := cmp.Diff(c.want, ten.until(t, id, c.want.Status)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(append([]string{"pending by system", "processing by worker"}, c.audit...), ten.audit(t, id)); d != "" {
				t.Error(d)
			}
		})
	}
	w.balanced(t)
}

// The ledger's references are those that the billing package names.
func TestReferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	w.run(t, byChat(map[string]func(int) inbox.Outcome{"1": func(int) inbox.Outcome { return inbox.Outcome{Kind: inbox.Refused} }}))
	th := ten.thread(t, "1")
	id := th.reply(t, "hello")
	ten.until(t, id, inbox.ActionFailed)
	if err := w.queue.Requeue(t.Context(), id, "cli"); err != nil {
		t.Fatal(err)
	}
	ten.until(t, id, inbox.ActionFailed)
	want := []string{
		billing.RefundReference(billing.ReplyReference(id, 0)), billing.RefundReference(billing.ReplyReference(id, 1)),
		billing.ReplyReference(id, 0), billing.ReplyReference(id, 1),
	}
	got := scan[[]string](t, w.Owner, `SELECT array_agg(reference ORDER BY reference) FROM ledger WHERE instance_id = $1`, ten.ID)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	w.balanced(t)
}

// What the provider gets: the account's secret, the channel's parse mode, the message that is answered.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	w.exec(t, `UPDATE channel SET parse_mode = 'HTML' WHERE id = $1`, ten.Telegram)
	type call struct {
		Secret, Source string
		Part           provider.Reply
	}
	calls := make(chan call, 2)
	w.run(t, &fake{deliver: func(_ context.Context, c provider.Credential, part provider.Reply) inbox.Outcome {
		calls <- call{string(c.Secret), c.Source, part}
		return inbox.Outcome{Kind: inbox.Delivered, ExternalID: "42:" + part.Text}
	}})
	th := ten.thread(t, "42")
	first := th.reply(t, "first")
	ten.until(t, first, inbox.ActionCompleted)
	second := th.prepare(t, "<b>hi</b>")
	w.exec(t, `UPDATE message SET parent_id = (SELECT message_id FROM action WHERE id = $1) WHERE id = $2`, first, second)
	th.queue(t, second)
	<-calls
	want := call{tokenOf(ten.TelegramSource), ten.TelegramSource, provider.Reply{
		ThreadExternalID: "42", ParentExternalID: "42:first", Text: "<b>hi</b>", ParseMode: "HTML",
	}}
	if d := cmp.Diff(want, <-calls); d != "" {
		t.Error(d)
	}
}

// A reply that has to wait is tried again, obeying what the provider asked for, and charged once.
func TestLaterIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	f := byChat(map[string]func(int) inbox.Outcome{"1": func(n int) inbox.Outcome {
		if n == 1 {
			return inbox.Outcome{Kind: inbox.Later, RetryAfter: time.Second, Reason: "asked to wait"}
		}
		return delivered(n)
	}})
	w.run(t, f, listening)
	id := ten.thread(t, "1").reply(t, "hello")
	want := state{Status: inbox.ActionCompleted, Attempts: 2, External: "m2", Balance: -500}
	if d := cmp.Diff(want, ten.until(t, id, inbox.ActionCompleted)); d != "" {
		t.Error(d)
	}
	calls := f.calls()
	if wait := calls[1].at.Sub(calls[0].at); wait < time.Second || wait > 2*time.Second {
		t.Errorf("waited %s, was asked for 1 s", wait)
	}
	wantAudit := []string{
		"pending by system", "processing by worker", "pending: asked to wait by worker", "processing: asked to wait by worker", "completed by worker",
	}
	if d := cmp.Diff(wantAudit, ten.audit(t, id)); d != "" {
		t.Error(d)
	}
	w.balanced(t)
}

func TestGivesUpInTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	w.run(t, byChat(map[string]func(int) inbox.Outcome{"1": func(int) inbox.Outcome {
		return inbox.Outcome{Kind: inbox.Later, Reason: "can't be reached"}
	}}), func(o *delivery.Options) { o.GiveUpAfter = 1500 * time.Millisecond })
	id := ten.thread(t, "1").reply(t, "hello")
	got := ten.until(t, id, inbox.ActionFailed)
	if got.Error != "gave up after 1.5s: can't be reached" || got.Balance != 0 || got.Attempts < 1 {
		t.Errorf("got %+v", got)
	}
	w.balanced(t)
}

// Parts leave in order, each once; a retry goes on where it stopped.
func TestParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := byChat(map[string]func(int) inbox.Outcome{
		"later": func(n int) inbox.Outcome {
			return nth(n, 2, inbox.Outcome{Kind: inbox.Later, RetryAfter: time.Millisecond})
		},
		"unknown": func(n int) inbox.Outcome { return nth(n, 2, inbox.Outcome{Kind: inbox.Unknown}) },
		"refused": func(n int) inbox.Outcome { return nth(n, 3, inbox.Outcome{Kind: inbox.Refused, Reason: "no"}) },
		"handed": func(n int) inbox.Outcome {
			return inbox.Outcome{Kind: inbox.HandedOver, ExternalID: "h" + strconv.Itoa(n)}
		},
	})
	w.run(t, f, listening)
	const text = "one\ntwo\nthree"
	for _, c := range []struct {
		chat    string
		status  inbox.ActionStatus
		sent    string
		tries   int
		charged inbox.MicroUSD
	}{
		{"whole", inbox.ActionCompleted, "one two three", 1, -500},
		{"later", inbox.ActionCompleted, "one two two three", 2, -500},
		{"unknown", inbox.ActionFailed, "one two", 1, 0},
		{"refused", inbox.ActionFailed, "one two three", 1, 0},
		{"handed", inbox.ActionAwaiting, "one two three", 1, -500},
	} {
		t.Run(c.chat, func(t *testing.T) {
			ten := w.tenant(t)
			id := ten.thread(t, c.chat).reply(t, text)
			got := ten.until(t, id, c.status)
			if sent := strings.Join(f.to(c.chat), " "); sent != c.sent || got.Attempts != c.tries || got.Balance != c.charged {
				t.Errorf("sent %q in %d attempts for %d; want %q, %d, %d", sent, got.Attempts, got.Balance, c.sent, c.tries, c.charged)
			}
		})
	}
	// A person asks again for the one whose second part may or may not have arrived: what did is not repeated.
	id := scan[string](t, w.Owner, `SELECT id::text FROM action WHERE error = $1`, inbox.ErrOutcomeUnknown)
	action := parseAction(t, id)
	if err := w.queue.Requeue(t.Context(), action, "cli"); err != nil {
		t.Fatal(err)
	}
	w.settled(t)
	if sent := strings.Join(f.to("unknown"), " "); sent != "one two two three" {
		t.Errorf("after the requeue sent %q", sent)
	}
	if name := scan[string](t, w.Owner, `SELECT external_id FROM message WHERE id = (SELECT message_id FROM action WHERE id = $1)`, action); name != "unknown:1" {
		t.Errorf("the message is called %q, want its first part's id", name)
	}
	w.balanced(t)
}

// nth is an outcome at the n-th send, and a delivery at the others.
func nth(n, at int, o inbox.Outcome) inbox.Outcome {
	if n == at {
		return o
	}
	return inbox.Outcome{Kind: inbox.Delivered, ExternalID: "unknown:" + strconv.Itoa(n)}
}

// Replies of a thread leave in their order, also when there are many, and one that
// has to wait holds back those behind it, and nobody else.
func TestThreadOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	f := byChat(map[string]func(int) inbox.Outcome{
		"waits": func(n int) inbox.Outcome {
			return nth(n, 1, inbox.Outcome{Kind: inbox.Later, RetryAfter: 700 * time.Millisecond})
		},
	})
	many, waits, other := ten.thread(t, "many"), ten.thread(t, "waits"), ten.thread(t, "other")
	var want []string
	for i := range 150 {
		want = append(want, strconv.Itoa(i))
		many.reply(t, want[i])
	}
	waits.reply(t, "a")
	waits.reply(t, "b")
	o := other.reply(t, "x")
	w.run(t, f, listening)
	ten.until(t, o, inbox.ActionCompleted)
	if slices.Contains(f.to("waits"), "b") {
		t.Error("a reply overtook the one before it")
	}
	w.settled(t)
	if d := cmp.Diff(want, f.to("many")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"a", "a", "b"}, f.to("waits")); d != "" {
		t.Error(d)
	}
	w.balanced(t)
}
