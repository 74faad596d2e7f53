package rest

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// configStore answers Config only, as fast and as often as a test wants.
type configStore struct {
	inbox.Store
	calls  atomic.Int32
	answer func(n int32) (inbox.Config, error)
}

func (c *configStore) Config(context.Context) (inbox.Config, error) { return c.answer(c.calls.Add(1)) }

func newSettings(store inbox.Store) *settings {
	return New(Options{Alias: "support", Store: store, Log: slog.New(slog.DiscardHandler)}).settings
}

func TestSettingsAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &configStore{answer: func(n int32) (inbox.Config, error) {
			if n > 2 {
				time.Sleep(time.Second) // a slow database
			}
			return inbox.Config{Instance: inbox.Instance{BodyLimit: int(n)}}, nil
		}}
		s := newSettings(store)
		for i, step := range []struct {
			after time.Duration
			want  int // which reading is acted on
			took  time.Duration
			calls int32 // once all is quiet
		}{
			{0, 1, 0, 1},
			{settingsRefresh - 1, 1, 0, 1},
			{1, 1, 0, 2},                               // old enough to be read anew, beside the request
			{0, 2, 0, 2},                               // which is what the next one gets
			{settingsRefresh, 2, 0, 3},                 // a slow reading holds nobody up
			{time.Second + 1, 3, 0, 3},                 // and is there when it is done
			{settingsMaxAge - time.Second, 4, 1e9, 4},  // too old by the time that its reading began
			{settingsMaxAge + time.Hour, 5, 1e9, 5},    // long idle
			{settingsRefresh - 2*time.Second, 5, 0, 5}, // 1 s since, and 1 s that the reading took
		} {
			time.Sleep(step.after)
			start := time.Now()
			snap, err := s.get(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			synctest.Wait()
			if snap.Instance.BodyLimit != step.want || took != step.took || store.calls.Load() != step.calls {
				t.Errorf("step %d: reading %d after %v, %d readings; want %+v", i+1, snap.Instance.BodyLimit, took, store.calls.Load(), step)
			}
			if age := time.Since(snap.at); age > settingsMaxAge {
				t.Errorf("step %d: acted on settings %v old", i+1, age)
			}
		}
		s.wait()
	})
}

func TestSettingsAreReadOnceForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &configStore{answer: func(int32) (inbox.Config, error) { time.Sleep(time.Second); return inbox.Config{}, nil }}
		s := newSettings(store)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if _, err := s.get(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		// One who does not wait does not end the reading for the others.
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := s.get(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller who hung up got %v", err)
		}
		wg.Wait()
		if n := store.calls.Load(); n != 1 {
			t.Errorf("%d readings for 101 callers", n)
		}
	})
}

func TestSettingsWithoutDatabase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		store := &configStore{answer: func(int32) (inbox.Config, error) {
			if away.Load() {
				return inbox.Config{}, errors.New("connection refused")
			}
			return inbox.Config{}, nil
		}}
		s := newSettings(store)
		get := func() error { _, err := s.get(t.Context()); return err }
		if err := get(); err != nil {
			t.Fatal(err)
		}
		away.Store(true)
		time.Sleep(settingsMaxAge - 1)
		if err := get(); err != nil {
			t.Errorf("settings that are young enough were not used: %v", err)
		}
		synctest.Wait()
		time.Sleep(time.Nanosecond)
		for range 10 { // within the pause: one reading has failed, and nobody asks again yet
			e := AsError(get())
			if e.GetStatus() != http.StatusServiceUnavailable || e.header.Get("Retry-After") == "" {
				t.Fatalf("with settings too old: %v", e)
			}
		}
		if n := store.calls.Load(); n != 2 {
			t.Errorf("%d readings", n)
		}
		away.Store(false)
		time.Sleep(settingsPause)
		if err := get(); err != nil {
			t.Errorf("the database is back: %v", err)
		}
		s.wait()
	})
}

func TestSettingsKeepWhatKeysHaveLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limits := []int{2, 2, 5}
		key := inbox.Key{Hash: sha256.Sum256([]byte("sk_1")), Scopes: []string{inbox.ScopeRead}}
		store := &configStore{answer: func(n int32) (inbox.Config, error) {
			return inbox.Config{Instance: inbox.Instance{RateLimit: limits[n-1]}, Keys: []inbox.Key{key}}, nil
		}}
		s := newSettings(store)
		for i, want := range []string{"1", "0", "4"} {
			snap, err := s.get(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			h := http.Header{}
			if e := snap.callers[key.Hash].spend(h, time.Now()); e != nil || h.Get("X-RateLimit-Remaining") != want {
				t.Errorf("reading %d: %v, %v; want %s left", i+1, e, h, want)
			}
			time.Sleep(settingsMaxAge)
		}
		s.wait()
	})
}

func TestSources(t *testing.T) {
	t.Parallel()
	first, second := inbox.NewID[inbox.AccountID](time.UnixMilli(1)), inbox.NewID[inbox.AccountID](time.UnixMilli(2))
	config := inbox.Config{
		Instance: inbox.Instance{Providers: []string{"signed", "plain", "unheard-of"}},
		Proofs: []inbox.Proof{
			{AccountID: first, Provider: "signed", Source: "s:1", SealedSecret: []byte("open")},
			{AccountID: second, Provider: "signed", Source: "s:2", SealedSecret: []byte("foreign")},
			{AccountID: second, Provider: "forbidden", Source: "f:1", TokenHashes: [][32]byte{{1}}},
		},
		Channels: []inbox.Channel{
			{Provider: "plain", Default: true, Active: true},
			{Provider: "signed", Default: true, Active: true, AccountID: second},
		},
	}
	store := &configStore{answer: func(int32) (inbox.Config, error) { return config, nil }}
	s := newSettings(store)
	s.providers = provider.Registry{"signed": noProvider{}, "plain": noProvider{}, "forbidden": noProvider{}}
	s.open = func(sealed []byte, _ inbox.Proof) ([]byte, error) {
		if string(sealed) == "open" {
			return []byte("secret"), nil
		}
		return nil, errors.New("sealed with another key")
	}
	snap, err := s.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(snap.sources) != 2 {
		t.Errorf("sources: %v; want those that are allowed and known", snap.sources)
	}
	signed := snap.sources["signed"]
	if len(signed.proofs) != 2 || string(signed.proofs[0].Secrets[0]) != "secret" || len(signed.proofs[1].Secrets) != 0 {
		t.Errorf("proofs: %+v; want the first with its secret, the second without", signed.proofs)
	}
	if signed.fallback.AccountID != second || signed.fallback.Source != "s:2" {
		t.Errorf("a call with a key speaks for %+v; want the default channel's account", signed.fallback)
	}
	if f := snap.sources["plain"].fallback; !f.AccountID.IsZero() {
		t.Errorf("a provider without accounts has %+v", f)
	}
}

type noProvider struct{ provider.Provider }
