package botapisim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"
	"github.com/google/go-cmp/cmp"
)

func TestWebhook(t *testing.T) {
	t.Parallel()
	s := start(t, Options{RetryDelay: time.Millisecond})
	ann := models.User{ID: 7, FirstName: "Ann"}
	early := s.UserSays(token, Private(ann), ann, "before there was a webhook")
	unwanted := s.UserReacts(token, Private(ann), ann, 1, "👍") // not unless asked for
	if status, _, err := unwanted.Wait(t.Context()); status != 0 || err != nil {
		t.Error(status, err)
	}

	var refusals atomic.Int32
	refusals.Store(3)
	var mu sync.Mutex
	var got []string
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Telegram-Bot-Api-Secret-Token") != "s3cret" {
			t.Error("no secret token")
		}
		if refusals.Add(-1) >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var u models.Update
		if err := json.NewDecoder(r.Body).Decode(&u); err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case u.Message != nil:
			got = append(got, fmt.Sprintf("%d %d %s", u.ID, u.Message.ID, u.Message.Text))
		case u.MessageReaction != nil:
			got = append(got, fmt.Sprintf("%d %d", u.ID, len(u.MessageReaction.NewReaction)))
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "thanks")
	}))
	t.Cleanup(hook.Close)
	set := func(more string) {
		t.Helper()
		if status, body := post(t, s, "setWebhook", `{"url":"`+hook.URL+`","secret_token":"s3cret"`+more+`}`); status != 200 {
			t.Fatal(body)
		}
	}
	set(`,"allowed_updates":["message","message_reaction"]`)
	if status, answer, err := early.Wait(t.Context()); status != 202 || string(answer) != "thanks" || err != nil {
		t.Errorf("%d %s %v", status, answer, err)
	}
	if s.UserBlocks(token, ann); s.Pending(token) != 0 {
		t.Error("an update waits that nobody wants")
	}
	set("") // keeps the list
	if _, _, err := s.UserReacts(token, Private(ann), ann, 1, "👍").Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, body := post(t, s, "getWebhookInfo", ""); !sameJSON(body, `{"ok":true,"result":{"url":"`+hook.URL+
		`","has_custom_certificate":false,"pending_update_count":0,"max_connections":40,"allowed_updates":["message","message_reaction"]}}`) {
		t.Error(body)
	}
	mu.Lock()
	if d := cmp.Diff([]string{"700000001 1 before there was a webhook", "700000002 1"}, got); d != "" {
		t.Error(d)
	}
	mu.Unlock()

	post(t, s, "deleteWebhook", `{}`)
	kept := s.UserSays(token, Private(ann), ann, "kept")
	if s.Pending(token) != 1 {
		t.Error("an update is lost without a webhook")
	}
	post(t, s, "deleteWebhook", `{"drop_pending_updates":true}`)
	if status, _, err := kept.Wait(t.Context()); status != 0 || err != nil || s.Pending(token) != 0 {
		t.Errorf("%d %v, %d pending", status, err, s.Pending(token))
	}
}
