package rest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

// prove gives an account of the provider to the instance, with a secret token or a signing secret.
func (a *app) prove(provider string, account inbox.AccountID, source, token, secret string) {
	a.t.Helper()
	a.sql(`INSERT INTO account (id, install_id, namespace, name, kind, owner, source, credential, key_id, fingerprint)
		VALUES ($1, $2, 'test', $3, 'x', 'o', $4, 'sealed', 'key', 'print') ON CONFLICT DO NOTHING`, account, a.tenant.ID, account.String(), source)
	var hash, sealed []byte
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		hash = sum[:]
	}
	if secret != "" {
		sealed = a.seal.Seal([]byte(secret), account.String())
	}
	a.sql(`INSERT INTO account_proof (instance_id, account_id, provider, source, token_hash, secret) VALUES ($1, $2, $3, $4, $5, $6)`,
		a.tenant.ID, account, provider, source, hash, sealed)
}

const telegramUpdate = `{"update_id": 10000, "message": {"message_id": 7, "date": 1785000000, "text": "hello",
	"chat": {"id": 123456789012, "type": "private", "first_name": "Ada"}, "from": {"id": 123456789012, "is_bot": false, "first_name": "Ada"}}}`

func TestWebhookProofs(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	hub := inbox.NameID[inbox.AccountID](a.tenant.ID, "hub")
	a.prove("telegram", a.tenant.Account, a.tenant.TelegramSource, "right-token", "")
	a.prove("github", hub, "github", "", "It's a Secret to Everybody")
	const issue = `{"action":"opened","issue":{"id":1,"number":42,"title":"It breaks","body":"Here","html_url":"https://github.com/acme/app/issues/42",
		"user":{"id":5,"login":"ada","html_url":"https://github.com/ada"},"state":"open","created_at":"2026-11-01T12:00:00Z"},
		"repository":{"id":9,"full_name":"acme/app"},"sender":{"id":5,"login":"ada"}}`
	sign := func(body string) string {
		mac := hmac.New(sha256.New, []byte("It's a Secret to Everybody"))
		mac.Write([]byte(body))
		return "X-Hub-Signature-256: sha256=" + hex.EncodeToString(mac.Sum(nil))
	}
	const nobody = "X-API-Key:"
	github := func(body, event, signature string) answer {
		t.Helper()
		return a.call(http.MethodPost, "/webhook/github", body, nobody, "X-GitHub-Event: "+event, "X-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958", signature)
	}
	telegram := func(token string) answer {
		t.Helper()
		return a.call(http.MethodPost, "/webhook/telegram", telegramUpdate, nobody, "X-Telegram-Bot-Api-Secret-Token: "+token)
	}
	// Forged and missing proofs.
	for _, r := range []answer{
		telegram("wrong-token"), telegram(""), github(issue, "issues", "X-Hub-Signature-256: sha256="+strings.Repeat("0", 64)),
		github(issue, "issues", sign(issue+" ")), github(issue, "issues", "X-Hub-Signature: sha1=abc"), github(issue, "issues", "X-Hub-Signature-256:"),
	} {
		r.problem(t, http.StatusUnauthorized, "unauthorized")
	}
	// Real ones.
	for _, r := range []func() answer{
		func() answer { return telegram("right-token") },
		func() answer { return github(issue, "issues", sign(issue)) },
	} {
		first := decode[rest.WebhookAnswer](t, r(), http.StatusAccepted)
		again := decode[rest.WebhookAnswer](t, r(), http.StatusOK)
		if again.Status != "duplicate" || again.MessageID != first.MessageID || first.MessageID == "" {
			t.Errorf("%+v, then %+v", first, again)
		}
	}
	// What makes no message.
	const zen = `{"zen":"Keep it logically awesome.","hook_id":1}`
	ping := decode[rest.WebhookAnswer](t, github(zen, "ping", sign(zen)), http.StatusOK)
	if ping.Status != "ignored" || ping.Reason != "ping" || ping.Provider != "github" {
		t.Errorf("ping: %+v", ping)
	}
	odd := decode[rest.WebhookAnswer](t, github(zen, `"<odd>"`, sign(zen)), http.StatusOK)
	if odd.Status != "ignored" {
		t.Errorf("an event that nobody knows: %+v", odd)
	}
	// A chat that nobody bound: proven, so no key's fallback.
	a.sql("UPDATE channel SET external_id = 'some other chat' WHERE instance_id = $1", a.tenant.ID)
	b := start(t, a.db) // whose settings are not cached yet
	b.prove("telegram", b.tenant.Account, b.tenant.TelegramSource, "b-token", "")
	b.sql("UPDATE channel SET external_id = 'some other chat' WHERE instance_id = $1", b.tenant.ID)
	unbound := decode[rest.WebhookAnswer](t, b.call(http.MethodPost, "/webhook/telegram", telegramUpdate, nobody, "X-Telegram-Bot-Api-Secret-Token: b-token"), http.StatusOK)
	if unbound.Status != "ignored" || !strings.Contains(unbound.Reason, "binds") {
		t.Errorf("a chat that nobody bound: %+v", unbound)
	}
	// The same with a key goes to the default channel, or to none.
	keyed := decode[rest.WebhookAnswer](t, b.call(http.MethodPost, "/webhook/telegram", telegramUpdate), http.StatusAccepted)
	if keyed.ThreadID == "" {
		t.Errorf("with a key: %+v", keyed)
	}
	if n := counter(t, a.metrics, "socialops_ingest_events_total", "provider", "github", "result", "ignored"); n != 2 {
		t.Errorf("%v ignored events were counted", n)
	}
	if n := counter(t, a.metrics, "socialops_ingest_events_total", "provider", "telegram", "result", "unauthorized"); n != 2 {
		t.Errorf("%v forged events were counted", n)
	}
}

func TestWebhookExhaustedBalance(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t), func(i *inbox.Instance, _ *rest.Options) { i.BillingMode = inbox.BillingEnforce })
	a.call(http.MethodPost, "/webhook/generic-webhook", specEvent).problem(t, http.StatusPaymentRequired, "unpaid")
	a.sql("INSERT INTO ledger (instance_id, reference, kind, amount) VALUES ($1, 'credit:1', 'credit', 200)", a.tenant.ID)
	a.event(http.StatusAccepted, specEvent)
	a.event(http.StatusOK, specEvent) // a repeat costs nothing
	a.call(http.MethodPost, "/webhook/generic-webhook", `{"text": "one more"}`).problem(t, http.StatusPaymentRequired, "unpaid")
}

func TestSuspended(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t), func(i *inbox.Instance, _ *rest.Options) { i.Suspended = true })
	for _, r := range []answer{a.call(http.MethodPost, "/webhook/generic-webhook", specEvent), a.get("/inbox")} {
		r.problem(t, http.StatusServiceUnavailable, "unavailable")
		if r.Header.Get("Retry-After") == "" {
			t.Error("without Retry-After")
		}
	}
}
