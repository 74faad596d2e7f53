package delivery_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/delivery"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/generic"
	"github.com/open4x/socialops/runtime/provider/github"
	"github.com/open4x/socialops/runtime/provider/telegram"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// simulator starts a Bot API that knows any bot, and the provider that calls it,
// by default without pacing.
func simulator(t testing.TB, paces telegram.Paces, o botapisim.Options) (*botapisim.Sim, *telegram.Provider) {
	t.Helper()
	o.AnyBot = true
	sim, err := botapisim.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	p := telegram.New(telegram.Options{APIURL: sim.URL(), Paces: &paces})
	t.Cleanup(p.Close)
	return sim, p
}

// listening has the worker look at the queue as often as a busy one is woken.
func listening(o *delivery.Options) {
	o.Listen = func(ctx context.Context, wake func()) {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				wake()
			case <-ctx.Done():
				return
			}
		}
	}
}

// entries are the ledger's about an action, which is written A there.
func (ten *tenant) entries(t testing.TB, id inbox.ActionID) []string {
	t.Helper()
	return scan[[]string](t, ten.w.Owner, `
		SELECT coalesce(array_agg(replace(reference, $2, 'A') || ' ' || amount ORDER BY reference), '{}') FROM ledger
		 WHERE instance_id = $1 AND reference LIKE '%' || $2 || '%'`, ten.ID, id.UUID())
}

func (w *world) requeue(t testing.TB, id inbox.ActionID) {
	t.Helper()
	if err := w.queue.Requeue(t.Context(), id, "user:ann"); err != nil {
		t.Fatal(err)
	}
}

// same compares, and says of what.
func same[T any](t testing.TB, what string, want, got T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

var (
	charged         = []string{"reply:A:0 -500"}
	refunded        = []string{"refund:reply:A:0 500", "reply:A:0 -500"}
	refundedAndPaid = []string{"refund:reply:A:0 500", "reply:A:0 -500", "reply:A:1 -500"}
)

// failedFor is the log of an action that was tried once and failed.
func failedFor(why string) []string {
	return []string{"pending by system", "processing by worker", "failed: " + why + " by worker"}
}

// What can't be sent fails at once, tells a person what to do, and costs nothing.
func TestObstacles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sim, p := simulator(t, telegram.Paces{}, botapisim.Options{})
	w.run(t, p, listening, func(o *delivery.Options) {
		o.Providers = provider.NewRegistry(p, generic.New(), github.New())
		o.GiveUpAfter = time.Millisecond // of a credential that can't be opened for now
	})
	t.Run("each", func(t *testing.T) {
		for name, c := range map[string]struct {
			prepare string // of the tenant $1, with the account $2
			at      string // another provider
			want    string
		}{
			"no channel":       {prepare: `WITH a AS (SELECT $2::uuid) DELETE FROM channel WHERE instance_id = $1 AND provider = 'telegram'`, want: "no channel binds the conversation: bind one to an active telegram-bot account, then retry"},
			"inactive channel": {prepare: `UPDATE channel SET active = false WHERE instance_id = $1 AND account_id = $2`, want: `the channel "telegram" is inactive: activate it, then retry`},
			"no account":       {prepare: `UPDATE channel SET account_id = NULL WHERE instance_id = $1 AND account_id = $2`, want: `the channel "telegram" has no connected account: give it an active telegram-bot account, then retry`},
			"account of another kind": {
				prepare: `UPDATE account SET kind = 'github-app', name = 'hub' WHERE $1::uuid IS NOT NULL AND id = $2`,
				want:    `the connected account "hub" of the channel "telegram" is a github-app, not a telegram-bot: give the channel another, then retry`,
			},
			"another bot": {
				prepare: `UPDATE channel SET source = 'telegram:9' WHERE instance_id = $1 AND account_id = $2`,
				want:    `the channel "telegram" has another connected account than the one the contact wrote to: give it that one back, then retry`,
			},
			"erased credential": {
				prepare: `UPDATE account SET credential = '', name = 'bot' WHERE $1::uuid IS NOT NULL AND id = $2`,
				want:    `the connected account "bot" has no credential any more: connect it anew, then retry`,
			},
			"credential under another key": {
				prepare: `UPDATE account SET key_id = 'another' WHERE $1::uuid IS NOT NULL AND id = $2`,
				want:    "gave up after 1ms: this worker can't read the connected account's credential: give it the key that credentials are sealed with",
			},
			"credential of another account": {
				prepare: `UPDATE account SET credential = decode('00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', 'hex') WHERE $1::uuid IS NOT NULL AND id = $2`,
				want:    "gave up after 1ms: this worker can't read the connected account's credential: give it the key that credentials are sealed with",
			},
			"blocked contact": {prepare: `UPDATE contact SET blocked_at = now() WHERE instance_id = $1 AND $2::uuid IS NOT NULL`, want: "the contact has blocked us: wait until they write again, then retry"},
			"github":          {at: "github", want: "provider github can't deliver replies: answer there by hand"},
			"generic":         {at: "generic-webhook", want: "provider generic-webhook can't deliver replies: answer there by hand"},
			"unknown provider": {
				at: "carrier-pigeon", want: "provider carrier-pigeon is not known here: run a worker that knows it, then retry",
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ten := w.tenant(t)
				th := ten.thread(t, "77")
				if c.at != "" {
					th = ten.threadAt(t, c.at, c.at+":1", nil, "77")
				}
				if c.prepare != "" {
					w.exec(t, c.prepare, ten.ID, ten.Account)
				}
				id := th.reply(t, "hello")
				same(t, "action", state{Status: inbox.ActionFailed, Error: c.want}, ten.until(t, id, inbox.ActionFailed, inbox.ActionCompleted))
				same(t, "audit", failedFor(c.want), ten.audit(t, id))
				same(t, "ledger", []string{}, ten.entries(t, id))
			})
		}
	})
	same(t, "sends", 0, sim.Count())
	w.balanced(t)
}

// An Enforce instance sends what its balance covers; others do not notice.
func TestBalanceExhausted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	poor := w.tenant(t, func(i *inbox.Instance) { i.BillingMode = inbox.BillingEnforce })
	rich := w.tenant(t)
	free := w.tenant(t, func(i *inbox.Instance) { i.BillingMode = inbox.BillingOff })
	w.exec(t, `INSERT INTO ledger (instance_id, reference, kind, amount) VALUES ($1, 'credit:1', 'credit', 1200)`, poor.ID)
	var paid, unpaid []inbox.ActionID
	for i := range 2 { // 1200 pay for two
		paid = append(paid, poor.thread(t, chatName(i)).reply(t, "paid"))
	}
	sim, p := simulator(t, telegram.Paces{}, botapisim.Options{})
	w.run(t, p, listening)
	w.settled(t)
	for i := range 3 {
		unpaid = append(unpaid, poor.thread(t, chatName(10+i)).reply(t, "unpaid"))
	}
	others := rich.thread(t, chatName(20)).reply(t, "rich")
	gratis := free.thread(t, chatName(21)).reply(t, "free")
	w.settled(t)

	for _, id := range paid {
		same(t, "paid", inbox.ActionCompleted, poor.state(t, id).Status)
		same(t, "its ledger", charged, poor.entries(t, id))
	}
	const why = "the balance does not cover the reply: add credit, then retry"
	for _, id := range unpaid {
		same(t, "unpaid", state{Status: inbox.ActionFailed, Error: why, Balance: 200}, poor.state(t, id))
		same(t, "its audit", failedFor(why), poor.audit(t, id))
		same(t, "its ledger", []string{}, poor.entries(t, id))
	}
	same(t, "other", inbox.ActionCompleted, rich.state(t, others).Status)
	same(t, "free", inbox.ActionCompleted, free.state(t, gratis).Status)
	same(t, "its ledger", []string{}, free.entries(t, gratis))

	w.exec(t, `INSERT INTO ledger (instance_id, reference, kind, amount) VALUES ($1, 'credit:2', 'credit', 300)`, poor.ID)
	w.requeue(t, unpaid[0])
	same(t, "after credit", inbox.ActionCompleted, poor.until(t, unpaid[0], inbox.ActionCompleted, inbox.ActionFailed).Status)
	same(t, "its ledger", []string{"reply:A:1 -500"}, poor.entries(t, unpaid[0]))
	same(t, "sends", 5, sim.Count())
	w.balanced(t)
}

// What Telegram answers, and what becomes of the reply and the money. Each reply
// reaches the chat once at most, whatever the machine does; one whose outcome is
// not known is sent again when a person asks for it.
func TestTelegramAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sim, p := simulator(t, telegram.Paces{}, botapisim.Options{})
	w.run(t, p, listening, func(o *delivery.Options) { o.SendDeadline = time.Second })
	forbidden := "Telegram refused it (403): Forbidden: bot was blocked by the user"
	unknown := inbox.ErrOutcomeUnknown
	n := 0
	t.Run("each", func(t *testing.T) {
		for name, c := range map[string]struct {
			mode, text string
			fault      botapisim.Fault
			want       string   // audit error; empty: completed
			seen       []string // by the chat
		}{
			"delivered":         {text: "hi", seen: []string{"hi"}},
			"HTML":              {text: "<b>hi</b>", mode: "HTML", seen: []string{"hi"}},
			"bad HTML":          {text: "1 < 2 & <b>3", mode: "HTML", seen: []string{"1 < 2 & 3"}},
			"refused":           {text: "hi", fault: botapisim.Fault{Status: 403, Description: "Forbidden: bot was blocked by the user"}, want: forbidden},
			"refused, bad chat": {text: "hi", fault: botapisim.Fault{Status: 400, Description: "Bad Request: chat not found"}, want: "Telegram refused it (400): Bad Request: chat not found"},
			"refused, token":    {text: "hi", fault: botapisim.Fault{Status: 401}, want: "Telegram refused it (401): Unauthorized: is the bot token still valid?"},
			"too slow":          {text: "hi", fault: botapisim.Fault{Hang: true, Effect: true}, want: unknown, seen: []string{"hi"}},
			"reset":             {text: "hi", fault: botapisim.Fault{Drop: botapisim.BeforeAnswer}, want: unknown},
			"reset, and sent":   {text: "hi", fault: botapisim.Fault{Drop: botapisim.BeforeAnswer, Effect: true}, want: unknown, seen: []string{"hi"}},
			"answer broken off": {text: "hi", fault: botapisim.Fault{Drop: botapisim.MidAnswer, Effect: true}, want: unknown, seen: []string{"hi"}},
			"500":               {text: "hi", fault: botapisim.Fault{Status: 500}, want: unknown},
			"502, and sent":     {text: "hi", fault: botapisim.Fault{Status: 502, Body: "<html>", Effect: true}, want: unknown, seen: []string{"hi"}},
			"no JSON":           {text: "hi", fault: botapisim.Fault{Body: "<html>", Effect: true}, want: unknown, seen: []string{"hi"}},
		} {
			n++
			chat := int64(5000 + n)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ten := w.tenant(t)
				w.exec(t, `UPDATE channel SET parse_mode = $2 WHERE id = $1`, ten.Telegram, c.mode)
				if c.fault != (botapisim.Fault{}) {
					c.fault.ChatID, c.fault.Times, c.fault.Method = chat, 1, "sendMessage"
					defer sim.Inject(c.fault).Remove()
				}
				th := ten.thread(t, strconv.FormatInt(chat, 10))
				id := th.reply(t, c.text)
				got := ten.until(t, id, inbox.ActionFailed, inbox.ActionCompleted)
				got.External = ""
				want := state{Status: inbox.ActionCompleted, Attempts: 1, Balance: -500}
				audit := []string{"pending by system", "processing by worker", "completed by worker"}
				ledger := charged
				if c.want != "" {
					want, audit, ledger = state{Status: inbox.ActionFailed, Attempts: 1, Error: c.want}, failedFor(c.want), refunded
				}
				same(t, "action", want, got)
				same(t, "audit", audit, ten.audit(t, id))
				same(t, "ledger", ledger, ten.entries(t, id))

				// What follows in the thread goes out; what failed does not come back with it.
				next := th.reply(t, "next")
				ten.until(t, next, inbox.ActionCompleted)
				seen := append(slices.Clone(c.seen), "next")
				same(t, "seen", seen, textsTo(sim, chat))
				if c.want == "" {
					return
				}
				w.requeue(t, id)
				got = ten.until(t, id, inbox.ActionCompleted, inbox.ActionFailed)
				got.External = ""
				same(t, "requeued", state{Status: inbox.ActionCompleted, Attempts: 2, Balance: -1000}, got)
				same(t, "requeued: seen", append(seen, c.text), textsTo(sim, chat))
				same(t, "requeued: ledger", refundedAndPaid, ten.entries(t, id))
				same(t, "requeued: audit", append(audit, "pending by user:ann", "processing by worker", "completed by worker"), ten.audit(t, id))
			})
		}
	})
	w.balanced(t)
}

func textsTo(sim *botapisim.Sim, chat int64) (texts []string) {
	for _, m := range sim.SentTo(chat) {
		texts = append(texts, m.Text)
	}
	return texts
}

// A long text goes out in parts, in order and each once; a requeue goes on with
// the first part that is not there.
func TestLongText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sim, p := simulator(t, telegram.Paces{}, botapisim.Options{})
	w.run(t, p, listening)
	words := make([]string, 1200)
	for i := range words {
		words[i] = "word" + strconv.Itoa(i)
	}
	text := strings.Join(words, " ")
	parts := p.Parts(provider.Reply{ThreadExternalID: "1", Text: text})
	if len(parts) != 3 {
		t.Fatalf("%d parts, want 3", len(parts))
	}
	var all []string
	for _, part := range parts {
		all = append(all, part.Text)
	}
	t.Run("each", func(t *testing.T) {
		for name, c := range map[string]struct {
			chat  int64
			fault *botapisim.Fault
			want  string
			first []string // seen before a person asks again
		}{
			"whole":           {chat: 1, first: all},
			"part 2 refused":  {chat: 2, fault: &botapisim.Fault{Skip: 1, Status: 403, Description: "Forbidden: x"}, want: "Telegram refused it (403): Forbidden: x", first: all[:1]},
			"part 2 unknown":  {chat: 3, fault: &botapisim.Fault{Skip: 1, Status: 500}, want: inbox.ErrOutcomeUnknown, first: all[:1]},
			"part 2 has time": {chat: 4, fault: &botapisim.Fault{Skip: 1, Status: 429, RetryAfter: 1}, first: all},
			"part 1 refused":  {chat: 5, fault: &botapisim.Fault{Status: 403, Description: "Forbidden: x"}, want: "Telegram refused it (403): Forbidden: x"},
			"part 3 unknown":  {chat: 6, fault: &botapisim.Fault{Skip: 2, Drop: botapisim.BeforeAnswer}, want: inbox.ErrOutcomeUnknown, first: all[:2]},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ten := w.tenant(t)
				if c.fault != nil {
					c.fault.ChatID, c.fault.Times = c.chat, 1
					sim.Inject(*c.fault)
				}
				id := ten.thread(t, strconv.FormatInt(c.chat, 10)).reply(t, text)
				got := ten.until(t, id, inbox.ActionCompleted, inbox.ActionFailed)
				same(t, "error", c.want, got.Error)
				same(t, "seen", c.first, textsTo(sim, c.chat))
				if c.want == "" {
					same(t, "ledger", charged, ten.entries(t, id))
					same(t, "name", strconv.FormatInt(c.chat, 10)+":1", got.External)
					return
				}
				same(t, "ledger", refunded, ten.entries(t, id))
				w.requeue(t, id)
				ten.until(t, id, inbox.ActionCompleted)
				same(t, "seen", all, textsTo(sim, c.chat))
				same(t, "ledger", refundedAndPaid, ten.entries(t, id))
			})
		}
	})
	w.balanced(t)
}

// A group that became a supergroup is written to at its new address, and its
// conversation has that address from then on.
func TestMigration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sim, p := simulator(t, telegram.Paces{}, botapisim.Options{})
	ten := w.tenant(t)
	th := ten.thread(t, "-500")
	const moved = -1001234567890
	sim.Inject(botapisim.Fault{ChatID: -500, Status: 400, MigrateTo: moved})
	w.run(t, p, listening)
	for i, text := range []string{"first", "second"} {
		id := th.reply(t, text)
		want := state{Status: inbox.ActionCompleted, Attempts: 1, External: "-1001234567890:" + strconv.Itoa(i+1), Balance: inbox.MicroUSD(-500 * (i + 1))}
		same(t, text, want, ten.until(t, id, inbox.ActionCompleted, inbox.ActionFailed))
		same(t, text+": ledger", charged, ten.entries(t, id))
	}
	same(t, "new chat", []string{"first", "second"}, textsTo(sim, moved))
	same(t, "address", "-1001234567890 -1001234567890",
		scan[string](t, w.Owner, `SELECT external_id || ' ' || target FROM thread WHERE id = $1`, th.id))
	calls := 0
	for _, c := range sim.Calls("sendmessage") {
		if c.Args["chat_id"] == "-500" {
			calls++
		}
	}
	same(t, "calls of the old address", 1, calls)
	w.balanced(t)
}
