package desk

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)

// check plays turns as the inbox would take them.
func check(t *testing.T, turns []Turn) (threads map[string]int, kinds map[Kind]int) {
	t.Helper()
	threads, kinds = map[string]int{}, map[Kind]int{}
	ids := map[string]bool{}
	last := map[string]time.Time{}
	for _, turn := range turns {
		if ids[turn.ID] {
			t.Errorf("%s is there twice", turn.ID)
		}
		ids[turn.ID] = true
		kinds[turn.Kind]++
		if threads[turn.Thread] == 0 && turn.Kind > Hooks {
			t.Errorf("%s: its conversation has not begun", turn.ID)
		}
		threads[turn.Thread]++
		if turn.At.Before(last[turn.Thread]) {
			t.Errorf("%s is before the turn before it", turn.ID)
		}
		last[turn.Thread] = turn.At
		if _, err := json.Marshal(turn.Body); err != nil {
			t.Errorf("%s: %v", turn.ID, err)
		}
		switch turn.Kind {
		case Says, Blocks:
			if turn.Person.ID == 0 {
				t.Errorf("%s: nobody says it", turn.ID)
			}
		case Reply, Fails:
			if turn.Person.ID == 0 {
				t.Errorf("%s: only people on Telegram can be answered", turn.ID)
			}
		case Posts, Hooks, Sets:
			if len(turn.Body) == 0 {
				t.Errorf("%s: nothing in it", turn.ID)
			}
		}
		if turn.Text == "" && (turn.Kind == Says || turn.Kind == Reply || turn.Kind == Fails || turn.Kind == Note || turn.Kind == Posts) {
			t.Errorf("%s: no text", turn.ID)
		}
	}
	return threads, kinds
}

func TestPast(t *testing.T) {
	t.Parallel()
	turns := Past(noon)
	if diff := cmp.Diff(turns, Past(noon)); diff != "" {
		t.Errorf("the past is another one each time:\n%s", diff)
	}
	threads, kinds := check(t, turns)
	if len(threads) < 40 || len(threads) > 60 {
		t.Errorf("%d conversations, want 40 to 60", len(threads))
	}
	for kind, least := range map[Kind]int{Says: 40, Posts: 11, Hooks: 11, Blocks: 1, Reply: 20, Fails: 1, Note: 10, Sets: 20} {
		if kinds[kind] < least {
			t.Errorf("of kind %d there are %d turns, want %d", kind, kinds[kind], least)
		}
	}
	for i, turn := range turns {
		if !turn.At.Before(noon) || i > 0 && turn.At.Before(turns[i-1].At) {
			t.Errorf("%s is at %s", turn.ID, turn.At)
		}
	}
}

// Stories are told anew round by round with ids of their own, in few new conversations.
func TestLive(t *testing.T) {
	t.Parallel()
	var turns []Turn
	const rounds = 6
	at := noon
	for n := range rounds * Round {
		turn, wait := Live(n, at)
		if wait < 5*time.Second || wait > 15*time.Second {
			t.Errorf("turn %d is waited for %s", n, wait)
		}
		at = at.Add(wait)
		turns = append(turns, turn)
	}
	if at.Sub(noon) < 30*time.Minute {
		t.Errorf("%d rounds are over within %s", rounds, at.Sub(noon))
	}
	threads, kinds := check(t, turns)
	if want := len(live) + (rounds-1)*2; len(threads) != want { // an issue and a run are new each time
		t.Errorf("%d conversations, want %d", len(threads), want)
	}
	for kind := range kinds {
		if kinds[kind]%rounds != 0 {
			t.Errorf("of kind %d there are %d turns: not the same in each round", kind, kinds[kind])
		}
	}
	past := map[string]bool{}
	for _, turn := range Past(noon) {
		past[turn.ID], past[turn.Thread] = true, true
	}
	for _, turn := range turns {
		if past[turn.ID] || past[turn.Thread] {
			t.Errorf("%s of %s belongs to the past", turn.ID, turn.Thread)
		}
	}
}

func TestOpening(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	calls := map[string]int{}
	for _, c := range Opening() {
		calls[c.Path]++
		name, _ := c.Body["name"].(string)
		if len(name) > 60 || names[c.Path+name] {
			t.Errorf("%s: the name %q is too long, or there twice", c.Path, name)
		}
		names[c.Path+name] = true
	}
	if diff := cmp.Diff(map[string]int{"/credits": 1, "/canned": 6, "/views": 2}, calls); diff != "" {
		t.Error(diff)
	}
}
