package delivery

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/seal"
)

// maxSecrets bounds how many open credentials are kept in memory.
const maxSecrets = 4096

// secrets opens credentials, and keeps those that it opened.
type secrets struct {
	keys []*seal.Key
	mu   sync.Mutex
	open map[inbox.AccountID]secret
}

type secret struct{ sealed, plain []byte }

func newSecrets(keys []*seal.Key) *secrets {
	return &secrets{keys: keys, open: map[inbox.AccountID]secret{}}
}

// credential opens an account's.
func (s *secrets) credential(a *inbox.Account, source string) (provider.Credential, error) {
	c := provider.Credential{AccountID: a.ID, Source: source}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.open[a.ID]; ok && bytes.Equal(known.sealed, a.Credential) {
		c.Secret = known.plain
		return c, nil
	}
	for _, k := range s.keys {
		if k.ID() != a.KeyID {
			continue
		}
		plain, err := k.Open(a.Credential, "account/"+a.ID.UUID()+"/credential")
		if err != nil {
			return c, fmt.Errorf("opening the credential of account %s: %w", a.ID, err)
		}
		if len(s.open) >= maxSecrets {
			clear(s.open)
		}
		s.open[a.ID] = secret{a.Credential, plain}
		c.Secret = plain
		return c, nil
	}
	return c, fmt.Errorf("opening the credential of account %s: this worker lacks the key %s: give it the key that the credentials are sealed with", a.ID, a.KeyID)
}
