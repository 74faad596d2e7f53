package project

import (
	"context"
	"fmt"
	"reflect"
	"slices"
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
	Before     []metav1.Condition // as they were
	// Changed tells that the account is not as it was: its bindings are to be projected
	// again, and those of other accounts that wait for its bot.
	Changed bool
	// CheckAt is when to project it again though nothing changed; zero: never.
	CheckAt time.Time
}

// identification is what a provider said of a credential; nil: it was not asked.
type identification struct {
	provider.Identity
	err error
}

// accountPass is the projection of one account.
type accountPass struct {
	p           *Projector
	secret      *Secret
	id          inbox.AccountID
	now         time.Time
	credential  credential
	fingerprint []byte
	connector   provider.Connector // nil: there is nobody to ask

	row     *inbox.AccountRow // as it was found; nil: there was none
	next    inbox.AccountRow  // as it is now
	changed bool
	unused  bool // it holds a webhook that no channel uses
}

// Account projects a Secret that holds a connected account. A provider that is
// away or refuses the credential is a condition, not an error.
func (p *Projector) Account(ctx context.Context, s *Secret) (AccountResult, error) {
	a := &accountPass{p: p, secret: s, id: p.AccountID(s.Namespace, s.Name), now: p.now(), credential: readCredential(s)}
	a.fingerprint = p.Seal.Fingerprint(a.credential.content())
	a.connector, _ = p.Providers[a.credential.provider].(provider.Connector)
	defer p.calls.take(a.id)()
	retryAt, err := a.run(ctx)
	if err != nil {
		return AccountResult{ID: a.id}, fmt.Errorf("projecting %s: %w", s, err)
	}
	result := AccountResult{ID: a.id, Conditions: decode(a.next.Conditions), Changed: a.changed, CheckAt: earlier(a.next.CheckAt, retryAt)}
	if a.row != nil {
		result.Before = decode(a.row.Conditions)
	}
	return result, nil
}

// run tells when to try again what the provider could not do now; zero: it did all.
func (a *accountPass) run(ctx context.Context) (retryAt time.Time, err error) {
	ask := false
	err = a.p.Store.Configure(ctx, channelsLock, func(tx inbox.ConfigurationTx) (err error) {
		if a.row, err = tx.Account(ctx, a.id); err != nil {
			return err
		}
		if ask = a.mustAsk() || becomesAnother(a.row, &a.credential, nil); ask {
			return nil
		}
		return a.write(ctx, tx, a.row, nil)
	})
	if err == nil && ask {
		err = a.ask(ctx)
	}
	if err != nil || !a.unused {
		return time.Time{}, err
	}
	retryAt, err = a.p.releaseHeld(ctx, a.id)
	a.changed = a.changed || err == nil && retryAt.IsZero()
	return retryAt, err
}

// mustAsk tells whether the provider has not been asked about this credential, or not for a day.
func (a *accountPass) mustAsk() bool {
	if a.connector == nil || a.credential.problem != nil {
		return false
	}
	return a.row == nil || !equal(a.row.Tried, a.fingerprint) || !a.now.Before(a.row.CheckAt)
}

// ask calls the provider, outside of any transaction, and writes what it said.
func (a *accountPass) ask(ctx context.Context) error {
	var said *identification
	if a.mustAsk() {
		said = a.identify(ctx)
	}
	if becomesAnother(a.row, &a.credential, said) {
		// The credential that could unregister its webhook is about to be forgotten.
		if err := a.p.unregister(ctx, a.row); err != nil {
			said = &identification{err: err}
		}
	}
	return a.p.Store.Configure(ctx, channelsLock, func(tx inbox.ConfigurationTx) error {
		row, err := tx.Account(ctx, a.id)
		if err != nil {
			return err
		}
		return a.write(ctx, tx, row, said)
	})
}

func (a *accountPass) identify(ctx context.Context) *identification {
	ctx, cancel := context.WithTimeout(ctx, callDeadline)
	defer cancel()
	identity, err := a.connector.Identify(ctx, a.credential.secret)
	return &identification{identity, err}
}

// write makes the row what it should be.
func (a *accountPass) write(ctx context.Context, tx inbox.ConfigurationTx, row *inbox.AccountRow, said *identification) error {
	a.next = a.p.nextAccount(row, a.secret, &a.credential, a.connector != nil, a.fingerprint, said, a.now)
	a.changed = row == nil || !reflect.DeepEqual(*row, a.next)
	a.unused = false
	if a.changed {
		if err := tx.PutAccount(ctx, &a.next); err != nil {
			return err
		}
	}
	if a.next.WebhookInstance.IsZero() {
		return nil
	}
	users, err := tx.AccountUse(ctx, a.id)
	a.unused = !slices.Contains(users, a.next.WebhookInstance)
	return err
}

// earlier is the first of two times to come; a zero one never comes.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// becomesAnother tells whether a Secret now holds an account that is not the one before.
func becomesAnother(row *inbox.AccountRow, c *credential, said *identification) bool {
	if row == nil || c.problem != nil || said != nil && said.err != nil {
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
