//go:build long && linux

package badday

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

const (
	connections = 64
	pause       = 25 * time.Millisecond // before an event that was not taken is sent again
)

// sent is one event of a load and what came of it.
type sent struct {
	id     string
	status int // of the answer that ended it; 0: nobody took it
	rest.WebhookAnswer
	tries int
}

// load posts events over many connections, each until it is answered 2xx, as
// providers do.
type load struct {
	c      *client
	prefix string // of the events' ids
	total  int

	next     atomic.Int64
	refusals atomic.Int64 // answers 503
	broken   atomic.Int64 // calls without an answer

	mu     sync.Mutex
	ended  []sent
	acked  int
	awaits map[int]chan struct{}
	done   chan struct{}
}

// startLoad posts total events, or as many as go until ctx ends.
func startLoad(ctx context.Context, c *client, prefix string, total int) *load {
	l := &load{c: c, prefix: prefix, total: total, awaits: map[int]chan struct{}{}, done: make(chan struct{})}
	var workers sync.WaitGroup
	for range connections {
		workers.Go(func() { l.work(ctx) })
	}
	go func() {
		workers.Wait()
		close(l.done)
	}()
	c.t.Cleanup(func() { <-l.done })
	return l
}

func (l *load) work(ctx context.Context) {
	for ctx.Err() == nil {
		n := int(l.next.Add(1))
		if n > l.total {
			return
		}
		s := sent{id: fmt.Sprintf("%s-%d", l.prefix, n)}
		body := genericEvent(s.id, fmt.Sprintf("%s-thread-%d", l.prefix, n%97))
		for ctx.Err() == nil && s.status == 0 {
			s.tries++
			l.try(ctx, &s, body)
		}
		l.end(s)
	}
}

// try sends an event once.
func (l *load) try(ctx context.Context, s *sent, body string) {
	a, err := l.c.send(ctx, http.MethodPost, "/webhook/generic-webhook", strings.NewReader(body))
	switch {
	case err != nil:
		l.broken.Add(1)
	case a.StatusCode == http.StatusAccepted, a.StatusCode == http.StatusOK:
		if err := json.Unmarshal(a.body, &s.WebhookAnswer); err != nil {
			l.c.t.Errorf("event %s: %v: %s", s.id, err, a.body)
		}
		s.status = a.StatusCode
		return
	case a.StatusCode == http.StatusServiceUnavailable:
		l.refusals.Add(1)
		if a.Header.Get("Retry-After") == "" {
			l.c.t.Errorf("event %s: a 503 without Retry-After: %s", s.id, a.body)
		}
	default:
		l.c.t.Errorf("event %s: %d: %s", s.id, a.StatusCode, a.body)
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	}
}

func (l *load) end(s sent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = append(l.ended, s)
	if s.status == 0 {
		return
	}
	l.acked++
	for n, reached := range l.awaits {
		if l.acked >= n {
			close(reached)
			delete(l.awaits, n)
		}
	}
}

// awaitAcked waits until n events are answered.
func (l *load) awaitAcked(n int) {
	l.c.t.Helper()
	l.mu.Lock()
	reached := make(chan struct{})
	if l.acked >= n {
		close(reached)
	} else {
		l.awaits[n] = reached
	}
	l.mu.Unlock()
	await(l.c.t, fmt.Sprintf("%d events answered", n), reached)
}

// wait gives every event once all have ended.
func (l *load) wait() []sent {
	l.c.t.Helper()
	await(l.c.t, "the end of the load", l.done)
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ended)
}

func await(t testing.TB, what string, is <-chan struct{}) {
	t.Helper()
	select {
	case <-is:
	case <-time.After(patience):
		t.Fatalf("waited too long for %s", what)
	}
}

// stored checks an instance that got nothing but these events: every event that
// was answered 2xx is there once, with the ids of its answer, and charged once.
func stored(t testing.TB, db *pgtest.Database, ten *pgtest.Tenant, events []sent) {
	t.Helper()
	db.Owner.Reset() // its connections may be those of a Postgres that is gone
	rows, err := db.Owner.Query(t.Context(), `SELECT split_part(text, ' ', 1), id, thread_id FROM message WHERE instance_id = $1`, ten.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	there := map[string]rest.WebhookAnswer{}
	for rows.Next() {
		var event string
		var message, thread [16]byte
		if err := rows.Scan(&event, &message, &thread); err != nil {
			t.Fatal(err)
		}
		if _, twice := there[event]; twice {
			t.Errorf("event %s is there twice", event)
		}
		there[event] = rest.WebhookAnswer{MessageID: inbox.MessageID(message).String(), ThreadID: inbox.ThreadID(thread).String()}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	lost, unanswered := 0, 0
	for _, e := range events {
		got, ok := there[e.id]
		delete(there, e.id)
		switch {
		case e.status == 0 && ok:
			unanswered++
		case e.status == 0:
		case !ok:
			lost++
		case got.MessageID != e.MessageID || got.ThreadID != e.ThreadID:
			t.Errorf("event %s was answered %+v and is %+v", e.id, e.WebhookAnswer, got)
		case e.tries == 1 && e.status != http.StatusAccepted:
			t.Errorf("event %s was sent once and answered %d", e.id, e.status)
		}
	}
	if lost != 0 {
		t.Errorf("%d events were answered 2xx and are not there", lost)
	}
	if len(there) != 0 {
		t.Errorf("%d messages are there that nobody sent", len(there))
	}
	if unanswered > connections {
		t.Errorf("%d events are there without having been answered: more than were under way", unanswered)
	}
	pgtest.Consistent(t, db.Owner, ten.ID)
}

// repeated sends a part of the events again: each is a duplicate with the ids of its first answer.
func repeated(c *client, events []sent) {
	c.t.Helper()
	step := max(1, len(events)/100)
	for i := 0; i < len(events); i += step {
		e := events[i]
		if e.status == 0 {
			continue
		}
		var again rest.WebhookAnswer
		c.call(http.MethodPost, "/webhook/generic-webhook", genericEvent(e.id, "another-thread")).decode(c.t, http.StatusOK, &again)
		if again.Status != "duplicate" || again.ThreadID != e.ThreadID || again.MessageID != e.MessageID {
			c.t.Errorf("the repeat of %s was answered %+v, after %+v", e.id, again, e.WebhookAnswer)
		}
	}
}

// drained reads a body to its end, whatever that is.
func drained(r io.Reader) string {
	b, _ := io.ReadAll(r)
	return string(b)
}
