package rest_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

func TestReplies(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	made := a.event(http.StatusAccepted, specEvent)
	path := "/threads/" + made.ThreadID
	for name, text := range map[string]string{
		"plain":         "Thanks, we are checking this now.",
		"emoji":         "👍🏽 done",
		"right to left": "شكرا \u202e",
		"SQL":           "'; DROP TABLE message; --",
		"HTML":          "<b onmouseover=alert(1)>&amp;",
		"newlines":      "a\r\n\tb\u2028c",
		"longest":       strings.Repeat("x", inbox.MaxReplyLen),
	} {
		got := decode[rest.Envelope[rest.Queued]](t, a.call(http.MethodPost, path+"/replies", encode(t, map[string]string{"text": text, "parent_id": made.MessageID})), http.StatusCreated)
		m, action := got.Data.Message, got.Data.Action
		if !got.Success || m.Direction != inbox.DirectionOutbound || m.MessageType != "text" || m.Text != text || m.ThreadID != made.ThreadID || m.ParentID != made.MessageID ||
			m.Author.Kind != "api_key" || m.Author.Name != "test" || m.Origin != inbox.Ours {
			t.Errorf("%s: message %+v", name, m)
		}
		if action == nil || action.ActionType != inbox.SendReply || action.Status != inbox.ActionPending || m.Delivery == nil || m.Delivery.ActionID != action.ID || m.Delivery.Status != inbox.ActionPending {
			t.Errorf("%s: action %+v, delivery %+v", name, action, m.Delivery)
		}
		if got := last(t, a, path); got.Text != text || got.Delivery == nil {
			t.Errorf("%s: read back as %+v", name, got)
		}
	}
	note := decode[rest.Envelope[rest.Queued]](t, a.call(http.MethodPost, path+"/notes", `{"text": "Checked provider dashboard and assigned to ops.", "in_reply_to": "`+made.MessageID+`"}`), http.StatusCreated).Data
	if note.Action != nil || note.Message.Direction != inbox.DirectionInternal || note.Message.Delivery != nil || note.Message.ParentID != made.MessageID {
		t.Errorf("note: %+v", note)
	}
	nul := decode[rest.Envelope[rest.Queued]](t, a.call(http.MethodPost, path+"/notes", "{\"text\": \"a\\u0000b\xff\"}"), http.StatusCreated).Data
	if nul.Message.Text != "a\uFFFDb\uFFFD" {
		t.Errorf("NUL and invalid UTF-8 became %q", nul.Message.Text)
	}
}

// last is the thread's last message.
func last(t *testing.T, a *app, thread string) rest.Message {
	t.Helper()
	list := decode[rest.List[rest.Message]](t, a.get(thread+"/messages?limit=100"), http.StatusOK).Data
	return list[len(list)-1]
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, other := start(t, db), start(t, db)
	made := a.event(http.StatusAccepted, specEvent)
	second := a.event(http.StatusAccepted, `{"thread_id": "second", "text": "x"}`)
	path := "/threads/" + made.ThreadID
	const key = "Idempotency-Key: reply-1"
	call := func(path, body string) answer { t.Helper(); return a.call(http.MethodPost, path, body, key) }

	first := call(path+"/replies", `{"text": "once"}`)
	queued := decode[rest.Envelope[rest.Queued]](t, first, http.StatusCreated)
	if first.Header.Get("Idempotency-Replayed") != "" {
		t.Error("the first call says that it repeats one")
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			again := call(path+"/replies", `{ "text":"once" }`)
			if diff := cmp.Diff(queued.Data, decode[rest.Envelope[rest.Queued]](t, again, http.StatusCreated).Data); diff != "" || again.Header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("a repeat: %s, %v", diff, again.Header)
			}
		})
	}
	wg.Wait()
	call(path+"/replies", `{"text": "twice"}`).problem(t, http.StatusUnprocessableEntity, "unprocessed")
	call(path+"/replies", `{"text": "once", "parent_id": "`+made.MessageID+`"}`).problem(t, http.StatusUnprocessableEntity, "unprocessed")
	call("/threads/"+second.ThreadID+"/replies", `{"text": "once"}`).problem(t, http.StatusUnprocessableEntity, "unprocessed")
	// The same key is free on another route, and for another inbox.
	decode[rest.Envelope[rest.Queued]](t, call(path+"/notes", `{"text": "once"}`), http.StatusCreated)
	theirs := other.event(http.StatusAccepted, specEvent)
	decode[rest.Envelope[rest.Queued]](t, other.call(http.MethodPost, "/threads/"+theirs.ThreadID+"/replies", `{"text": "once"}`, key), http.StatusCreated)
	// What failed is not kept: the caller may correct it under the same key.
	a.call(http.MethodPost, path+"/replies", `{"text": ""}`, "Idempotency-Key: reply-2").problem(t, http.StatusBadRequest, "invalid")
	decode[rest.Envelope[rest.Queued]](t, a.call(http.MethodPost, path+"/replies", `{"text": "better"}`, "Idempotency-Key: reply-2"), http.StatusCreated)

	if n := a.count("SELECT count(*) FROM action WHERE instance_id = $1", a.tenant.ID); n != 2 {
		t.Errorf("%d actions", n)
	}
}

func TestIdempotentFirstCallsAtOnce(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	made := a.event(http.StatusAccepted, specEvent)
	ids := make([]string, 32)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			r := a.call(http.MethodPost, "/threads/"+made.ThreadID+"/replies", `{"text": "once"}`, "Idempotency-Key: k")
			ids[i] = decode[rest.Envelope[rest.Queued]](t, r, http.StatusCreated).Data.Message.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] || id == "" {
			t.Errorf("ids: %v", ids)
		}
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	made := a.event(http.StatusAccepted, specEvent)
	q := decode[rest.Envelope[rest.Queued]](t, a.call(http.MethodPost, "/threads/"+made.ThreadID+"/replies", `{"text": "x"}`), http.StatusCreated).Data
	retry := "/threads/" + made.ThreadID + "/messages/" + q.Message.ID + "/retry"
	a.call(http.MethodPost, retry, "").problem(t, http.StatusConflict, "conflict")
	a.sql("UPDATE action SET status = 'failed', error = 'the provider said no', settled_at = now(), attempts = 1")
	if m := last(t, a, "/threads/"+made.ThreadID); m.Delivery == nil || m.Delivery.Status != inbox.ActionFailed || m.Delivery.Error != "the provider said no" || m.Delivery.Attempts != 1 {
		t.Errorf("a failed reply: %+v", m.Delivery)
	}
	got := decode[rest.Envelope[rest.Message]](t, a.call(http.MethodPost, retry, ""), http.StatusOK).Data
	if got.ID != q.Message.ID || got.Delivery.Status != inbox.ActionPending || got.Delivery.Error != "" {
		t.Errorf("queued again: %+v", got)
	}
	a.call(http.MethodPost, retry, "").problem(t, http.StatusConflict, "conflict")
}
