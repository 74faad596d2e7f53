package delivery_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/delivery"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/seal"
)

// Another channel may stand in for a thread's own, and a group is not its last writer.
func TestNoObstacles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t, byChat(nil), listening)
	for name, change := range map[string]string{
		"a group whose last writer blocked us": `WITH moved AS (UPDATE thread SET target = '-100' WHERE instance_id = $1)
			UPDATE contact SET blocked_at = now() WHERE instance_id = $1`,
		"its channel is gone, and another one binds it": `UPDATE thread SET channel_id = NULL WHERE instance_id = $1`,
		"its channel is inactive, and another one binds it": `WITH off AS (UPDATE channel SET active = false WHERE instance_id = $1 AND provider = 'telegram' RETURNING *)
			INSERT INTO channel (instance_id, id, provider, name, account_id, source) SELECT instance_id, gen_random_uuid(), provider, 'other', account_id, source FROM off`,
		"an account that was not proven yet": `UPDATE account SET source = '' WHERE install_id = $1`,
	} {
		t.Run(name, func(t *testing.T) {
			ten := w.tenant(t)
			th := ten.thread(t, name)
			w.exec(t, change, ten.ID)
			want := state{Status: inbox.ActionCompleted, Attempts: 1, External: name + ":1", Balance: -500}
			if d := cmp.Diff(want, ten.until(t, th.reply(t, "hello"), inbox.ActionFailed, inbox.ActionCompleted)); d != "" {
				t.Error(d)
			}
		})
	}
}

// A credential that this worker can't read is for its owner to mend: the reply waits.
func TestUnreadableCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	f := byChat(nil)
	other, err := seal.NewKey(append(make([]byte, seal.KeySize-1), 1))
	if err != nil {
		t.Fatal(err)
	}
	stop := w.run(t, f, func(o *delivery.Options) { o.Keys = []*seal.Key{other} })
	id := ten.thread(t, "1").reply(t, "hello")
	waitFor(t, "the reply to wait", func() bool { return ten.state(t, id).Error != "" })
	stop()
	want := state{Status: inbox.ActionPending, Error: "this worker can't read the connected account's credential: give it the key that credentials are sealed with"}
	if d := cmp.Diff(want, ten.state(t, id)); d != "" {
		t.Error(d)
	}
	// A key that is being rotated: the worker holds both.
	w.run(t, f, func(o *delivery.Options) { o.Keys = []*seal.Key{other, w.key} })
	ten.until(t, id, inbox.ActionCompleted)
	w.balanced(t)
}
