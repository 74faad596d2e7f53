package project

import (
	"context"
	"fmt"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// How often a provider is asked about an account whose Secret did not change.
const (
	checkEvery   = 24 * time.Hour
	checkJitter  = 2 * time.Hour
	retryAway    = 30 * time.Second // it was away
	retryTaken   = 5 * time.Minute  // the webhook points elsewhere, or was refused
	callDeadline = 15 * time.Second // of one call
)

// AccountResult is what became of an account's Secret.
type AccountResult struct {
	ID         inbox.AccountID
	Conditions []metav1.Condition
	// CheckAt is when to project it again though nothing changed; zero: never.
	CheckAt time.Time
}

// identification is what a provider said of a credential.
type identification struct {
	provider.Identity
	err error
}

// Account projects a Secret that holds a connected account. A provider that is
// away or refuses the credential is a condition, not an error.
func (p *Projector) Account(ctx context.Context, s *Secret) (AccountResult, error) {
	id := p.AccountID(s.Namespace, s.Name)
	c := readCredential(s)
	now := p.now()
	fingerprint := p.Seal.Fingerprint(c.content())
	row, err := p.account(ctx, id)
	if err != nil {
		return AccountResult{ID: id}, fmt.Errorf("projecting %s: %w", s, err)
	}
	connector, _ := p.Providers[c.provider].(provider.Connector)
	said := p.identify(ctx, connector, row, &c, fingerprint, now)
	if row != nil && becomesAnother(row, &c, said) {
		// The credential that could unregister its webhook is about to be forgotten.
		if err := p.unregister(ctx, row); err != nil {
			said = &identification{err: err}
		}
	}
	var next inbox.AccountRow
	err = p.Store.Configure(ctx, channelsLock, func(tx inbox.ConfigurationTx) error {
		row, err := tx.Account(ctx, id)
		if err != nil {
			return err
		}
		next = p.nextAccount(row, s, &c, connector != nil, fingerprint, said, now)
		if row != nil && reflect.DeepEqual(*row, next) {
			return nil
		}
		return tx.PutAccount(ctx, &next)
	})
	if err != nil {
		return AccountResult{ID: id}, fmt.Errorf("projecting %s: %w", s, err)
	}
	return AccountResult{ID: id, Conditions: decode(next.Conditions), CheckAt: next.CheckAt}, nil
}

// becomesAnother tells whether a Secret now holds an account that is not the one before.
func becomesAnother(row *inbox.AccountRow, c *credential, said *identification) bool {
	if c.problem != nil || said != nil && said.err != nil {
		return false
	}
	return row.Kind != c.kind || said != nil && said.Source != row.Source
}

func (p *Projector) account(ctx context.Context, id inbox.AccountID) (row *inbox.AccountRow, err error) {
	err = p.Store.Configure(ctx, channelsLock, func(tx inbox.ConfigurationTx) error {
		row, err = tx.Account(ctx, id)
		return err
	})
	return row, err
}

// identify asks the provider whose a credential is, if it has not been asked about
// this one or was asked a day ago. Nil: there was no need.
func (p *Projector) identify(ctx context.Context, connector provider.Connector, row *inbox.AccountRow, c *credential, fingerprint []byte, now time.Time) *identification {
	if connector == nil || c.problem != nil {
		return nil
	}
	if row != nil && equal(row.Tried, fingerprint) && now.Before(row.CheckAt) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callDeadline)
	defer cancel()
	identity, err := connector.Identify(ctx, c.secret)
	return &identification{identity, err}
}

// nextAccount is the row that an account should have. A changed credential is taken
// into use once its provider accepted it: until then the one before stays.
func (p *Projector) nextAccount(row *inbox.AccountRow, s *Secret, c *credential, asked bool, fingerprint []byte, said *identification, now time.Time) inbox.AccountRow {
	next := inbox.AccountRow{ID: p.AccountID(s.Namespace, s.Name), Install: p.Install, Namespace: s.Namespace, Name: s.Name, CreatedAt: now}
	if row != nil {
		next = *row
	}
	next.Owner, next.RemovedAt = c.owner, time.Time{}
	failed := said != nil && said.err != nil
	if row == nil || row.Source == "" || c.problem == nil && !failed {
		next.Kind = c.kind
	}
	judge := func(v verdict) { next.Conditions = encode(apply(decode(next.Conditions), 0, now, v), next.Conditions) }
	switch {
	case c.problem != nil:
		judge(*c.problem)
		next.Tried, next.CheckAt = nil, time.Time{}
	case !asked && !failed:
		judge(identified(nil, ""))
		moveTo(&next, c.provider)
		p.use(&next, c, fingerprint)
	case said == nil:
	case said.err == nil:
		judge(identified(nil, said.Name))
		moveTo(&next, said.Source)
		next.DisplayName, next.Tried = said.Name, fingerprint
		next.IdentifiedAt, next.CheckAt = now, now.Add(checkEvery+jitter(next.ID, checkJitter))
		p.use(&next, c, fingerprint)
	default:
		judge(identified(said.err, ""))
		next.Tried, next.CheckAt = fingerprint, now.Add(retryAway)
		if inbox.CodeOf(said.err) == inbox.CodeUnproven {
			next.CheckAt = now.Add(checkEvery + jitter(next.ID, checkJitter))
		}
		if next.Source == "" {
			p.use(&next, c, fingerprint)
		}
	}
	if next.Tried == nil {
		next.Tried = []byte{}
	}
	return next
}

// moveTo gives a row another source, whose webhook nobody holds yet.
func moveTo(row *inbox.AccountRow, source string) {
	if row.Source == source {
		return
	}
	row.Source, row.DisplayName = source, ""
	forgetWebhook(row)
}

// use puts a credential into a row, unless it is there.
func (p *Projector) use(row *inbox.AccountRow, c *credential, fingerprint []byte) {
	if equal(row.Fingerprint, fingerprint) {
		return
	}
	row.Credential, row.KeyID, row.Fingerprint = p.Seal.Seal(c.secret, inbox.CredentialPlace(row.ID)), p.Seal.ID(), fingerprint
	secret := c.webhookSecret
	if secret == nil {
		secret = []byte(randomText(48))
	}
	row.WebhookSecret = p.Seal.Seal(secret, inbox.WebhookSecretPlace(row.ID))
}
