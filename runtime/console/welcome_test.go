package console

import (
	"context"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// deeds are desks that only know whose an inbox is.
type deeds struct {
	inbox.Desks
	in   inbox.OwnedInstance
	fail error
}

func (d *deeds) Find(context.Context, string, string) (inbox.OwnedInstance, error) {
	return d.in, d.fail
}

// Who follows an inbox is asked at each beat whether it is still theirs.
func TestWelcome(t *testing.T) {
	t.Parallel()
	own := inbox.OwnedInstance{Instance: inbox.Instance{ID: inbox.NewID[inbox.InstanceID](time.Now()), Alias: "support"}}
	next := inbox.OwnedInstance{Instance: inbox.Instance{ID: inbox.NewID[inbox.InstanceID](time.Now()), Alias: "support"}}
	for name, c := range map[string]struct {
		in      inbox.OwnedInstance
		fail    error
		later   time.Duration
		welcome bool
	}{
		"still theirs":                    {in: own, later: time.Minute, welcome: true},
		"taken away":                      {fail: inbox.Errorf(inbox.CodeNotFound, "no such inbox"), later: ownedFor},
		"another under the same alias":    {in: next, later: ownedFor},
		"the database can't be asked":     {fail: inbox.Errorf(inbox.CodeUnavailable, "try again"), later: time.Minute, welcome: true},
		"what was read is not yet so old": {fail: inbox.Errorf(inbox.CodeNotFound, "no such inbox"), later: ownedFor - 1, welcome: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Now()
			d := &deeds{in: own}
			s := &Server{Options: Options{Desks: d}, owned: newRecent[ownedKey, inbox.OwnedInstance](ownedFor, func() time.Time { return now })}
			p := &person{User: User{Subject: "alice"}, s: s, in: own}
			if !p.Welcome(t.Context()) {
				t.Fatal("turned away from their own")
			}
			d.in, d.fail, now = c.in, c.fail, now.Add(c.later)
			if got := p.Welcome(t.Context()); got != c.welcome {
				t.Errorf("welcome: %t", got)
			}
		})
	}
}
