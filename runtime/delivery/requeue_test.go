package delivery_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
)

func TestRequeue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	var healed atomic.Bool
	f := byChat(map[string]func(int) inbox.Outcome{"1": func(n int) inbox.Outcome {
		if healed.Load() {
			return delivered(n)
		}
		return inbox.Outcome{Kind: inbox.Refused, Reason: "no"}
	}})
	th := ten.thread(t, "1")
	_, file := th.attachment(t, "x")
	w.exec(t, `UPDATE action SET status = 'failed', settled_at = now() WHERE id = $1`, file)
	stop := w.run(t, f, listening)
	old := th.reply(t, "old")
	ten.until(t, old, inbox.ActionFailed)
	stop()
	newer := th.reply(t, "newer")

	for name, c := range map[string]struct {
		id   inbox.ActionID
		code inbox.Code
		text string
	}{
		"unknown":    {inbox.NewID[inbox.ActionID](time.Now()), inbox.CodeNotFound, "there is no action "},
		"not failed": {newer, inbox.CodeConflict, " is pending: only a failed one can be requeued"},
		"a file":     {file, inbox.CodeConflict, " is a fetch_media: only a send_reply can be requeued"},
	} {
		if err := w.queue.Requeue(t.Context(), c.id, "cli"); inbox.CodeOf(err) != c.code || !contains(err, c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.queue.Requeue(t.Context(), old, "cli"); err != nil {
		t.Fatal(err)
	}
	if err := w.queue.Requeue(t.Context(), old, "cli"); inbox.CodeOf(err) != inbox.CodeConflict {
		t.Errorf("requeued twice: %v", err)
	}
	healed.Store(true)
	w.run(t, f, listening)
	w.settled(t)
	if d := cmp.Diff([]string{"old", "old", "newer"}, f.to("1")); d != "" {
		t.Error("the older one goes first", d)
	}
	audit := ten.audit(t, old)
	if audit[len(audit)-3] != "pending by cli" || ten.state(t, old).Attempts != 2 {
		t.Errorf("audit %q, state %+v", audit, ten.state(t, old))
	}
	w.balanced(t)
}
