package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// line is a client's connection: what it was sent, and how it takes it.
type line struct {
	mu    sync.Mutex
	text  bytes.Buffer
	block chan struct{} // not nil: writes wait for it
	fail  error
}

func (l *line) Header() http.Header { return http.Header{} }
func (l *line) WriteHeader(int)     {}
func (l *line) FlushError() error   { return nil }

func (l *line) Write(b []byte) (int, error) {
	l.mu.Lock()
	block := l.block
	l.mu.Unlock()
	if block != nil {
		<-block
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return 0, l.fail
	}
	return l.text.Write(b)
}

func (l *line) sent() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// streamStore is a log with a key that may be revoked.
type streamStore struct {
	logStore
	key inbox.Key
}

func (s *streamStore) Config(context.Context) (inbox.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return inbox.Config{Keys: []inbox.Key{s.key}}, nil
}

// openStream runs a stream and returns the reason for its end.
func openStream(t *testing.T, ctx context.Context, s *Server, store *streamStore, l *line) <-chan string { //nolint:revive // t first, as in any test helper
	t.Helper()
	from, leave, err := s.own.streams.join(ctx, "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string, 1)
	go func() {
		defer leave()
		st := stream{b: s.own, hub: s.own.streams, w: l, control: http.NewResponseController(l), who: &caller{key: store.key, settings: s.settings}, seen: from}
		done <- st.run(ctx)
	}()
	return done
}

func newStreamServer() (*Server, *streamStore) {
	store := &streamStore{key: inbox.Key{ID: inbox.NewID[inbox.KeyID](time.Now()), Hash: sha256.Sum256([]byte("k")), Scopes: []string{inbox.ScopeRead}}}
	return New(Options{Alias: "support", Store: store, Log: slog.New(slog.DiscardHandler)}), store
}

func TestStreamBeatsWhileNothingHappens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := newStreamServer()
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		l := &line{}
		done := openStream(t, ctx, s, store, l)
		time.Sleep(time.Minute + time.Second)
		if n := strings.Count(l.sent(), ": alive\n\n"); n != 4 {
			t.Errorf("%d heartbeats in a minute: %q", n, l.sent())
		}
		store.add(1)
		time.Sleep(nativeStreams.Every)
		synctest.Wait()
		if !strings.Contains(l.sent(), "id: 1\nevent: thread.updated\n") {
			t.Errorf("sent: %q", l.sent())
		}
		// The key is revoked: the stream ends with the next beat.
		store.mu.Lock()
		store.key.RevokedAt = time.Now()
		store.mu.Unlock()
		time.Sleep(2*heartbeat + settingsMaxAge)
		if reason := <-done; reason != endRefused {
			t.Errorf("ended for %q", reason)
		}
		cancel()
	})
}

// A stream that is never idle ends for who may no longer read, as any other.
func TestBusyStreamOfARevokedKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := newStreamServer()
		defer s.Close()
		l := &line{}
		done := openStream(t, t.Context(), s, store, l)
		synctest.Wait() // it has read the key
		store.mu.Lock()
		store.key.RevokedAt = time.Now()
		store.mu.Unlock()
		for range 60 {
			store.add(1)
			time.Sleep(time.Second)
			select {
			case reason := <-done:
				if reason != endRefused {
					t.Errorf("ended for %q", reason)
				}
				return
			default:
			}
		}
		t.Error("a revoked key reads on for as long as there is something to read")
		s.EndStreams()
		<-done
	})
}

func TestStreamEndsWithItsClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := newStreamServer()
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		done := openStream(t, ctx, s, store, &line{})
		time.Sleep(time.Second)
		cancel()
		if reason := <-done; reason != "" {
			t.Errorf("ended for %q", reason)
		}
		broken := &line{fail: errors.New("i/o timeout")}
		if reason := <-openStream(t, t.Context(), s, store, broken); reason != endSlow {
			t.Errorf("one that does not take what is written ended for %q", reason)
		}
	})
}

// A client that falls out of the window is cut off, and resumes by its id.
func TestStreamTooSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := newStreamServer()
		defer s.Close()
		l := &line{}
		done := openStream(t, t.Context(), s, store, l)
		store.add(1)
		time.Sleep(time.Second)
		release := make(chan struct{})
		l.mu.Lock()
		l.block = release
		l.mu.Unlock()
		store.add(1) // this is the one that it is stuck with
		time.Sleep(time.Second)
		store.add(windowFrames + 100)
		time.Sleep(time.Second)
		close(release)
		if reason := <-done; reason != endSlow {
			t.Errorf("ended for %q", reason)
		}
		if text := l.sent(); !strings.HasSuffix(text, ": too slow, connect again\n\n") || !strings.Contains(text, "id: 2\n") || strings.Contains(text, "id: 200\n") {
			t.Errorf("sent %d bytes, at the end %q", len(text), text[max(0, len(text)-80):])
		}
	})
}

// A stream that reads on its own what is then removed is told, and ends.
func TestStreamOfACutLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := newStreamServer()
		defer s.Close()
		store.add(3 * pollBatch)
		first := int64(1)
		from, leave, err := s.own.streams.join(t.Context(), "a", &first)
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
		l, release := &line{}, make(chan struct{})
		done := make(chan string, 1)
		go func() {
			st := stream{b: s.own, hub: s.own.streams, w: l, control: http.NewResponseController(l), who: &caller{key: store.key, settings: s.settings}, seen: from}
			done <- st.run(t.Context())
		}()
		l.mu.Lock()
		l.block = release
		l.mu.Unlock()
		synctest.Wait() // in the midst of its first events
		store.cut(250)
		close(release)
		if reason := <-done; reason != endCut {
			t.Errorf("ended for %q", reason)
		}
		if text := l.sent(); !strings.HasSuffix(text, ": what follows is kept no longer, connect again\n\n") || strings.Contains(text, "id: 251\n") {
			t.Errorf("sent %d bytes, at the end %q", len(text), text[max(0, len(text)-100):])
		}
	})
}
