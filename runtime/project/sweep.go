package project

import (
	"context"
	"errors"
	"fmt"

	"github.com/open4x/socialops/runtime/inbox"
)

// Listed are the manifests that there are.
type Listed struct {
	Instances, Bindings, Accounts map[Name]struct{}
}

// NewListed makes an empty list.
func NewListed() Listed {
	return Listed{Instances: map[Name]struct{}{}, Bindings: map[Name]struct{}{}, Accounts: map[Name]struct{}{}}
}

// Swept is what came of a sweep.
type Swept struct {
	// Ended counts the instances and channels that were put out of force; others may have what they held.
	Ended int
	// Purging tells that [Projector.Purge] has something to remove.
	Purging bool
	// Accounts are those whose Secrets are gone: [Projector.RemoveAccount] is to be called for each.
	Accounts []Name
}

// Sweep retires or deletes instances and closes channels whose manifests are gone
// without anybody having been told, and finds accounts of which that is true. list
// is called once the rows are read: what it does not name is gone, whatever is
// created meanwhile. watched tells of which namespaces the list is complete; rows of
// others are left alone. One that fails keeps no other from being swept.
func (p *Projector) Sweep(ctx context.Context, watched func(namespace string) bool, list func(context.Context) (Listed, error)) (Swept, error) {
	rows, err := p.configured(ctx)
	if err != nil {
		return Swept{}, fmt.Errorf("reading what is configured: %w", err)
	}
	listed, err := list(ctx)
	if err != nil {
		return Swept{}, err
	}
	gone := rows.without(p, listed, watched)
	swept := Swept{Purging: rows.purging, Accounts: gone.accounts}
	var errs []error
	for i := range gone.channels {
		seen := &gone.channels[i]
		_, err := p.removeChannel(ctx, seen.ID, func(row *inbox.ChannelRow) bool { return row.UID == seen.UID })
		errs = append(errs, err)
	}
	for i := range gone.instances {
		seen := &gone.instances[i]
		err := p.end(ctx, Name{seen.Manifest.Namespace, seen.Manifest.Name}, func(row *inbox.InstanceRow) (ending, bool) {
			return endingOf(row), row.Manifest.UID == seen.Manifest.UID
		})
		errs = append(errs, err)
		swept.Purging = swept.Purging || endingOf(seen) == deleting
	}
	swept.Ended = len(gone.channels) + len(gone.instances)
	return swept, errors.Join(errs...)
}

// configured are an install's rows that have, or had, a manifest.
type configured struct {
	instances []inbox.InstanceRow
	channels  []inbox.ChannelRow
	accounts  []Name
	purging   bool
}

func (p *Projector) configured(ctx context.Context) (c configured, err error) {
	err = p.Store.Configure(ctx, channelsLock, func(tx inbox.ConfigurationTx) error {
		c = configured{}
		if c.instances, err = tx.Instances(ctx, p.Install); err != nil {
			return err
		}
		if c.channels, err = tx.BoundChannels(ctx, p.Install); err != nil {
			return err
		}
		purging, err := tx.Purging(ctx, p.Install)
		if err != nil {
			return err
		}
		c.purging = len(purging) > 0
		accounts, err := tx.Accounts(ctx, p.Install)
		for i := range accounts {
			c.accounts = append(c.accounts, Name{accounts[i].Namespace, accounts[i].Name})
		}
		return err
	})
	return c, err
}

// without keeps what is not listed, though it would be.
func (c configured) without(p *Projector, listed Listed, watched func(namespace string) bool) (gone configured) {
	bound := make(map[inbox.ChannelID]struct{}, len(listed.Bindings))
	for name := range listed.Bindings {
		bound[p.ChannelID(name.Namespace, name.Name)] = struct{}{}
	}
	ours := map[inbox.InstanceID]bool{}
	for i := range c.instances {
		m := &c.instances[i].Manifest
		ours[c.instances[i].ID] = watched(m.Namespace)
		if _, there := listed.Instances[Name{m.Namespace, m.Name}]; !there && watched(m.Namespace) {
			gone.instances = append(gone.instances, c.instances[i])
		}
	}
	for i := range c.channels { // a binding is in its instance's namespace
		if _, there := bound[c.channels[i].ID]; !there && ours[c.channels[i].InstanceID] {
			gone.channels = append(gone.channels, c.channels[i])
		}
	}
	for _, name := range c.accounts {
		if _, there := listed.Accounts[name]; !there && watched(name.Namespace) {
			gone.accounts = append(gone.accounts, name)
		}
	}
	return gone
}
