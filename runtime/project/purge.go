package project

import (
	"context"
	"fmt"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// purgeBatch is the default of Projector.PurgeBatch.
const purgeBatch = 1000

// Purge removes the data of the instances that were deleted, in batches, until none
// is left or ctx ends, and tells whose aliases are free now. It may be stopped and
// called again at any time.
func (p *Projector) Purge(ctx context.Context) (aliases []string, err error) {
	var rows []inbox.InstanceRow
	err = p.Store.Configure(ctx, channelsLock, func(tx inbox.ConfigurationTx) (err error) {
		rows, err = tx.Purging(ctx, p.Install)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for what is to be removed: %w", err)
	}
	batch := p.PurgeBatch
	if batch <= 0 {
		batch = purgeBatch
	}
	for i := range rows {
		for more := true; more; {
			err := p.Store.Configure(ctx, []string{aliasLock(rows[i].Alias)}, func(tx inbox.ConfigurationTx) (err error) {
				more, err = tx.Purge(ctx, rows[i].ID, batch, p.now())
				return err
			})
			if err != nil {
				return aliases, fmt.Errorf("removing the data of alias %s: %w", rows[i].Alias, err)
			}
		}
		aliases = append(aliases, rows[i].Alias)
	}
	return aliases, nil
}

// Release lets whoever claims a retired alias next have it with its data, which
// until then waits for an instance of the same namespace, name and owner.
func Release(ctx context.Context, store inbox.Configuration, alias string, now time.Time) error {
	err := store.Configure(ctx, []string{aliasLock(alias)}, func(tx inbox.ConfigurationTx) error {
		row, err := tx.InstanceByAlias(ctx, alias)
		switch {
		case err != nil:
			return err
		case row == nil:
			return inbox.Errorf(inbox.CodeNotFound, "there is no data of an alias %q", alias)
		case row.RetiredAt.IsZero():
			return inbox.Errorf(inbox.CodeConflict, "the alias %q is in use by the SocialOpsInstance %s in namespace %s: delete that one first", alias, row.Manifest.Name, row.Manifest.Namespace)
		case !row.ReleasedAt.IsZero():
			return nil
		}
		row.ReleasedAt = now.UTC().Truncate(time.Microsecond)
		return tx.PutInstance(ctx, row)
	})
	if err != nil {
		return fmt.Errorf("releasing alias %s: %w", alias, err)
	}
	return nil
}
