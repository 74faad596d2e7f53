package rest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

// listener is a client of the event stream.
type listener struct {
	t     *testing.T
	body  io.ReadCloser
	lines *bufio.Reader
	id    string // the last that was told
	raw   strings.Builder
}

// listen opens the stream and reads its greeting.
func (a *app) listen(query string, headers ...string) *listener {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.base+"/events"+query, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("X-API-Key", a.tenant.Key)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" {
		body, _ := io.ReadAll(resp.Body)
		a.t.Fatalf("events%s: %s, %v: %s", query, resp.Status, resp.Header, body)
	}
	l := &listener{t: a.t, body: resp.Body, lines: bufio.NewReader(resp.Body)}
	a.t.Cleanup(func() { resp.Body.Close() })
	if block := l.block(); !strings.Contains(block, "retry: 2000\n") || l.id == "" {
		a.t.Fatalf("greeting: %q", block)
	}
	return l
}

// block reads up to the next empty line, or "" at the end.
func (l *listener) block() string {
	l.t.Helper()
	var b strings.Builder
	for {
		line, err := l.lines.ReadString('\n')
		if err != nil {
			return ""
		}
		l.raw.WriteString(line)
		if line == "\n" {
			return b.String()
		}
		if id, is := strings.CutPrefix(line, "id: "); is {
			l.id = strings.TrimSpace(id)
		}
		b.WriteString(line)
	}
}

// next reads the next event.
func (l *listener) next() rest.Event {
	l.t.Helper()
	block := l.block()
	var e rest.Event
	for line := range strings.Lines(block) {
		if data, is := strings.CutPrefix(line, "data: "); is {
			d := json.NewDecoder(strings.NewReader(data))
			d.DisallowUnknownFields()
			if err := d.Decode(&e); err != nil {
				l.t.Fatalf("%v in %q", err, block)
			}
		}
	}
	if want := fmt.Sprintf("id: %d\nevent: %s\ndata: ", e.Seq, e.Type); !strings.HasPrefix(block, want) {
		l.t.Fatalf("an event reads %q", block)
	}
	return e
}

func TestEvents(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	before := a.event(http.StatusAccepted, `{"text": "before"}`)
	now, all := a.listen(""), a.listen("?after=0")
	if first := all.next(); first.Seq != 1 || first.MessageID != before.MessageID || first.Message == nil || first.Message.Text != "before" || first.Thread == nil {
		t.Errorf("the first event of all: %+v", first)
	}
	// What happens, as it happens.
	made := a.event(http.StatusAccepted, specEvent)
	created := skip(now, inbox.EventMessageCreated, func(rest.Event) bool { return true })
	if created.Actor != "provider" || created.ThreadID != made.ThreadID || created.MessageID != made.MessageID ||
		created.Message == nil || created.Message.Text != "API latency is high" || created.Thread == nil || created.Thread.UnreadCount != 1 || created.Thread.Contact == nil || created.Thread.LastMessage != nil {
		t.Errorf("a message came: %+v", created)
	}
	key := "key:" + keyID(a)
	decode[rest.Envelope[rest.InboxThread]](t, a.call(http.MethodPatch, "/threads/"+made.ThreadID, `{"status": "pending"}`), http.StatusOK)
	updated := skip(now, inbox.EventThreadUpdated, func(e rest.Event) bool { return cmp.Equal(e.Changed, []string{"status"}) })
	if updated.ThreadID != made.ThreadID || updated.Actor != key || updated.Thread == nil || updated.Thread.Status != inbox.Pending || updated.Message != nil {
		t.Errorf("a thread was changed: %+v", updated)
	}
	queued := decode[rest.Envelope[rest.Queued]](t, a.call(http.MethodPost, "/threads/"+made.ThreadID+"/replies", `{"text": "on it"}`), http.StatusCreated).Data
	replied := skip(now, inbox.EventMessageCreated, func(rest.Event) bool { return true })
	if replied.MessageID != queued.Message.ID || replied.Actor != key || replied.Message.Direction != inbox.DirectionOutbound {
		t.Errorf("a reply was queued: %+v", replied)
	}
	action := skip(now, inbox.EventActionUpdated, func(rest.Event) bool { return true })
	if action.ActionID != queued.Action.ID || action.Status != inbox.ActionPending || action.Message == nil || action.Message.Delivery == nil {
		t.Errorf("an action was made: %+v", action)
	}
	// Again, from the id that was seen first, and by the log alone.
	again := a.listen("", "Last-Event-ID: "+strconv.FormatInt(created.Seq-1, 10))
	if diff := cmp.Diff(created, again.next()); diff != "" {
		t.Errorf("resumed: %s", diff)
	}
	// What was deleted before it is read has ids only.
	a.sql("DELETE FROM message WHERE id = (SELECT message_id FROM event WHERE instance_id = $1 AND seq = 1)", a.tenant.ID)
	gone := a.listen("?after=0").next()
	if gone.MessageID != before.MessageID || gone.Message != nil || gone.Thread == nil {
		t.Errorf("of a deleted message: %+v", gone)
	}
	// The header wins over the query, as a browser sends both when it connects again.
	if both := a.listen("?after=0", "Last-Event-ID: "+strconv.FormatInt(created.Seq-1, 10)).next(); both.Seq != created.Seq {
		t.Errorf("with both: %+v", both)
	}
}

// skip reads events up to one that fits.
func skip(l *listener, kind inbox.EventType, fits func(rest.Event) bool) rest.Event {
	l.t.Helper()
	for {
		if e := l.next(); e.Type == kind && fits(e) {
			return e
		}
	}
}

// Whatever is written at once, each stream has every event once and in order.
func TestEventsAreGapless(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	const n = 300
	streams := []*listener{a.listen(""), a.listen(""), a.listen("?after=0")}
	var writers, readers sync.WaitGroup
	for i := range 10 {
		writers.Go(func() {
			for j := range n / 10 {
				a.event(http.StatusAccepted, fmt.Sprintf(`{"thread_id": "t%d", "text": "%d"}`, j%7, i))
			}
		})
	}
	for _, l := range streams {
		readers.Go(func() {
			for seq := int64(1); seq <= n; seq++ {
				if e := l.next(); e.Seq != seq {
					t.Errorf("event %d came where %d was due", e.Seq, seq)
					return
				}
			}
		})
	}
	writers.Wait()
	readers.Wait()
	if open := gauge(t, a.metrics, "socialops_event_streams"); open != 3 {
		t.Errorf("%v streams are counted", open)
	}
}

func TestEventsEndWithTheServer(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	l := a.listen("")
	a.server.EndStreams()
	if block := l.block(); !strings.HasPrefix(block, ": going away") {
		t.Errorf("the last words: %q", block)
	}
	if rest := l.block(); rest != "" {
		t.Errorf("after the last words: %q", rest)
	}
	a.get("/events").problem(t, http.StatusServiceUnavailable, "unavailable")
	a.event(http.StatusAccepted, specEvent) // all else goes on until the server is closed
	if n := counter(t, a.metrics, "socialops_event_streams_dropped_total", "reason", "shutdown"); n != 1 {
		t.Errorf("%v streams were ended", n)
	}
}

func TestEventsLimit(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	for range 16 {
		a.listen("")
	}
	r := a.get("/events")
	r.problem(t, http.StatusTooManyRequests, "rate_limited")
	if r.Header.Get("Retry-After") == "" {
		t.Error("without Retry-After")
	}
	head := a.call(http.MethodHead, "/inbox", "")
	if head.StatusCode != http.StatusOK || len(head.body) != 0 {
		t.Errorf("HEAD: %s", head.Status)
	}
}

func TestEventsThatAreGone(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	for i := range 5 {
		a.event(http.StatusAccepted, fmt.Sprintf(`{"thread_id": "t", "user": {"id": "u"}, "text": "%d"}`, i))
	}
	live := a.listen("")
	a.sql(`DELETE FROM event WHERE instance_id = $1 AND seq < 4`, a.tenant.ID)
	if e := a.listen("?after=0").next(); e.Seq != 4 {
		t.Errorf("from the beginning comes %+v", e)
	}
	if e := a.listen("", "Last-Event-ID: 3").next(); e.Seq != 4 {
		t.Errorf("from where the log begins comes %+v", e)
	}
	r := a.call(http.MethodGet, "/events", "", "Last-Event-ID: 2")
	r.problem(t, http.StatusGone, "gone")
	if !strings.Contains(string(r.body), "begin with Last-Event-ID 3,") {
		t.Errorf("it says %s", r.body)
	}
	// That a conversation is removed is told like anything else, and no stream minds.
	a.sql(`DELETE FROM thread WHERE instance_id = $1`, a.tenant.ID)
	a.sql(`DELETE FROM contact WHERE instance_id = $1`, a.tenant.ID)
	if e := live.next(); e.Type != inbox.EventThreadDeleted || e.ThreadID == "" || e.Thread != nil || e.Actor != "system" {
		t.Errorf("a thread was removed: %+v", e)
	}
	if e := live.next(); e.Type != inbox.EventContactDeleted || e.ContactID == "" {
		t.Errorf("a contact was removed: %+v", e)
	}
}
