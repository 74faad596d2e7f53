package project

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

// letGoAfter is how long an account without a Secret is kept because its webhook
// could not be unregistered.
const letGoAfter = time.Minute

// Retire puts the instance of a manifest that is gone out of force: its data stays,
// for a new instance of the same namespace, name, alias and owner.
func (p *Projector) Retire(ctx context.Context, namespace, name string) error {
	return p.end(ctx, Name{namespace, name}, func(*inbox.InstanceRow) (ending, bool) { return retiring, true })
}

// Delete is Retire for an instance whose data is not to be kept: [Projector.Purge]
// removes it.
func (p *Projector) Delete(ctx context.Context, namespace, name string) error {
	return p.end(ctx, Name{namespace, name}, func(*inbox.InstanceRow) (ending, bool) { return deleting, true })
}

// End is Retire or Delete, as the manifest said when it was projected last. It tells
// whether [Projector.Purge] has something to remove.
func (p *Projector) End(ctx context.Context, namespace, name string) (purging bool, err error) {
	err = p.end(ctx, Name{namespace, name}, func(row *inbox.InstanceRow) (ending, bool) {
		how := endingOf(row)
		purging = how == deleting
		return how, true
	})
	return purging, err
}

// ending is what becomes of an instance's data.
type ending bool

const (
	retiring ending = false // it stays
	deleting ending = true
)

func endingOf(row *inbox.InstanceRow) ending {
	return ending(row.DeletionPolicy == string(v1alpha1.DeletionDelete))
}

// end puts an instance out of force, how and whether says decide.
func (p *Projector) end(ctx context.Context, name Name, decide func(*inbox.InstanceRow) (how ending, sure bool)) error {
	var held []inbox.AccountID
	err := p.Store.Configure(ctx, append([]string{instanceLock(name.Namespace, name.Name)}, channelsLock...), func(tx inbox.ConfigurationTx) error {
		held = nil
		row, err := tx.InstanceOf(ctx, p.manifest(name.Namespace, name.Name))
		if err != nil || row == nil {
			return err
		}
		how, sure := decide(row)
		if !sure {
			return nil
		}
		if held, err = p.heldBy(ctx, tx, row.ID); err != nil {
			return err
		}
		if err := p.retire(ctx, tx, row, p.now()); err != nil || how == retiring {
			return err
		}
		row.RetiredAt, row.PurgeAt = p.now(), p.now()
		return tx.PutInstance(ctx, row)
	})
	if err != nil {
		return fmt.Errorf("retiring instance %s: %w", name, err)
	}
	for _, id := range held {
		// A provider that is away is asked again when the account is projected.
		if _, err := p.releaseUnused(ctx, id); err != nil {
			return fmt.Errorf("retiring instance %s: %w", name, err)
		}
	}
	return nil
}

// heldBy lists the accounts whose webhook an instance holds.
func (p *Projector) heldBy(ctx context.Context, tx inbox.ConfigurationTx, id inbox.InstanceID) ([]inbox.AccountID, error) {
	accounts, err := tx.Accounts(ctx, p.Install)
	if err != nil {
		return nil, err
	}
	var held []inbox.AccountID
	for i := range accounts {
		if accounts[i].WebhookInstance == id {
			held = append(held, accounts[i].ID)
		}
	}
	return held, nil
}

func (p *Projector) retire(ctx context.Context, tx inbox.ConfigurationTx, row *inbox.InstanceRow, now time.Time) error {
	if err := tx.RetireInstance(ctx, row.ID, now); err != nil {
		return err
	}
	was, err := tx.Role(ctx, RoleName(row.Manifest.Install, row.ID))
	if err != nil || was == nil || !was.Login {
		return err
	}
	want := *was
	want.Login = false
	return tx.PutRole(ctx, was, want, "")
}

// RemoveBinding closes the channel of a binding that is gone, and unregisters its
// bot's webhook if that was its last channel. A time means that the provider was
// away: call it again then, or let go.
func (p *Projector) RemoveBinding(ctx context.Context, namespace, name string) (retryAt time.Time, err error) {
	return p.removeChannel(ctx, p.ChannelID(namespace, name), func(*inbox.ChannelRow) bool { return true })
}

// removeChannel closes a channel, if it is surely the one that is meant.
func (p *Projector) removeChannel(ctx context.Context, id inbox.ChannelID, sure func(*inbox.ChannelRow) bool) (retryAt time.Time, err error) {
	var accounts []inbox.AccountID
	err = p.Store.Configure(ctx, channelsLock, func(tx inbox.ConfigurationTx) error {
		accounts = nil
		rows, err := tx.ChannelsByID(ctx, id)
		if err != nil {
			return err
		}
		for i := range rows {
			row := &rows[i]
			if !sure(row) {
				continue
			}
			// Also of one that was closed before: with its instance, say, while the provider was away.
			if !row.AccountID.IsZero() {
				accounts = append(accounts, row.AccountID)
			}
			if err := p.closeChannel(ctx, tx, row); err != nil {
				return err
			}
		}
		return nil
	})
	for _, account := range accounts {
		if err == nil {
			var at time.Time
			at, err = p.releaseUnused(ctx, account)
			retryAt = earlier(retryAt, at)
		}
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("removing a channel: %w", err)
	}
	return retryAt, nil
}

func (p *Projector) closeChannel(ctx context.Context, tx inbox.ConfigurationTx, row *inbox.ChannelRow) error {
	if !row.RemovedAt.IsZero() {
		return nil
	}
	row.Active, row.RemovedAt = false, p.now()
	if err := tx.PutChannel(ctx, row); err != nil || row.AccountID.IsZero() {
		return err
	}
	users, err := tx.AccountUse(ctx, row.AccountID)
	if err != nil || slices.Contains(users, row.InstanceID) {
		return err
	}
	return tx.DeleteProof(ctx, row.InstanceID, row.AccountID)
}

// RemoveAccount forgets the account of a Secret that is gone. Bindings that name it
// are to be projected after it: an account that a channel still uses, or whose
// webhook could not be unregistered yet, is kept for a minute more. A time means:
// call it again then.
func (p *Projector) RemoveAccount(ctx context.Context, namespace, name string) (retryAt time.Time, err error) {
	id, now := p.AccountID(namespace, name), p.now()
	gone := false
	err = p.Store.Configure(ctx, channelsLock, func(tx inbox.ConfigurationTx) error {
		row, err := tx.Account(ctx, id)
		if gone = row == nil; err != nil || gone {
			return err
		}
		users, err := tx.AccountUse(ctx, id)
		if err != nil {
			return err
		}
		free := len(users) == 0 && row.WebhookInstance.IsZero()
		if gone = free || !row.RemovedAt.IsZero() && !now.Before(row.RemovedAt.Add(letGoAfter)); gone {
			return tx.DeleteAccount(ctx, id)
		}
		if !row.RemovedAt.IsZero() {
			return nil
		}
		row.RemovedAt = now
		return tx.PutAccount(ctx, row)
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("removing account %s/%s: %w", namespace, name, err)
	}
	if gone {
		return time.Time{}, nil
	}
	_, err = p.releaseUnused(ctx, id)
	return now.Add(retryAway / 6), err
}

// Recheck makes the next pass look at every webhook that is registered, for a
// provider that may have forgotten them, as a simulator does.
func (p *Projector) Recheck(ctx context.Context) error {
	err := p.Store.Configure(ctx, channelsLock, func(tx inbox.ConfigurationTx) error {
		accounts, err := tx.Accounts(ctx, p.Install)
		if err != nil {
			return err
		}
		for i := range accounts {
			if accounts[i].WebhookHash == "" {
				continue
			}
			accounts[i].WebhookCheckAt = time.Time{}
			if err := tx.PutAccount(ctx, &accounts[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("asking for another look at the webhooks: %w", err)
	}
	return nil
}
