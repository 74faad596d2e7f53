package rest

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/open4x/socialops/runtime/inbox"
)

const (
	heartbeat = 15 * time.Second
	// writeTime is what a client has to take what was written. Who is slower is cut
	// off, and resumes where it was.
	writeTime   = 10 * time.Second
	framesAWait = 64 // frames that are written within one writeTime
	retryHint   = 2 * time.Second

	eventData = "x-event-data" // where the document tells what a stream's data is
)

type eventsInput struct {
	LastEventID string `header:"Last-Event-ID" maxLength:"20" doc:"The id of the last event that was seen: the stream goes on after it. Browsers send it by themselves."`
	After       string `query:"after" maxLength:"20" doc:"The same for clients that can't set the header, which wins. 0 begins with the oldest event that is kept."`
}

func (a *API) addEvents() {
	stream := &huma.Response{
		Description: "The stream. It lasts until either side ends it.",
		Content: map[string]*huma.MediaType{"text/event-stream": {
			Schema: &huma.Schema{Type: huma.TypeString, Description: "Each event's data is an Event as JSON.", Extensions: map[string]any{eventData: a.schemaOf(Event{})}},
			Example: "retry: 2000\nid: 41\n\nid: 42\nevent: message.created\n" +
				`data: {"seq":42,"type":"message.created","at":"2026-11-01T12:00:00Z","actor":"provider","thread_id":"soth_…","message_id":"somsg_…","message":{…},"thread":{…}}` + "\n\n",
		}},
	}
	inboxCall(a, Operation{
		ID: "stream-events", Method: http.MethodGet, Path: "/events", Need: Read, Tag: "Events",
		Summary: "Follow what happens",
		Text: "Server-sent events, one for each state change, in the order in which they happened and without gaps. " +
			"Each has an id: connect again with Last-Event-ID and nothing is missed. Without it the stream begins now. " +
			"An inbox may keep its events for some days only: 410 says that those that follow Last-Event-ID are gone, so read the threads anew. " +
			"Messages and threads are shown as they were when this server read the event, which may be later than it happened; what was deleted by then is left out, and its ids remain. " +
			"A comment every 15 seconds shows that the connection lives.",
		Responses: map[string]*huma.Response{"200": stream}, Errors: []inbox.Code{codeRemoved}, Stream: true,
	}, (*Inbox).events)
}

func (b *Inbox) events(ctx context.Context, who Caller, in *eventsInput) (*huma.StreamResponse, error) {
	after, err := in.position()
	if err != nil {
		return nil, err
	}
	joining, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	from, leave, err := b.streams.join(joining, who.Name(), after)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer leave()
		r, w := humago.Unwrap(hc)
		observed(r.Context()).stream = true
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("X-Accel-Buffering", "no") // proxies that would wait for the end
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusOK)
			return
		}
		b.metrics.streams.Inc()
		defer b.metrics.streams.Dec()
		st := stream{b: b, hub: b.streams, w: w, control: http.NewResponseController(w), who: who, seen: from}
		if reason := st.run(r.Context()); reason != "" {
			b.metrics.dropped.WithLabelValues(reason).Inc()
		}
	}}, nil
}

func (in *eventsInput) position() (*int64, error) {
	text, where := in.LastEventID, "header.Last-Event-ID"
	if text == "" {
		text, where = in.After, "query.after"
	}
	if text == "" {
		return nil, nil
	}
	seq, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seq < 0 {
		return nil, inbox.Errorf(inbox.CodeInvalid, "%s: want the id of an event, a whole number from 0", where)
	}
	return &seq, nil
}

// stream is one client's.
type stream struct {
	b       *Inbox
	hub     *hub
	w       http.ResponseWriter
	control *http.ResponseController
	who     Caller
	seen    int64 // the last event that was written
}

// Why the server ends a stream.
const (
	endSlow     = "slow"
	endShutdown = "shutdown"
	endRefused  = "refused" // the caller may no longer read
	endExpired  = "expired" // so did what the caller came with
	endTrouble  = "trouble" // the log can't be read
	endCut      = "cut"     // what the stream would go on with was removed
)

// run writes until somebody ends the stream, and tells why when it was the server.
func (st *stream) run(ctx context.Context) string {
	// The server's limits are for requests that end. Writers without deadlines are a test's.
	_ = st.control.SetReadDeadline(time.Time{})
	// The id alone is no event, yet a client that loses the line now comes back with it.
	hello := "retry: " + strconv.FormatInt(retryHint.Milliseconds(), 10) + "\nid: " + strconv.FormatInt(st.seen, 10) + "\n\n"
	if !st.write([]byte(hello)) {
		return endSlow
	}
	beat := time.NewTimer(heartbeat)
	defer beat.Stop()
	var over <-chan time.Time
	if until := st.who.Until(); !until.IsZero() {
		timer := time.NewTimer(until.Sub(st.b.now()))
		defer timer.Stop()
		over = timer.C
	}
	live := false
	for {
		// Asked here as well as below, where a stream with much to write may never come.
		select {
		case <-over:
			return st.expire()
		case <-beat.C:
			if reason := st.alive(ctx); reason != "" {
				return reason
			}
			beat.Reset(heartbeat)
		default:
		}
		frames, wake, behind, closed := st.hub.since(st.seen)
		switch {
		case closed:
			st.write([]byte(": going away, connect again\n\n"))
			return endShutdown
		case behind && live:
			st.write([]byte(": too slow, connect again\n\n"))
			return endSlow
		case behind:
			var err error
			if frames, err = st.hub.catchUp(ctx, st.seen); err != nil {
				if ctx.Err() != nil {
					return ""
				}
				return endTrouble
			}
			if len(frames) == 0 || frames[0].seq != st.seen+1 {
				st.write([]byte(": what follows is kept no longer, connect again\n\n"))
				return endCut
			}
		default:
			live = true
		}
		if len(frames) > 0 {
			if !st.writeFrames(frames) {
				return endSlow
			}
			continue
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return ""
		case <-over:
			return st.expire()
		case <-beat.C:
			if reason := st.alive(ctx); reason != "" {
				return reason
			}
			beat.Reset(heartbeat)
		}
	}
}

// alive shows that the connection lives, if the caller may still read. It comes at each
// beat, however busy the stream is: who lost an inbox must not go on reading it.
func (st *stream) alive(ctx context.Context) string {
	if !st.who.Welcome(ctx) {
		return endRefused
	}
	if !st.write([]byte(": alive\n\n")) {
		return endSlow
	}
	return ""
}

func (st *stream) expire() string {
	st.write([]byte(": what you came with has expired, connect again with a new one\n\n"))
	return endExpired
}

func (st *stream) writeFrames(frames []frame) bool {
	for len(frames) > 0 {
		n := min(len(frames), framesAWait)
		_ = st.control.SetWriteDeadline(time.Now().Add(writeTime)) // as above
		for rest := frames[:n]; len(rest) > 0; {
			var text []byte
			text, rest = joined(rest)
			if _, err := st.w.Write(text); err != nil {
				return false
			}
		}
		if st.control.Flush() != nil {
			return false
		}
		st.seen = frames[n-1].seq
		frames = frames[n:]
	}
	return true
}

// joined is the text of the first frames that lie side by side in memory, as those
// that were rendered together do: all streams write the same bytes, and none copies them.
func joined(frames []frame) (text []byte, rest []frame) {
	text = frames[0].text
	for i, f := range frames[1:] {
		n := len(text)
		if cap(text) == n || len(f.text) == 0 || &text[:n+1][n] != &f.text[0] {
			return text, frames[i+1:]
		}
		text = text[:n+len(f.text)]
	}
	return text, nil
}

func (st *stream) write(text []byte) bool {
	_ = st.control.SetWriteDeadline(time.Now().Add(writeTime)) // as above
	if _, err := st.w.Write(text); err != nil {
		return false
	}
	return st.control.Flush() == nil
}
