package telegram

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

func TestConnect(t *testing.T) {
	t.Parallel()
	sim := startSim(t, botapisim.Options{HTTPSOnly: true})
	p := newProvider(t, sim, Options{})
	ctx := t.Context()

	id, err := p.Identify(ctx, []byte(token+"\n"))
	if want := (provider.Identity{Source: "telegram:111", Name: "@support_bot"}); err != nil || id != want {
		t.Errorf("%+v, %v, want %+v", id, err, want)
	}
	if url, err := p.Webhook(ctx, credential); err != nil || url != "" {
		t.Errorf("%q, %v before any webhook", url, err)
	}
	hook := provider.Webhook{URL: "https://inbox.example/hook", Secret: "s3cret_-"}
	if err := p.SetWebhook(ctx, credential, hook); err != nil {
		t.Fatal(err)
	}
	if url, err := p.Webhook(ctx, credential); err != nil || url != hook.URL {
		t.Errorf("%q, %v", url, err)
	}
	_, secret, allowed := sim.Webhook(token)
	want := []string{"message", "edited_message", "channel_post", "edited_channel_post", "callback_query", "my_chat_member", "message_reaction"}
	if secret != hook.Secret || !cmp.Equal(allowed, want) {
		t.Errorf("registered with %q, %v", secret, allowed)
	}
	for _, c := range sim.Calls("") {
		if c.Args["drop_pending_updates"] == "true" {
			t.Errorf("%s drops updates", c.Method)
		}
	}
	if err := p.DeleteWebhook(ctx, credential); err != nil {
		t.Fatal(err)
	}
	if url, _, _ := sim.Webhook(token); url != "" {
		t.Errorf("%q is still registered", url)
	}
}

func TestConnectFailures(t *testing.T) {
	t.Parallel()
	hook := provider.Webhook{URL: "https://inbox.example/hook", Secret: "s3cret"}
	for name, c := range map[string]struct {
		secret string
		fault  botapisim.Fault
		code   inbox.Code
		want   string
	}{
		"no token":     {secret: "hello", code: inbox.CodeUnproven, want: "this is no bot token"},
		"token in URL": {secret: "1:x/../../2:y", code: inbox.CodeUnproven, want: "this is no bot token"},
		"unknown":      {secret: "5:unknown", code: inbox.CodeUnproven, want: "Telegram does not know this bot token (Unauthorized): use the one from @BotFather"},
		"not found":    {fault: botapisim.Fault{Status: 404}, code: inbox.CodeUnproven, want: "Telegram does not know this bot token"},
		"slow down":    {fault: botapisim.Fault{Status: 429, RetryAfter: 9}, code: inbox.CodeUnavailable, want: "try again after 9s"},
		"server error": {fault: botapisim.Fault{Status: 503}, code: inbox.CodeUnavailable, want: "the Bot API answered with status 503: try again"},
		"dropped":      {fault: botapisim.Fault{Drop: botapisim.BeforeAnswer}, code: inbox.CodeUnavailable, want: "try again"},
		"bad request":  {fault: botapisim.Fault{Status: 400, Description: "Bad Request: bad webhook: Failed to resolve host"}, code: inbox.CodeUnprocessed, want: "Failed to resolve host"},
		"odd result":   {fault: botapisim.Fault{Body: `{"ok":true,"result":[]}`}, code: inbox.CodeUnavailable, want: "try again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, botapisim.Options{})
			if c.fault != (botapisim.Fault{}) {
				sim.Inject(c.fault)
			}
			if c.secret == "" {
				c.secret = token
			}
			p := newProvider(t, sim, Options{})
			cred := provider.Credential{Secret: []byte(c.secret)}
			errs := map[string]error{}
			_, errs["identify"] = p.Identify(t.Context(), cred.Secret)
			_, errs["webhook"] = p.Webhook(t.Context(), cred)
			if name != "odd result" { // they want none
				errs["set"] = p.SetWebhook(t.Context(), cred, hook)
				errs["delete"] = p.DeleteWebhook(t.Context(), cred)
			}
			for call, err := range errs {
				if inbox.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: %q %v, want %q %s", call, inbox.CodeOf(err), err, c.code, c.want)
				}
				noToken(t, fmt.Sprintf("%v %+v", err, err))
			}
		})
	}
	p := newProvider(t, nil, Options{APIURL: "http://127.0.0.1:1"})
	if _, err := p.Identify(t.Context(), []byte(token)); inbox.CodeOf(err) != inbox.CodeUnavailable {
		t.Errorf("%v when nobody answers", err)
	} else {
		noToken(t, err.Error())
	}
	for _, secret := range []string{"", "a b", "ü", strings.Repeat("a", 257)} {
		if err := p.SetWebhook(t.Context(), credential, provider.Webhook{URL: hook.URL, Secret: secret}); inbox.CodeOf(err) != inbox.CodeInvalid {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
}

func TestWebhookHash(t *testing.T) {
	t.Parallel()
	p := New(Options{})
	base := provider.Webhook{URL: "https://a", Secret: "s"}
	if p.WebhookHash(base) != New(Options{}).WebhookHash(base) {
		t.Error("a restart changes the hash")
	}
	for _, w := range []provider.Webhook{{URL: "https://b", Secret: "s"}, {URL: "https://a", Secret: "t"}, {URL: "https://as"}} {
		if p.WebhookHash(w) == p.WebhookHash(base) {
			t.Errorf("%+v has the same hash", w)
		}
	}
}
