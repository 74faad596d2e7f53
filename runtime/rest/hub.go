package rest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

const (
	pollTimeout = 10 * time.Second // of one reading
	pollBatch   = 100              // events read and rendered at once

	// windowFrames bounds, beside [Streams.Window], the rendered events that are kept for
	// streams that are a little behind.
	windowFrames = 2048

	catchUps = 2 // streams that read the log on their own at once
)

// frame is an event as it goes to streams. Those that were rendered together lie side
// by side in memory, and nothing is ever appended to one: see joined.
type frame struct {
	seq  int64
	text []byte
}

// hub follows the event log while anybody streams: it reads each new event once,
// renders it once, and keeps a window of the newest for all streams to write from.
type hub struct {
	Streams
	store   inbox.Store
	render  func(context.Context, []inbox.Event) ([]frame, error)
	trouble func(error) // told of each reading of the log: nil when it worked
	reading chan struct{}

	mu      sync.Mutex
	wg      sync.WaitGroup
	closed  bool
	running bool
	streams int
	each    map[string]int // streams by the callers' names
	window  []frame        // by seq; an element is never changed
	bytes   int
	base    int64         // every event after this one, up to head, is in the window
	head    int64         // the newest event that was read
	wake    chan struct{} // closed when the window grew, or the hub was closed

	// until ends when the hub is closed, and with it what the hub is waiting for.
	until context.Context
	end   context.CancelFunc
}

func newHub(b *Inbox, o Streams) *hub {
	h := &hub{
		Streams: o, store: b.store, render: b.renderEvents, reading: make(chan struct{}, catchUps),
		each: map[string]int{}, wake: make(chan struct{}),
	}
	h.until, h.end = context.WithCancel(context.Background())
	failing := false // only the poller calls trouble
	h.trouble = func(err error) {
		if err != nil && !failing {
			b.log.Error("the event log can't be read; streams wait", "error", err)
		}
		failing = err != nil
	}
	return h
}

var errStreamsClosed = Failure(inbox.CodeUnavailable, "this server is going away: connect again").retryAfter(time.Second)

// join admits a stream of a caller. It begins after the given event, or with nil after
// the newest one. leave must be called at its end.
func (h *hub) join(ctx context.Context, name string, after *int64) (from int64, leave func(), err error) {
	h.mu.Lock()
	switch {
	case h.closed:
		err = errStreamsClosed
	case h.Each > 0 && h.each[name] >= h.Each:
		err = Failure(codeRateLimited, fmt.Sprintf("%s %d streams open, which is the most: end one first", h.Holder, h.Each)).retryAfter(5 * time.Second)
	case h.streams >= h.Most:
		err = Failure(inbox.CodeUnavailable, "too many streams are open: try again").retryAfter(5 * time.Second)
	}
	if err != nil {
		h.mu.Unlock()
		return 0, nil, err
	}
	h.streams++
	h.each[name]++
	head, running := h.head, h.running
	h.mu.Unlock()
	leave = func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.streams--
		if h.each[name]--; h.each[name] == 0 {
			delete(h.each, name)
		}
	}
	// A position ahead of what was read here may be one that another server gave out.
	if !running || after != nil && *after > head {
		if head, err = h.store.LastEvent(ctx); err != nil {
			leave()
			return 0, nil, err
		}
	}
	from = head
	if after != nil {
		if from, err = h.resume(ctx, *after, head); err != nil {
			leave()
			return 0, nil, err
		}
	}
	h.start(head)
	return from, leave, nil
}

// resume finds where a stream goes on that has seen all up to an event: there, if the
// log has everything that follows. One that has seen nothing begins where the log does.
func (h *hub) resume(ctx context.Context, after, head int64) (from int64, err error) {
	h.mu.Lock()
	there := after == head || h.running && after >= h.base && after <= h.head
	h.mu.Unlock()
	switch {
	case there:
		return after, nil
	case after > head:
		return 0, inbox.Errorf(inbox.CodeInvalid, "the log ends at event %d: begin there, or leave out Last-Event-ID to begin now", head)
	}
	next, err := h.store.Events(ctx, after, 1)
	switch {
	case err != nil:
		return 0, err
	case len(next) > 0 && (after == 0 || next[0].Seq == after+1):
		return next[0].Seq - 1, nil
	case len(next) > 0:
		head = next[0].Seq - 1
	}
	return 0, Failure(codeRemoved, fmt.Sprintf("what followed event %d is kept no longer: read the threads anew, and begin with Last-Event-ID %d, which is where the log begins, or without it, which is now", after, head))
}

// start follows the log from head on, unless it is followed already.
func (h *hub) start(head int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running || h.closed {
		return
	}
	h.running, h.base, h.head = true, head, head
	h.wg.Go(h.poll)
}

// poll reads the log until nobody streams.
func (h *hub) poll() {
	tick := time.NewTicker(h.Every)
	defer tick.Stop()
	for {
		h.trouble(h.follow())
		select {
		case <-tick.C:
		case <-h.until.Done():
			return
		}
		h.mu.Lock()
		if h.streams == 0 {
			h.running, h.window, h.bytes = false, nil, 0
			h.mu.Unlock()
			return
		}
		h.mu.Unlock()
	}
}

// follow reads all that is new.
func (h *hub) follow() error {
	for {
		h.mu.Lock()
		head := h.head
		h.mu.Unlock()
		frames, err := h.read(h.until, head)
		switch {
		case errors.Is(err, context.Canceled): // the hub was closed
			return nil
		case err != nil:
			return err
		}
		h.publish(frames)
		if len(frames) < pollBatch {
			return nil
		}
	}
}

// read reads and renders what follows an event.
func (h *hub) read(ctx context.Context, after int64) ([]frame, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	events, err := h.store.Events(ctx, after, pollBatch)
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	if len(events) == 0 {
		return nil, nil
	}
	frames, err := h.render(ctx, events)
	if err != nil {
		return nil, fmt.Errorf("reading what the log is about: %w", err)
	}
	return frames, nil
}

// publish adds frames to the window and wakes the streams.
func (h *hub) publish(frames []frame) {
	if len(frames) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	if frames[0].seq != h.head+1 { // the log was cut while it could not be read: what is in the window leads nowhere
		h.window, h.bytes, h.base = nil, 0, frames[0].seq-1
	}
	// Streams hold parts of the window: it grows and is cut, and never written over.
	h.window = append(h.window, frames...)
	for _, f := range frames {
		h.bytes += len(f.text)
	}
	h.head = frames[len(frames)-1].seq
	cut := 0
	for len(h.window)-cut > windowFrames || h.bytes > h.Window && len(h.window)-cut > 1 {
		h.bytes -= len(h.window[cut].text)
		h.base = h.window[cut].seq
		cut++
	}
	if cut > 0 {
		h.window = slices.Clone(h.window[cut:]) // lets go of what was cut off
	}
	close(h.wake)
	h.wake = make(chan struct{})
}

// since is what a stream has to write after an event: frames, or, when there are
// none yet, a channel to wait on. behind tells that the window begins later.
func (h *hub) since(after int64) (frames []frame, wake <-chan struct{}, behind, closed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, nil, false, true
	}
	if after < h.base {
		return nil, nil, true, false
	}
	i := sort.Search(len(h.window), func(i int) bool { return h.window[i].seq > after })
	return h.window[i:len(h.window):len(h.window)], h.wake, false, false
}

// catchUp reads for one stream what the window no longer holds.
func (h *hub) catchUp(ctx context.Context, after int64) ([]frame, error) {
	select {
	case h.reading <- struct{}{}:
		defer func() { <-h.reading }()
	case <-h.until.Done():
		return nil, errStreamsClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return h.read(ctx, after)
}

// followed tells whether there are streams.
func (h *hub) followed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.streams > 0
}

// close ends all streams. wait returns when the poller has ended.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	close(h.wake)
	h.end()
}

func (h *hub) wait() { h.wg.Wait() }
