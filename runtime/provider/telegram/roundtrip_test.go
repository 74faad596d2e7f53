package telegram

import (
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"
	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// What people do at the simulator comes in as it should, and what goes out they
// see: both sides of the wire agree.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	sim := startSim(t, botapisim.Options{RetryDelay: time.Millisecond})
	p := newProvider(t, sim, Options{})
	const secret = "s3cret"
	proofs := []provider.Proof{{Source: "telegram:111", TokenHashes: [][32]byte{sha256.Sum256([]byte(secret))}}}
	got := make(chan inbox.Inbound, 16)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		in := &provider.Request{Header: r.Header, Body: body}
		account, ok := p.Authenticate(in, proofs)
		if !ok {
			t.Error("a call without proof")
			return
		}
		event, err := p.Normalize(in, account)
		if err != nil {
			t.Error(err)
			return
		}
		got <- event
	}))
	t.Cleanup(hook.Close)
	if err := p.SetWebhook(t.Context(), credential, provider.Webhook{URL: hook.URL, Secret: secret}); err != nil {
		t.Fatal(err)
	}

	bob := models.User{ID: 7, FirstName: "Bob", Username: "bob"}
	chat := botapisim.Private(bob)
	group := models.Chat{ID: -55, Type: models.ChatTypeGroup, Title: "Team"}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	type event struct {
		Kind                     inbox.InboundKind
		Thread, Type, Text, ID   string
		Parent, Contact, Migrate string
		Reaction                 []string
		Ref                      bool
	}
	for _, c := range []struct {
		name string
		does func() *botapisim.Delivery
		want event
	}{
		{
			"says",
			func() *botapisim.Delivery { return sim.UserSays(token, chat, bob, "hello") },
			event{Kind: inbox.AddMessage, Thread: "7", Type: "text", Text: "hello", ID: "7:1", Contact: "7"},
		},
		{
			"edits",
			func() *botapisim.Delivery { return sim.UserEdits(token, chat, bob, 1, "hullo") },
			event{Kind: inbox.EditMessage, Thread: "7", Type: "text", Text: "hullo", ID: "7:1", Contact: "7"},
		},
		{
			"presses",
			func() *botapisim.Delivery { return sim.UserPresses(token, chat, bob, 1, "Yes", "y") },
			event{Kind: inbox.AddMessage, Thread: "7", Type: "callback_query", Text: "Yes", ID: "callback", Parent: "7:1", Contact: "7"},
		},
		{
			"reacts",
			func() *botapisim.Delivery { return sim.UserReacts(token, chat, bob, 1, "👍") },
			event{Kind: inbox.React, Thread: "7", Type: "message_reaction", ID: "7:1", Contact: "7", Reaction: []string{"👍"}},
		},
		{
			"sends a file",
			func() *botapisim.Delivery {
				return sim.UserSendsFile(token, botapisim.Private(models.User{ID: 8}), models.User{ID: 8}, botapisim.File{Name: "a.txt", MIMEType: "text/plain", Content: []byte("x")}, "log")
			},
			event{Kind: inbox.AddMessage, Thread: "8", Type: "document", Text: "log", ID: "8:1", Contact: "8", Ref: true},
		},
		{"blocks", func() *botapisim.Delivery { return sim.UserBlocks(token, bob) }, event{Kind: inbox.BlockContact, Thread: "7", Contact: "7"}},
		{"unblocks", func() *botapisim.Delivery { return sim.UserUnblocks(token, bob) }, event{Kind: inbox.AllowContact, Thread: "7", Contact: "7"}},
		{
			"migrates",
			func() *botapisim.Delivery { return sim.GroupMigrates(token, group, -10055)[1] },
			event{Kind: inbox.MigrateThread, Thread: "-55", Migrate: "-10055"},
		},
	} {
		d := c.does()
		if status, _, err := d.Wait(ctx); err != nil || status != http.StatusOK {
			t.Fatalf("%s: the webhook answered %d, %v", c.name, status, err)
		}
		in := <-got
		if c.name == "migrates" { // told twice, and both times the same
			again := <-got
			in.EventID, in.Raw, again.EventID, again.Raw = "", nil, "", nil
			if d := cmp.Diff(in, again); d != "" {
				t.Error(d)
			}
		}
		e := event{
			Kind: in.Kind, Thread: in.Thread.ExternalID, Type: in.Message.Type, Text: in.Message.Text,
			ID: in.Message.ExternalID, Parent: in.Message.ParentID, Migrate: in.MigratedTo, Reaction: in.Message.Reaction,
		}
		if in.Contact != nil {
			e.Contact = in.Contact.ExternalID
		}
		if c.name == "presses" {
			e.ID = e.ID[:len("callback")]
		}
		if len(in.Message.Attachments) == 1 {
			media, out := p.FetchMedia(ctx, credential, in.Message.Attachments[0].Ref)
			if out.Kind != inbox.Delivered {
				t.Fatalf("%+v", out)
			}
			body, err := io.ReadAll(media.Body)
			e.Ref = err == nil && string(body) == "x"
			_ = media.Body.Close()
		}
		if d := cmp.Diff(c.want, e); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}
