package project

import (
	"sync"

	"github.com/open4x/socialops/runtime/inbox"
)

// turns lets one call of a provider at a time speak for an account: of two bindings
// of one bot that are projected at once, the second finds the webhook registered.
// The zero value is ready for use.
type turns struct {
	mu    sync.Mutex
	taken map[inbox.AccountID]*turn
}

type turn struct {
	mu    sync.Mutex
	users int // who has or awaits it
}

// take waits for an account's turn. The returned function gives it back.
func (t *turns) take(id inbox.AccountID) (done func()) {
	t.mu.Lock()
	if t.taken == nil {
		t.taken = map[inbox.AccountID]*turn{}
	}
	own := t.taken[id]
	if own == nil {
		own = &turn{}
		t.taken[id] = own
	}
	own.users++
	t.mu.Unlock()
	own.mu.Lock()
	return func() {
		own.mu.Unlock()
		t.mu.Lock()
		defer t.mu.Unlock()
		if own.users--; own.users == 0 {
			delete(t.taken, id)
		}
	}
}
