package delivery_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// Each outcome of a send, and what becomes of the action and the money.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		outcome inbox.Outcome
		want    state
		audit   []string
	}{
		"delivered": {
			inbox.Outcome{Kind: inbox.Delivered, ExternalID: "77:1"},
			state{Status: inbox.ActionCompleted, Attempts: 1, External: "77:1", Balance: -500},
			[]string{"pending by system", "processing by worker", "completed by worker"},
		},
		"handed over": {
			inbox.Outcome{Kind: inbox.HandedOver, ExternalID: "77:2"},
			state{Status: inbox.ActionAwaiting, Attempts: 1, External: "77:2", Balance: -500},
			[]string{"pending by system", "processing by worker", "awaiting by worker"},
		},
		"refused": {
			inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (403): Forbidden: bot was blocked by the user"},
			state{Status: inbox.ActionFailed, Attempts: 1, Error: "Telegram refused it (403): Forbidden: bot was blocked by the user"},
			[]string{"pending by system", "processing by worker", "failed: Telegram refused it (403): Forbidden: bot was blocked by the user by worker"},
		},
		"unknown": {
			inbox.Outcome{Kind: inbox.Unknown, Reason: "it took too long"},
			state{Status: inbox.ActionFailed, Attempts: 1, Error: "delivery outcome unknown"},
			[]string{"pending by system", "processing by worker", "failed: delivery outcome unknown by worker"},
		},
		"nothing that a provider should say": {
			inbox.Outcome{},
			state{Status: inbox.ActionFailed, Attempts: 1, Error: "delivery outcome unknown"},
			[]string{"pending by system", "processing by worker", "failed: delivery outcome unknown by worker"},
		},
		"with bytes that Postgres does not take": {
			inbox.Outcome{Kind: inbox.Refused, Reason: "bad\x00\xff"},
			state{Status: inbox.ActionFailed, Attempts: 1, Error: "bad\uFFFD\uFFFD"},
			[]string{"pending by system", "processing by worker", "failed: bad\uFFFD\uFFFD by worker"},
		},
		"with an id that no index takes": {
			inbox.Outcome{Kind: inbox.Delivered, ExternalID: strings.Repeat("x", 5000)},
			state{Status: inbox.ActionCompleted, Attempts: 1, Balance: -500},
			[]string{"pending by system", "processing by worker", "completed by worker"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ten := w.tenant(t)
			stop := w.run(t, &fake{deliver: func(context.Context, provider.Credential, provider.Reply) inbox.Outcome { return c.outcome }})
			id := ten.thread(t, "77").reply(t, "hello")
			got := ten.until(t, id, c.want.Status)
			stop()
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.audit, ten.audit(t, id)); d != "" {
				t.Error(d)
			}
			w.balanced(t)
		})
	}
}

func TestSecretReachesTheProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	w.exec(t, `UPDATE channel SET parse_mode = 'HTML' WHERE id = $1`, ten.Telegram)
	got := make(chan string, 1)
	w.run(t, &fake{deliver: func(_ context.Context, c provider.Credential, part provider.Reply) inbox.Outcome {
		got <- string(c.Secret) + " " + c.Source + " " + part.ThreadExternalID + " " + part.ParseMode + " " + part.Text
		return delivered(1)
	}})
	ten.until(t, ten.thread(t, "42").reply(t, "<b>hi</b>"), inbox.ActionCompleted)
	if want := tokenOf(ten.TelegramSource) + " " + ten.TelegramSource + " 42 HTML <b>hi</b>"; <-got != want {
		t.Errorf("want %q", want)
	}
}

// A reply that has to wait is tried again, obeying what the provider asked for, and charged once.
func TestLaterIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	var n int
	f := &fake{}
	f.deliver = func(context.Context, provider.Credential, provider.Reply) inbox.Outcome {
		if n++; n == 1 {
			return inbox.Outcome{Kind: inbox.Later, RetryAfter: time.Second, Reason: "asked to wait"}
		}
		return delivered(n)
	}
	w.run(t, f)
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
