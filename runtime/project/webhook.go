package project

import (
	"context"
	"crypto/sha256"
	"errors"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/seal"
)

// oldTokenFor is how long a rotated secret token is accepted beside the new one.
const oldTokenFor = 10 * time.Minute

// releasing stands for a webhook's hash while its removal was tried.
const releasing = "removal"

// register makes a provider send an account's events to url, if what was last
// registered differs or a look at it is due, and says how that stands. A webhook
// that points elsewhere is left alone. row is the account as it was just read.
func (p *Projector) register(ctx context.Context, connector provider.Connector, row *inbox.AccountRow, url string) (verdict, time.Time, error) {
	_, hash, err := p.webhookOf(connector, row, url)
	if err != nil {
		return verdict{}, time.Time{}, err
	}
	if known := stillKnown(row, hash, p.now()); known != nil {
		return *known, row.WebhookCheckAt, nil
	}
	defer p.calls.take(row.ID)()
	if row, err = p.account(ctx, row.ID); err != nil || row == nil {
		return absent(v1alpha1.ConditionWebhookRegistered), time.Time{}, err
	}
	w, hash, err := p.webhookOf(connector, row, url)
	if err != nil {
		return verdict{}, time.Time{}, err
	}
	now := p.now()
	if known := stillKnown(row, hash, now); known != nil { // another binding's turn came first
		return *known, row.WebhookCheckAt, nil
	}
	c, err := p.credential(row)
	if err != nil {
		return verdict{}, time.Time{}, err
	}
	ctxCall, cancel := context.WithTimeout(ctx, 2*callDeadline)
	defer cancel()
	v := ensureWebhook(ctxCall, connector, c, w, row, hash)
	var checkAt time.Time
	switch v.reason {
	case v1alpha1.ReasonWebhookRegistered:
		checkAt = now.Add(checkEvery + jitter(row.ID, checkJitter))
	case v1alpha1.ReasonProviderUnavailable:
		checkAt = now.Add(retryAway)
	default:
		checkAt = now.Add(retryTaken)
	}
	return v, checkAt, p.saveWebhook(ctx, row, func(_ inbox.ConfigurationTx, next *inbox.AccountRow) error {
		next.WebhookTried, next.WebhookCheckAt = hash, checkAt
		if v.reason == v1alpha1.ReasonWebhookRegistered {
			next.WebhookHash, next.WebhookURL = hash, url
		}
		next.Conditions = encode(apply(decode(next.Conditions), 0, now, v), next.Conditions)
		return nil
	})
}

// webhookOf is what an account's provider is to be told.
func (p *Projector) webhookOf(connector provider.Connector, row *inbox.AccountRow, url string) (provider.Webhook, string, error) {
	secret, err := p.open(row.KeyID, row.WebhookSecret, inbox.WebhookSecretPlace(row.ID))
	if err != nil {
		return provider.Webhook{}, "", err
	}
	w := provider.Webhook{URL: url, Secret: string(secret)}
	return w, connector.WebhookHash(w), nil
}

// stillKnown is how a webhook stands, nil when the provider is to be asked.
func stillKnown(row *inbox.AccountRow, hash string, now time.Time) *verdict {
	if row.WebhookTried != hash || !now.Before(row.WebhookCheckAt) {
		return nil
	}
	return storedWebhook(row)
}

// ensureWebhook looks where events go now, and sends them here unless that is somebody else's place.
func ensureWebhook(ctx context.Context, connector provider.Connector, c provider.Credential, w provider.Webhook, row *inbox.AccountRow, hash string) verdict {
	kind := v1alpha1.ConditionWebhookRegistered
	current, err := connector.Webhook(ctx, c)
	if err != nil {
		return webhookFailure(err)
	}
	if current != "" && current != w.URL && current != row.WebhookURL {
		return no(kind, v1alpha1.ReasonWebhookTaken, "%s sends its events somewhere else, which is left alone: remove its webhook there (deleteWebhook), or make another bot", row.DisplayName)
	}
	if current != w.URL || row.WebhookHash != hash {
		if err := connector.SetWebhook(ctx, c, w); err != nil {
			return webhookFailure(err)
		}
	}
	return yes(kind, v1alpha1.ReasonWebhookRegistered, "%s sends its events to %s", row.DisplayName, w.URL)
}

func webhookFailure(err error) verdict {
	reason := v1alpha1.ReasonProviderUnavailable
	switch inbox.CodeOf(err) {
	case inbox.CodeUnproven:
		reason = v1alpha1.ReasonTokenRefused
	case inbox.CodeUnprocessed, inbox.CodeInvalid:
		reason = v1alpha1.ReasonWebhookRefused
	}
	return no(v1alpha1.ConditionWebhookRegistered, reason, "%s", providerMessage(err))
}

func storedWebhook(row *inbox.AccountRow) *verdict {
	c := meta.FindStatusCondition(decode(row.Conditions), v1alpha1.ConditionWebhookRegistered)
	if c == nil {
		return nil
	}
	return &verdict{c.Type, c.Status, c.Reason, c.Message}
}

// credential opens what an account's provider is called with.
func (p *Projector) credential(row *inbox.AccountRow) (provider.Credential, error) {
	secret, err := p.open(row.KeyID, row.Credential, inbox.CredentialPlace(row.ID))
	return provider.Credential{AccountID: row.ID, Source: row.Source, Secret: secret}, err
}

// errChanged means that somebody else changed a row meanwhile.
var errChanged = errors.New("the account changed meanwhile; this is tried again")

// saveWebhook writes what became of an account's webhook, unless the account changed while the provider was asked.
func (p *Projector) saveWebhook(ctx context.Context, was *inbox.AccountRow, change func(inbox.ConfigurationTx, *inbox.AccountRow) error) error {
	return p.Store.Configure(ctx, channelsLock, func(tx inbox.ConfigurationTx) error {
		row, err := tx.Account(ctx, was.ID)
		if err != nil || row == nil {
			return err
		}
		if !equal(row.Fingerprint, was.Fingerprint) || row.WebhookHash != was.WebhookHash {
			return &inbox.Error{Code: inbox.CodeUnavailable, Message: errChanged.Error(), Err: errChanged}
		}
		if err := change(tx, row); err != nil {
			return err
		}
		return tx.PutAccount(ctx, row)
	})
}

// releaseUnused removes an account's webhook when no active channel of its holder
// is left, and tells when to try again if the provider was away.
func (p *Projector) releaseUnused(ctx context.Context, id inbox.AccountID) (time.Time, error) {
	defer p.calls.take(id)()
	return p.releaseHeld(ctx, id)
}

// releaseHeld is releaseUnused for one whose turn it is.
func (p *Projector) releaseHeld(ctx context.Context, id inbox.AccountID) (retryAt time.Time, err error) {
	row, retryAt, err := p.beginRelease(ctx, id)
	if err != nil || row == nil {
		return retryAt, err
	}
	if p.unregister(ctx, row) != nil {
		return retryAt, nil //nolint:nilerr // the provider is away: retryAt says when to ask again
	}
	return time.Time{}, p.saveWebhook(ctx, row, func(tx inbox.ConfigurationTx, next *inbox.AccountRow) error {
		holder := next.WebhookInstance
		forgetWebhook(next)
		users, err := tx.AccountUse(ctx, id)
		if slices.Contains(users, holder) { // a channel came meanwhile: it holds the bot, and registers anew
			next.WebhookInstance = holder
		}
		return err
	})
}

// beginRelease finds an account whose webhook is to be removed now, nil when there
// is none, and notes that before the provider is asked: a channel that comes
// meanwhile must not take the webhook for registered. retryAt is when to try again
// if it fails, or has failed before.
func (p *Projector) beginRelease(ctx context.Context, id inbox.AccountID) (row *inbox.AccountRow, retryAt time.Time, err error) {
	now := p.now()
	err = p.Store.Configure(ctx, channelsLock, func(tx inbox.ConfigurationTx) error {
		row, retryAt = nil, time.Time{}
		found, err := tx.Account(ctx, id)
		if err != nil || found == nil || found.WebhookInstance.IsZero() {
			return err
		}
		users, err := tx.AccountUse(ctx, id)
		if err != nil || slices.Contains(users, found.WebhookInstance) {
			return err
		}
		if retryAt = found.WebhookCheckAt; found.WebhookTried == releasing && now.Before(retryAt) {
			return nil
		}
		retryAt = now.Add(retryAway)
		found.WebhookTried, found.WebhookCheckAt = releasing, retryAt
		row = found
		return tx.PutAccount(ctx, found)
	})
	return row, retryAt, err
}

// forgetWebhook makes a row one whose webhook nobody holds.
func forgetWebhook(row *inbox.AccountRow) {
	row.WebhookHash, row.WebhookURL, row.WebhookTried = "", "", ""
	row.WebhookInstance, row.WebhookCheckAt = inbox.InstanceID{}, time.Time{}
	row.Conditions = encode(apply(decode(row.Conditions), 0, time.Time{}, absent(v1alpha1.ConditionWebhookRegistered)), row.Conditions)
}

func providerOf(kind string) string { return string(accountKinds[v1alpha1.AccountKind(kind)].provider) }

// unregister removes an account's webhook if it is the one that was registered
// here. It fails only when that may work later: a token that is refused by now can
// remove nothing.
func (p *Projector) unregister(ctx context.Context, row *inbox.AccountRow) error {
	connector, _ := p.Providers[providerOf(row.Kind)].(provider.Connector)
	if connector == nil || row.WebhookHash == "" {
		return nil
	}
	c, err := p.credential(row)
	if err != nil {
		return nil // nothing that could be tried later
	}
	ctx, cancel := context.WithTimeout(ctx, 2*callDeadline)
	defer cancel()
	current, err := connector.Webhook(ctx, c)
	if err == nil && current == row.WebhookURL {
		err = connector.DeleteWebhook(ctx, c)
	}
	switch inbox.CodeOf(err) {
	case inbox.CodeUnproven, inbox.CodeUnprocessed, inbox.CodeInvalid:
		return nil
	}
	return err
}

// proof makes what an instance verifies an account's calls with what it should be:
// nothing, without an active channel of the account.
func (p *Projector) proof(ctx context.Context, tx inbox.ConfigurationTx, instance *inbox.InstanceRow, account *inbox.AccountRow, now time.Time, registered bool) error {
	was, err := tx.Proof(ctx, instance.ID, account.ID)
	if err != nil {
		return err
	}
	users, err := tx.AccountUse(ctx, account.ID)
	if err != nil {
		return err
	}
	if !slices.Contains(users, instance.ID) {
		if was == nil {
			return nil
		}
		return tx.DeleteProof(ctx, instance.ID, account.ID)
	}
	next, err := p.nextProof(was, instance, account, now, registered)
	if err != nil || was != nil && reflect.DeepEqual(*was, next) {
		return err
	}
	return tx.PutProof(ctx, &next)
}

// nextProof: a webhook token is kept as a hash, and the one before it stays good
// for a while after the provider was told; a signing secret is sealed for the
// instance alone.
func (p *Projector) nextProof(was *inbox.ProofRow, instance *inbox.InstanceRow, account *inbox.AccountRow, now time.Time, registered bool) (inbox.ProofRow, error) {
	next := inbox.ProofRow{InstanceID: instance.ID, AccountID: account.ID}
	if was != nil {
		next = *was
	}
	next.Provider, next.Source = providerOf(account.Kind), account.Source
	if _, connects := p.Providers[next.Provider].(provider.Connector); connects {
		token, err := p.open(account.KeyID, account.WebhookSecret, inbox.WebhookSecretPlace(account.ID))
		if err != nil {
			return next, err
		}
		hash := sha256.Sum256(token)
		rotateToken(&next, hash[:], now, registered)
		return next, nil
	}
	secret, err := p.open(account.KeyID, account.Credential, inbox.CredentialPlace(account.ID))
	if err != nil {
		return next, err
	}
	raw, err := p.open(instance.KeyID, instance.SealedKey, inbox.InstanceKeyPlace(instance.ID))
	if err != nil {
		return next, err
	}
	own, err := seal.NewKey(raw)
	if err != nil {
		return next, err
	}
	place := inbox.ProofPlace(instance.ID, account.ID)
	if have, err := own.Open(next.Secret, place); err != nil || !equal(have, secret) {
		next.Secret = own.Seal(secret, place)
	}
	return next, nil
}

// rotateToken puts a token's hash in. Until the provider was told of it, the time
// of the old one does not run out.
func rotateToken(row *inbox.ProofRow, hash []byte, now time.Time, registered bool) {
	if !equal(row.TokenHash, hash) {
		row.OldTokenHash, row.OldUntil = row.TokenHash, time.Time{}
		if len(row.TokenHash) > 0 {
			row.OldUntil = now.Add(oldTokenFor)
		}
		row.TokenHash = hash
		return
	}
	if len(row.OldTokenHash) == 0 {
		return
	}
	switch {
	case !registered && row.OldUntil.Before(now.Add(oldTokenFor/2)):
		row.OldUntil = now.Add(oldTokenFor)
	case registered && !now.Before(row.OldUntil):
		row.OldTokenHash, row.OldUntil = nil, time.Time{}
	}
}
