package delivery_test

import (
	"context"
	"testing"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// Files being fetched hold up no reply, and are left to others when the worker stops.
func TestMediaAsideOfReplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	fetching := make(chan struct{}, 100)
	f := byChat(nil)
	f.media = func(ctx context.Context, _ string) (provider.Media, inbox.Outcome) {
		fetching <- struct{}{}
		<-ctx.Done()
		return provider.Media{}, inbox.Outcome{Kind: inbox.Later, Reason: "interrupted"}
	}
	th := ten.thread(t, "1")
	var files []inbox.ActionID
	for range 10 {
		_, id := th.attachment(t, "ref")
		files = append(files, id)
	}
	stop := w.run(t, f)
	for range 2 { // as many as one lane may fetch at once
		<-fetching
	}
	ten.until(t, th.reply(t, "hello"), inbox.ActionCompleted)
	stop()
	for _, id := range files {
		if s := ten.state(t, id); s.Status != inbox.ActionPending || s.Error != "" {
			t.Errorf("got %+v, want pending", s)
		}
	}
	if len(fetching) > 0 {
		t.Errorf("%d further files were fetched at once", len(fetching))
	}
}
