// Package desk is the play of `make demo`: a small support desk, which sells model
// rockets, as it was during the last three weeks and as it goes on while somebody
// looks. It is told as turns, in their order; who plays them is runtime/dev. The
// same call gives the same turns: nothing here reads a clock or rolls a dice.
package desk

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-telegram/bot/models"
)

// Kind is what happens in a turn.
type Kind int

// The kinds. The first three come from outside.
const (
	Says   Kind = iota // a person writes to the bot
	Posts              // the monitoring posts Body to the generic webhook
	Hooks              // GitHub tells of Body as an event
	Blocks             // a person blocks the bot
	Reply              // an agent answers
	Fails              // an agent's answer can't be delivered
	Note               // an agent notes something
	Sets               // an agent changes the thread by Body, as the API's PATCH has it
)

// Turn is one thing that happens.
type Turn struct {
	Kind   Kind
	At     time.Time
	Thread string      // the conversation's name in the play
	ID     string      // unique: of the event, or of the call
	Person models.User // who says or blocks
	Text   string
	Event  string // GitHub's name for what happened
	Body   map[string]any
}

// past are the conversations of the last weeks.
var past = slices.Concat(customers, incidents, repositories)

// Past is what happened until now: about 50 conversations, all of it before now.
func Past(now time.Time) []Turn {
	var turns []Turn
	for _, c := range past {
		turns = append(turns, c.play(now.Add(-c.ago), 0)...)
	}
	slices.SortStableFunc(turns, func(a, b Turn) int { return a.At.Compare(b.At) })
	for i, t := range turns { // a long story ends before the curtain rises
		if !t.At.Before(now) {
			turns[i].At = now.Add(-time.Duration(len(turns)-i) * time.Second)
		}
	}
	return turns
}

// Round is how many turns [Live] takes until it tells its stories anew.
var Round = len(weave())

// Live is the nth turn of what goes on, and how long it is waited for, 5 to 15 s.
// Conversations with people and incidents are told again in the same threads, so
// that an hour of it makes few new ones.
func Live(n int, now time.Time) (Turn, time.Duration) {
	order := weave()
	at, round := order[n%len(order)], n/len(order)
	turns := live[at.story].play(now, round+1)
	t := turns[at.step]
	t.At = now
	return t, time.Duration(5+(n*7+n/3)%11) * time.Second
}

// Thanks is what the nth person answers whom somebody at the console has answered.
func Thanks(n int) string { return thanks[n%len(thanks)] }

// story is one conversation.
type story struct {
	ago    time.Duration // when it began
	name   string
	person models.User
	topic  topic // of GitHub
	steps  []step
}

// step is one turn of a story, some time after the one before.
type step struct {
	after time.Duration
	kind  Kind
	text  string
	event string
	body  map[string]any
}

// place is a step of a live story.
type place struct{ story, step int }

// weave is the order in which the live stories are told: each in its own order,
// three or four under way at a time.
func weave() []place {
	var order []place
	next := make([]int, len(live))
	first := 0
	for turn := 0; first < len(live); turn++ {
		at := first + turn%min(4, len(live)-first)
		if next[at] < len(live[at].steps) {
			order = append(order, place{at, next[at]})
			next[at]++
		}
		for first < len(live) && next[first] == len(live[first].steps) {
			first++
		}
	}
	return order
}

// play tells the story from a time on. Rounds after the first have names of their own.
func (s *story) play(at time.Time, round int) []Turn {
	turns := make([]Turn, 0, len(s.steps))
	for i, step := range s.steps {
		at = at.Add(step.after)
		t := Turn{Kind: step.kind, At: at, Thread: s.name, ID: fmt.Sprintf("demo-%s-%d-%d", s.name, round, i), Person: s.person, Text: step.text, Event: step.event}
		switch step.kind {
		case Posts:
			t.Body = s.event(step, t, at)
		case Hooks:
			t.Body, t.Thread = s.hook(step, at, round), s.topic.thread(s.name, round)
		case Sets:
			t.Body = step.body
		}
		if s.topic.number != 0 {
			t.Thread = s.topic.thread(s.name, round)
		}
		turns = append(turns, t)
	}
	return turns
}

// event is what the monitoring posts.
func (s *story) event(step step, t Turn, at time.Time) map[string]any {
	body := map[string]any{
		"event_id": t.ID, "thread_id": s.name, "text": step.text, "sent_at": at.UTC().Format(time.RFC3339),
		"user": map[string]any{"id": "monitoring", "name": "Monitoring"},
	}
	maps.Copy(body, step.body)
	return body
}

func person(id int64, first, last, user, language string) models.User {
	return models.User{ID: 5100000000 + id, FirstName: first, LastName: last, Username: user, LanguageCode: language}
}

const (
	hours = time.Hour
	days  = 24 * time.Hour
)

func says(after time.Duration, text string) step { return step{after: after, kind: Says, text: text} }

func reply(after time.Duration, text string) step { return step{after: after, kind: Reply, text: text} }

func note(after time.Duration, text string) step { return step{after: after, kind: Note, text: text} }

// set changes fields of the thread; by name and value.
func set(after time.Duration, fields ...any) step {
	body := map[string]any{}
	for i := 0; i+1 < len(fields); i += 2 {
		body[fields[i].(string)] = fields[i+1]
	}
	return step{after: after, kind: Sets, body: body}
}

func resolved(after time.Duration) step { return set(after, "status", "resolved") }

func labels(names ...string) []string { return names }

// incident is what the monitoring posts: first with a title, and a priority if it has one.
func incident(after time.Duration, title, text, priority string, labels ...string) step {
	body := map[string]any{"title": title, "labels": labels}
	if priority != "" {
		body["priority"] = priority
	}
	return step{after: after, kind: Posts, text: text, body: body}
}

func update(after time.Duration, text string) step {
	return step{after: after, kind: Posts, text: text}
}

func m(n int) time.Duration { return time.Duration(n) * time.Minute }
