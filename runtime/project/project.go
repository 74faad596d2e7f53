// Package project makes rows of what admins write. An instance's manifest becomes
// its row, its role in Postgres and its keys; a labelled Secret becomes a
// connected account, proven by its provider; a ChannelBinding becomes a channel,
// and its bot's webhook is registered. What came of each is said in conditions.
//
// It is the only writer of these rows, for the operator and for the dev mode
// alike, so that one manifest gives the same rows and the same messages in both.
// Decisions are functions of what was read (claim.go, channel.go, secret.go);
// around them a method of [Projector] reads, asks the provider outside of any
// transaction, and writes what differs. A pass over unchanged manifests writes
// nothing and calls nobody.
package project

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/seal"
)

// Projector projects the manifests of one install. It is safe for concurrent use.
type Projector struct {
	Store     inbox.Configuration
	Providers provider.Registry
	// Seal encrypts credentials, and Former are the keys before it, which may still
	// have sealed what is stored.
	Seal   *seal.Key
	Former []*seal.Key
	// Install tells this install's rows from those of others in one database. It is
	// the namespace of the ids that are made from names.
	Install [16]byte
	// PublicURL is where providers reach an instance, such as https://inbox.example.com;
	// empty: they can't.
	PublicURL func(*v1alpha1.SocialOpsInstance) string
	// KeepConditions keeps instances' and channels' conditions beside their rows, for
	// the dev mode, whose manifests have no status.
	KeepConditions bool
	// PurgeBatch bounds how many rows of a kind one transaction of [Projector.Purge]
	// removes; 0 means 1000.
	PurgeBatch int
	Now        func() time.Time

	calls turns
}

// Secret is a Secret as it was read.
type Secret struct {
	Namespace, Name     string
	Labels, Annotations map[string]string
	Data                map[string][]byte
}

// String names the Secret; its data never ends up in a log by way of %v.
func (s *Secret) String() string { return fmt.Sprintf("Secret %q", s.Namespace+"/"+s.Name) }

// GoString is String, for %#v.
func (s *Secret) GoString() string { return s.String() }

// Secrets finds a Secret by namespace and name, nil when there is none.
type Secrets func(namespace, name string) *Secret

// now is the clock, as fine as Postgres keeps time.
func (p *Projector) now() time.Time { return p.Now().UTC().Truncate(time.Microsecond) }

// manifest names an object of this install.
func (p *Projector) manifest(namespace, name string) inbox.Manifest {
	return inbox.Manifest{Install: p.Install, Namespace: namespace, Name: name}
}

// AccountID is the id of the account that a Secret holds.
func (p *Projector) AccountID(namespace, name string) inbox.AccountID {
	return inbox.NameID[inbox.AccountID](p.Install, "account/"+namespace+"/"+name)
}

// ChannelID is the id of a ChannelBinding's channel.
func (p *Projector) ChannelID(namespace, name string) inbox.ChannelID {
	return inbox.NameID[inbox.ChannelID](p.Install, "channel/"+namespace+"/"+name)
}

func (p *Projector) defaultChannelID(namespace, name, provider string) inbox.ChannelID {
	return inbox.NameID[inbox.ChannelID](p.Install, "default/"+namespace+"/"+name+"/"+provider)
}

// open decrypts what the present key or one before it sealed.
func (p *Projector) open(keyID string, sealed []byte, place string) ([]byte, error) {
	for _, k := range append([]*seal.Key{p.Seal}, p.Former...) {
		if k.ID() == keyID {
			plain, err := k.Open(sealed, place)
			if err != nil {
				return nil, fmt.Errorf("opening what is stored at %s: %w", place, err)
			}
			return plain, nil
		}
	}
	return nil, &inbox.Error{
		Code: inbox.CodeInvalid, Err: errKeyGone,
		Message: fmt.Sprintf("what is stored was sealed with the encryption key %s, and the one at hand is %s: put the former key back", keyID, p.Seal.ID()),
	}
}

// errKeyGone means that nothing at hand opens what is stored.
var errKeyGone = errors.New("the encryption key is another one")

// SecretPlace is where the secret of an account belongs that an instance verifies
// calls with; it is sealed under the instance's own key.
func SecretPlace(i inbox.InstanceID, a inbox.AccountID) string { return inbox.ProofPlace(i, a) }

// jitter spreads what is due once a day, the same for the same id.
func jitter(id [16]byte, within time.Duration) time.Duration {
	return time.Duration(uint64(id[14])<<8|uint64(id[15])) * within / (1 << 16) //nolint:gosec // at most within
}

func equal(a, b []byte) bool { return bytes.Equal(a, b) }
