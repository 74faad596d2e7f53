//go:build long && linux

package badday

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"

	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
	"github.com/open4x/socialops/runtime/rest"
)

// answered runs a command with -o json, which must do well, and reads what it says.
func answered[T any](d *devMode, args ...string) (v T) {
	d.t.Helper()
	p, status := d.command(append(args, "-o", "json")...)
	if status != 0 {
		d.t.Fatalf("socialops %s ended with %d: %s", strings.Join(args, " "), status, p.log)
	}
	if err := json.Unmarshal([]byte(p.out.String()), &v); err != nil {
		d.t.Fatalf("socialops %s: %v: %s", strings.Join(args, " "), err, p.out)
	}
	return v
}

// fails runs a command that must say what is wrong.
func (d *devMode) fails(want string, args ...string) {
	d.t.Helper()
	if p, status := d.command(args...); status != 1 || !strings.Contains(p.log.String(), want) || p.out.String() != "" {
		d.t.Errorf("socialops %s ended with %d and said %q, want %q", strings.Join(args, " "), status, p.log, want)
	}
}

// TestCommands are an admin's on a dev mode that runs.
func TestCommands(t *testing.T) {
	t.Parallel()
	sim, err := botapisim.Start(botapisim.Options{AnyBot: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	d := startDev(t, options{}, filepath.Join(newFolder(t), "data"), freeAddress(t), copySamples(t), "--telegram-api-url", sim.URL())
	reader := keys(t, d)
	requeue(t, d, sim)
	money(t, d)
	d.consistent("support")
	forget(t, d, sim)
	d.stop()
	d.fails("no inbox runs on "+d.data, "ledger", "check")
	_, secret, _ := sim.Webhook(sampleToken)
	d.quiet(d.key("support"), reader, sampleToken, sampleSecret, secret)
}

type shownKey struct {
	ID, Name, Key, Hint string
	Scopes              []string
	RevokedAt           time.Time `json:"revoked_at"`
}

func keys(t *testing.T, d *devMode) (value string) {
	t.Helper()
	made := answered[shownKey](d, "key", "create", "support", "--name", "reader", "--scopes", "socialops:read")
	if !strings.HasPrefix(made.Key, "sk_") {
		t.Fatalf("the key is %q", made.Key)
	}
	c := newClient(t, d.client("support").base, made.Key)
	until(t, "the new key opens the inbox", func() bool { return !refusedKey(c) })
	c.call(http.MethodPost, "/webhook/generic-webhook", genericEvent("evt_0", "incident")).refused(t, http.StatusForbidden)

	list := answered[[]shownKey](d, "key", "list", "support")
	if len(list) != 2 {
		t.Errorf("the keys are %+v, want those of the dev mode and the reader", list)
	}
	for _, k := range list {
		if k.Key != "" {
			t.Errorf("the list shows the value of %s", k.Name)
		}
	}
	p, _ := d.command("key", "list", "support")
	if out := p.out.String(); !strings.Contains(out, "reader") || strings.Contains(out, made.Key) || strings.Contains(out, d.key("support")) {
		t.Errorf("the list is %q", out)
	}
	d.fails(`there is no instance with the alias "nobody"`, "key", "create", "nobody", "--name", "x")
	d.fails(`there is no scope "all"`, "key", "create", "support", "--name", "x", "--scopes", "all")
	d.fails("comes from the instance's manifest", "key", "revoke", "support", "dev")

	if gone := answered[shownKey](d, "key", "revoke", "support", made.ID); gone.RevokedAt.IsZero() || gone.ID != made.ID {
		t.Errorf("revoked %+v", gone)
	}
	revoked := time.Now()
	until(t, "the revoked key is refused", func() bool {
		since := time.Since(revoked) // when the call began: how long it takes is the machine's affair
		refused := refusedKey(c)
		if !refused && since > 5*time.Second {
			t.Errorf("the revoked key still opened the inbox after %s", since)
		}
		return refused
	})
	d.fails(`there is no valid key "reader"`, "key", "revoke", "support", "reader")
	return made.Key
}

// requeue has a reply refused by the provider, and sent again by command.
func requeue(t *testing.T, d *devMode, sim *botapisim.Sim) {
	t.Helper()
	c := d.client("support")
	jane := models.User{ID: 4711, FirstName: "Jane", LastName: "Doe"}
	status, text, err := sim.UserSays(sampleToken, botapisim.Private(jane), jane, "my order has not come").Wait(t.Context())
	var said rest.WebhookAnswer
	if err != nil || status != http.StatusAccepted || json.Unmarshal(text, &said) != nil {
		t.Fatalf("the webhook answered %d %s, %v", status, text, err)
	}
	blocked := sim.Inject(botapisim.Fault{Method: "sendMessage", Status: http.StatusForbidden, Description: "Forbidden: bot was blocked by the user"})
	var queued rest.Envelope[rest.Queued]
	c.call(http.MethodPost, "/threads/"+said.ThreadID+"/replies", `{"text":"we are checking this now"}`).decode(t, http.StatusCreated, &queued)
	delivery := func() rest.Delivery {
		for _, m := range get[rest.List[rest.Message]](c, "/threads/"+said.ThreadID+"/messages").Data {
			if m.ID == queued.Data.Message.ID {
				return *m.Delivery
			}
		}
		t.Fatal("the reply is gone")
		return rest.Delivery{}
	}
	until(t, "the refused reply has failed", func() bool { return delivery().Status == "failed" })
	if e := delivery().Error; !strings.Contains(e, "blocked") || strings.Contains(e, sampleToken) {
		t.Errorf("it failed because %q", e)
	}
	blocked.Remove()
	id := delivery().ActionID
	if done := answered[map[string]string](d, "action", "requeue", id); done["action_id"] != id || done["status"] != "pending" {
		t.Errorf("requeued %v", done)
	}
	until(t, "the reply is delivered", func() bool { return delivery().Status == "completed" })
	if n := len(sim.SentTo(jane.ID)); n != 1 {
		t.Errorf("the simulator has seen %d replies, want 1", n)
	}
	d.fails("is no action", "action", "requeue", "soact_x")
	d.fails("requeue", "action", "requeue", id) // it is delivered
	d.fails("action", "action", "requeue", "soact_01kc0w3v2pf0bvd9m4v9wq7x5e")
}

func money(t *testing.T, d *devMode) {
	t.Helper()
	type credit struct {
		Credited bool
		Balance  int64 `json:"balance_micro_usd"`
	}
	// One message of 200, one failed reply of 1,000 and its refund, and one delivered.
	for i, want := range []credit{{true, 2_500_000 - 1200}, {false, 2_500_000 - 1200}} {
		if got := answered[credit](d, "credit", "support", "2.5", "--reference", "invoice-1"); got != want {
			t.Errorf("credit %d: %+v, want %+v", i+1, got, want)
		}
	}
	if p, status := d.command("credit", "support", "0.0002", "--reference", "invoice-2"); status != 0 || !strings.Contains(p.out.String(), "credited 0.0002 USD to support (invoice-2); the balance is 2.499 USD") {
		t.Errorf("credit ended with %d and said %q", status, p.out)
	}
	d.fails("another amount was credited under this reference before", "credit", "support", "3", "--reference", "invoice-1")
	d.fails("not an amount in US dollars", "credit", "support", "1.x", "--reference", "invoice-3")
	d.fails(`"nobody"`, "credit", "nobody", "1", "--reference", "invoice-3")
	books := answered[[]struct {
		Alias   string
		Balance int64 `json:"balance_micro_usd"`
		Entries int64
	}](d, "ledger", "check")
	if len(books) != 1 || books[0].Alias != "support" || books[0].Balance != 2_499_000 || books[0].Entries != 6 {
		t.Errorf("the books are %+v, want 6 entries and 2,499,000", books)
	}
	if p, status := d.command("ledger", "check"); status != 0 || !strings.Contains(p.out.String(), "every balance is the sum of its entries") {
		t.Errorf("ledger check ended with %d and said %q", status, p.out)
	}
}

// forget removes a person by command.
func forget(t *testing.T, d *devMode, sim *botapisim.Sim) {
	t.Helper()
	c := d.client("support")
	john := models.User{ID: 4712, FirstName: "John", LastName: "Roe"}
	status, answer, err := sim.UserSays(sampleToken, botapisim.Private(john), john, "forget me").Wait(t.Context())
	var said rest.WebhookAnswer
	if err != nil || status != http.StatusAccepted || json.Unmarshal(answer, &said) != nil {
		t.Fatalf("the webhook answered %d %s, %v", status, answer, err)
	}
	thread := get[rest.Envelope[rest.InboxThread]](c, "/threads/"+said.ThreadID).Data
	type removed struct {
		Removed map[string]int
	}
	got := answered[removed](d, "forget", "contact", "support", thread.Contact.ID)
	if got.Removed["threads"] != 1 || got.Removed["messages"] != 1 || got.Removed["raw_payloads"] != 1 || got.Removed["contacts"] != 1 {
		t.Errorf("forgot %+v", got)
	}
	c.call(http.MethodGet, "/threads/"+said.ThreadID, "").refused(t, http.StatusNotFound)
	if again := answered[removed](d, "forget", "thread", "support", said.ThreadID); again.Removed["threads"] != 0 {
		t.Errorf("forgot again %+v", again)
	}
	if p, status := d.command("forget", "thread", "support", said.ThreadID); status != 0 || !strings.Contains(p.out.String(), "it was removed before, or never there") {
		t.Errorf("forgetting again ended with %d and said %q", status, p.out)
	}
	d.fails("want socon_", "forget", "contact", "support", said.ThreadID)
	d.fails(`there is no instance with the alias "nobody"`, "forget", "contact", "nobody", thread.Contact.ID)
	if p, status := d.command("ledger", "check"); status != 0 {
		t.Errorf("ledger check ended with %d and said %q", status, p.log)
	}
}
