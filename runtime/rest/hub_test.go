package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// logStore is an event log in memory, of events that are about nothing.
type logStore struct {
	inbox.Store
	mu    sync.Mutex
	log   []inbox.Event
	kept  int // events before this place are kept no longer
	reads int
	away  bool
}

func (l *logStore) cut(kept int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = kept
}

func (l *logStore) add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range n {
		l.log = append(l.log, inbox.Event{Seq: int64(len(l.log) + 1), Type: inbox.EventThreadUpdated})
	}
}

func (l *logStore) Events(_ context.Context, after int64, limit int) ([]inbox.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	if l.away {
		return nil, errors.New("connection refused")
	}
	i := max(min(int(after), len(l.log)), l.kept)
	return l.log[i:min(i+limit, len(l.log))], nil
}

func (l *logStore) LastEvent(context.Context) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return 0, errors.New("connection refused")
	}
	return int64(len(l.log)), nil
}

func (l *logStore) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reads
}

func newLogServer(t *testing.T, store *logStore) *Server {
	t.Helper()
	return New(Options{Alias: "support", Store: store, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
}

// follow reads what a stream would write until it has n events.
func follow(t *testing.T, h *hub, from int64, n int) (seqs []int64) {
	t.Helper()
	for len(seqs) < n {
		frames, wake, behind, closed := h.since(from)
		if closed {
			t.Fatal("the hub was closed")
		}
		if behind {
			var err error
			if frames, err = h.catchUp(t.Context(), from); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range frames {
			seqs = append(seqs, f.seq)
			from = f.seq
			if want := fmt.Sprintf("id: %d\nevent: thread.updated\ndata: {\"seq\":%d,", f.seq, f.seq); !strings.HasPrefix(string(f.text), want) || !strings.HasSuffix(string(f.text), "}\n\n") {
				t.Fatalf("event %d reads %q", f.seq, f.text)
			}
		}
		if len(frames) == 0 {
			<-wake
		}
	}
	return seqs
}

func gapless(t *testing.T, seqs []int64, after int64) {
	t.Helper()
	for i, seq := range seqs {
		if seq != after+int64(i)+1 {
			t.Fatalf("event %d came where %d was due", seq, after+int64(i)+1)
		}
	}
}

func TestHubFansOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &logStore{}
		store.add(500)
		s := newLogServer(t, store)
		defer s.Close()
		h := s.own.streams
		ptr := func(n int64) *int64 { return &n }
		var wg sync.WaitGroup
		for i, after := range []*int64{nil, nil, ptr(0), ptr(250), ptr(500)} {
			from, leave, err := h.join(t.Context(), inbox.NewID[inbox.KeyID](time.Now()).String(), after)
			if err != nil {
				t.Fatal(err)
			}
			want := int64(500)
			if after != nil {
				want = *after
			}
			if from != want {
				t.Errorf("stream %d begins after %d, want %d", i, from, want)
			}
			wg.Go(func() {
				defer leave()
				gapless(t, follow(t, h, from, int(10_500-from)), from)
			})
		}
		for range 100 {
			store.add(100)
			time.Sleep(nativeStreams.Every / 10)
		}
		wg.Wait()
		// Nobody is left: the log is left alone.
		time.Sleep(2 * nativeStreams.Every)
		before := store.count()
		time.Sleep(time.Hour)
		if n := store.count() - before; n != 0 {
			t.Errorf("the log was read %d times for nobody", n)
		}
		// The next one starts it again, from where the log is now.
		store.add(5)
		from, leave, err := h.join(t.Context(), "", nil)
		if err != nil || from != 10_505 {
			t.Fatalf("a later stream begins after %d, %v", from, err)
		}
		store.add(3)
		gapless(t, follow(t, h, from, 3), from)
		leave()
	})
}

func TestHubWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &logStore{}
		s := newLogServer(t, store)
		defer s.Close()
		h := s.own.streams
		from, leave, err := h.join(t.Context(), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
		store.add(windowFrames + 10)
		time.Sleep(nativeStreams.Every)
		synctest.Wait()
		if _, _, behind, _ := h.since(from); !behind {
			t.Error("a stream that the window left behind was not told")
		}
		frames, _, behind, _ := h.since(10)
		if behind || len(frames) != windowFrames || frames[0].seq != 11 {
			t.Errorf("behind %v, %d frames", behind, len(frames))
		}
		if len(h.window) > windowFrames || h.bytes > nativeStreams.Window {
			t.Errorf("the window holds %d frames and %d bytes", len(h.window), h.bytes)
		}
		gapless(t, follow(t, h, 0, windowFrames+10), 0)
	})
}

func TestHubWithoutDatabase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &logStore{}
		s := newLogServer(t, store)
		defer s.Close()
		from, leave, err := s.own.streams.join(t.Context(), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
		set := func(away bool) { store.mu.Lock(); store.away = away; store.mu.Unlock() }
		set(true)
		store.add(3)
		time.Sleep(time.Minute)
		set(false)
		gapless(t, follow(t, s.own.streams, from, 3), from)
	})
}

func TestHubLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &logStore{}
		store.add(7)
		s := newLogServer(t, store)
		key := inbox.NewID[inbox.KeyID](time.Now()).String()
		var leaves []func()
		join := func(key string, after *int64) *Error {
			_, leave, err := s.own.streams.join(t.Context(), key, after)
			if err != nil {
				return AsError(err)
			}
			leaves = append(leaves, leave)
			return nil
		}
		for range nativeStreams.Each {
			if e := join(key, nil); e != nil {
				t.Fatal(e)
			}
		}
		if e := join(key, nil); e == nil || e.Info.Code != codeRateLimited || e.header.Get("Retry-After") == "" {
			t.Errorf("one stream too many of a key: %v", e)
		}
		if e := join(inbox.NewID[inbox.KeyID](time.Now()).String(), nil); e != nil {
			t.Errorf("another key's stream: %v", e)
		}
		leaves[0]()
		if e := join(key, nil); e != nil {
			t.Errorf("a stream in place of one that ended: %v", e)
		}
		ahead := int64(8)
		if e := join(inbox.NewID[inbox.KeyID](time.Now()).String(), &ahead); e == nil || e.Info.Code != inbox.CodeInvalid {
			t.Errorf("a stream from the future: %v", e)
		}
		store.add(1) // written by way of another server, and not read here yet
		if e := join(inbox.NewID[inbox.KeyID](time.Now()).String(), &ahead); e != nil {
			t.Errorf("a stream from an event that another server showed: %v", e)
		}
		s.EndStreams()
		s.own.streams.publish([]frame{{seq: 9}}) // read just before the end, and too late
		if _, _, _, closed := s.own.streams.since(8); !closed {
			t.Error("a stream was not told of the end")
		}
		if e := join(inbox.NewID[inbox.KeyID](time.Now()).String(), nil); e == nil || e.GetStatus() != 503 {
			t.Errorf("a stream after the end: %v", e)
		}
		s.Close()
	})
}

// What is kept no longer is never left out in silence.
func TestHubOfACutLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &logStore{}
		store.add(500)
		store.cut(400)
		s := newLogServer(t, store)
		defer s.Close()
		h := s.own.streams
		join := func(after int64) (int64, *Error) {
			from, leave, err := h.join(t.Context(), inbox.NewID[inbox.KeyID](time.Now()).String(), &after)
			if err != nil {
				return 0, AsError(err)
			}
			t.Cleanup(leave)
			return from, nil
		}
		for _, running := range []bool{false, true} {
			for after, want := range map[int64]int64{0: 400, 400: 400, 450: 450, 499: 499, 500: 500} {
				if from, err := join(after); err != nil || from != want {
					t.Errorf("after %d (streams are open: %v): from %d, %v; want %d", after, running, from, err, want)
				}
			}
			for _, after := range []int64{1, 399} {
				if _, err := join(after); err == nil || err.Info.Code != codeRemoved || err.GetStatus() != 410 || !strings.Contains(err.Info.Message, "Last-Event-ID 400,") {
					t.Errorf("after %d (streams are open: %v): %v", after, running, err)
				}
			}
		}
		gapless(t, follow(t, h, 400, 100), 400)
		// All of it goes but the newest, as always.
		store.cut(499)
		if _, err := join(450); err == nil || err.Info.Code != codeRemoved {
			t.Errorf("after 450 of a log that ends with 500: %v", err)
		}
	})
}

// A log that was cut while it could not be read is no way from what was seen before:
// streams end, and find out when they come back.
func TestHubAcrossACut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &logStore{}
		store.add(10)
		s := newLogServer(t, store)
		defer s.Close()
		from, leave, err := s.own.streams.join(t.Context(), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
		store.mu.Lock()
		store.away = true
		store.mu.Unlock()
		store.add(20)
		time.Sleep(time.Minute)
		store.mu.Lock()
		store.away, store.kept = false, 25
		store.mu.Unlock()
		time.Sleep(2 * nativeStreams.Every)
		synctest.Wait()
		if frames, _, behind, _ := s.own.streams.since(from); !behind {
			t.Errorf("a stream goes on from %d with %d frames", from, len(frames))
		}
		gapless(t, follow(t, s.own.streams, 25, 5), 25)
	})
}
