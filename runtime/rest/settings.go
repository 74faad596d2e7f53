package rest

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

const (
	settingsMaxAge  = 5 * time.Second // nothing older is ever acted on
	settingsRefresh = 3 * time.Second // from this age on they are read anew, beside the requests
	settingsTimeout = 5 * time.Second // of one reading
	settingsPause   = time.Second     // after a reading that failed
)

// settings is the instance's configuration as it was read last. Reading it is one
// call at a time, shared by all who wait for it.
type settings struct {
	store     inbox.Store
	providers provider.Registry
	open      func(sealed []byte, proof inbox.Proof) ([]byte, error)
	now       func() time.Time
	log       *slog.Logger
	failures  prometheus.Counter

	current atomic.Pointer[snapshot]

	mu       sync.Mutex
	reading  *reading
	failed   error
	failedAt time.Time
	unopened []string // what could not be opened, as it was last logged
	wg       sync.WaitGroup
}

// reading is one reading under way.
type reading struct {
	done chan struct{}
	snap *snapshot
	err  error
}

// snapshot is the configuration, arranged for lookups. It is never changed.
type snapshot struct {
	inbox.Config
	at      time.Time // when its reading began
	callers map[[sha256.Size]byte]*caller
	sources map[string]*source // of the allowed providers, by name
}

// source is how calls of one provider prove themselves.
type source struct {
	proofs []provider.Proof
	// fallback is the account that a call with a key speaks for: that of the
	// provider's default channel, or none.
	fallback provider.Proof
}

// get gives settings that are fresh enough to act on.
func (s *settings) get(ctx context.Context) (*snapshot, error) {
	snap := s.current.Load()
	if snap != nil {
		switch age := s.now().Sub(snap.at); {
		case age < settingsRefresh:
			return snap, nil
		case age < settingsMaxAge:
			s.read(snap)
			return snap, nil
		}
	}
	r := s.read(snap)
	select {
	case <-r.done:
		return r.snap, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read joins the reading under way, or starts one unless old has been replaced
// meanwhile or the last reading failed just now.
func (s *settings) read(old *snapshot) *reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reading != nil {
		return s.reading
	}
	now := s.now()
	if snap := s.current.Load(); snap != old && now.Sub(snap.at) < settingsMaxAge {
		return settled(snap, nil)
	}
	if s.failed != nil && now.Sub(s.failedAt) < settingsPause {
		return settled(nil, s.failed)
	}
	r := &reading{done: make(chan struct{})}
	s.reading = r
	s.wg.Go(func() {
		r.snap, r.err = s.load(now)
		s.mu.Lock()
		s.reading, s.failed = nil, r.err
		if r.err == nil {
			s.current.Store(r.snap)
		} else {
			s.failedAt = s.now()
		}
		s.mu.Unlock()
		close(r.done)
	})
	return r
}

func settled(snap *snapshot, err error) *reading {
	done := make(chan struct{})
	close(done)
	return &reading{done: done, snap: snap, err: err}
}

func (s *settings) load(now time.Time) (*snapshot, error) {
	ctx, cancel := context.WithTimeout(context.Background(), settingsTimeout)
	defer cancel()
	config, err := s.store.Config(ctx)
	if err != nil {
		s.failures.Inc()
		s.log.Error("the instance's settings can't be read; requests are refused once the last ones are too old", "error", err)
		return nil, Failure(inbox.CodeUnavailable, "the inbox can't reach its database: try again").retryAfter(retrySoon).because(err)
	}
	snap := &snapshot{Config: config, at: now, callers: make(map[[sha256.Size]byte]*caller, len(config.Keys)), sources: map[string]*source{}}
	s.addCallers(snap)
	s.addSources(snap)
	return snap, nil
}

// addCallers arranges the keys by hash. A key keeps its limiter, and with it what
// it has left, unless the limit was changed.
func (s *settings) addCallers(snap *snapshot) {
	var known map[[sha256.Size]byte]*caller
	limit, burst := snap.Instance.RateLimit, snap.Instance.RateBurst
	if old := s.current.Load(); old != nil && old.Instance.RateLimit == limit && old.Instance.RateBurst == burst {
		known = old.callers
	}
	for _, key := range snap.Keys {
		c := &caller{key: key, actor: "key:" + key.ID.String(), settings: s}
		if old := known[key.Hash]; old != nil {
			c.limiter = old.limiter
		} else {
			c.limiter = newLimiter(limit, burst)
		}
		snap.callers[key.Hash] = c
	}
}

func (s *settings) addSources(snap *snapshot) {
	var unopened []string
	for _, name := range snap.Instance.Providers {
		if s.providers[name] == nil {
			continue
		}
		src := &source{}
		for _, p := range snap.Proofs {
			if p.Provider != name {
				continue
			}
			proof := provider.Proof{AccountID: p.AccountID, Source: p.Source, TokenHashes: p.TokenHashes}
			if len(p.SealedSecret) > 0 {
				secret, err := s.open(p.SealedSecret, p)
				if err != nil {
					unopened = append(unopened, p.AccountID.String())
				} else if len(secret) > 0 {
					proof.Secrets = [][]byte{secret}
				}
			}
			src.proofs = append(src.proofs, proof)
		}
		src.fallback = fallbackAccount(snap.Channels, name, src.proofs)
		snap.sources[name] = src
	}
	s.mu.Lock()
	news := len(unopened) > 0 && !slices.Equal(unopened, s.unopened)
	s.unopened = unopened
	s.mu.Unlock()
	if news {
		s.log.Error("webhook secrets can't be opened, so calls signed with them are refused: check the instance's encryption key", "accounts", unopened)
	}
}

func fallbackAccount(channels []inbox.Channel, name string, proofs []provider.Proof) provider.Proof {
	i := slices.IndexFunc(channels, func(c inbox.Channel) bool {
		return c.Provider == name && c.Default && c.Active && !c.AccountID.IsZero()
	})
	if i < 0 {
		return provider.Proof{}
	}
	if j := slices.IndexFunc(proofs, func(p provider.Proof) bool { return p.AccountID == channels[i].AccountID }); j >= 0 {
		return proofs[j]
	}
	return provider.Proof{AccountID: channels[i].AccountID, Source: channels[i].Source}
}

// wait returns when no reading is under way.
func (s *settings) wait() { s.wg.Wait() }
