package delivery_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// A conversation that moved to where another one is already stays apart from it,
// and its replies arrive all the same.
func TestMigrationToATakenAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &fake{}
	f.deliver = func(_ context.Context, _ provider.Credential, part provider.Reply) inbox.Outcome {
		if part.ThreadExternalID == "-5" {
			return inbox.Outcome{Kind: inbox.Later, MigratedTo: "-1005"}
		}
		return inbox.Outcome{Kind: inbox.Delivered, ExternalID: part.ThreadExternalID + ":" + part.Text}
	}
	w.run(t, f, listening)
	ten := w.tenant(t)
	th := ten.thread(t, "-5")
	ten.thread(t, "-1005")
	for i, text := range []string{"first", "second"} {
		want := state{Status: inbox.ActionCompleted, Attempts: 1, External: "-1005:" + text, Balance: inbox.MicroUSD(-500 * (i + 1))}
		if d := cmp.Diff(want, ten.until(t, th.reply(t, text), inbox.ActionCompleted)); d != "" {
			t.Error(d)
		}
	}
	if got := scan[string](t, w.Owner, `SELECT external_id || ' ' || target FROM thread WHERE instance_id = $1 AND id = $2`, ten.ID, th.id); got != "-5 -5" {
		t.Errorf("the thread is at %q", got)
	}
	w.balanced(t)
}

// A provider may have told of our message by webhook before it answered.
func TestExternalIDIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	th := ten.thread(t, "1")
	w.exec(t, `INSERT INTO message (instance_id, id, thread_id, seq, source, external_id, direction, origin, author_kind)
		VALUES ($1, gen_random_uuid(), $2, 1000, $3, 'same', 'outbound', 'ours_elsewhere', 'contact')`, ten.ID, th.id, ten.TelegramSource)
	f := &fake{deliver: func(context.Context, provider.Credential, provider.Reply) inbox.Outcome {
		return inbox.Outcome{Kind: inbox.Delivered, ExternalID: "same"}
	}}
	w.run(t, f, listening)
	a, b := th.reply(t, "a"), ten.thread(t, "2").reply(t, "b")
	for _, id := range []inbox.ActionID{a, b} {
		if got := ten.until(t, id, inbox.ActionCompleted); got.External != "" {
			t.Errorf("got %+v", got)
		}
	}
	w.balanced(t)
}
