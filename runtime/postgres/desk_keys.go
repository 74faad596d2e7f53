package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
)

// originAPI is the origin of keys that no manifest names.
const originAPI = "api"

const keyColumns = "id, hint, name, scopes, origin, created_at, expires_at, revoked_at"

// scanKey reads keyColumns. A console has no right to the hash.
func scanKey(row pgx.CollectableRow) (k inbox.Key, err error) {
	err = row.Scan(idInto[inbox.KeyID]{&k.ID}, &k.Hint, &k.Name, &k.Scopes, &k.Origin, timeInto{&k.CreatedAt}, timeInto{&k.ExpiresAt}, timeInto{&k.RevokedAt})
	return k, err
}

// Keys implements [inbox.Desk]: newest first, those revoked or expired included, and
// none with its hash.
func (d *Desk) Keys(ctx context.Context) ([]inbox.Key, error) {
	return collect(ctx, d, "keys", scanKey, `SELECT `+keyColumns+` FROM api_key WHERE instance_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2`, maxKept)
}

// CreateKey implements [inbox.Desk].
func (d *Desk) CreateKey(ctx context.Context, k inbox.Key, actor string) error {
	if k.Origin != originAPI {
		return fmt.Errorf("storing a key: its origin is %q, and the console makes keys of origin %q", k.Origin, originAPI)
	}
	return d.tx(ctx, actor, func(tx pgx.Tx) error {
		const insert = `INSERT INTO api_key (instance_id, id, hash, hint, name, scopes, origin, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
		_, err := tx.Exec(ctx, insert, d.instance, uid(k.ID), k.Hash[:], clean(k.Hint), clean(k.Name), k.Scopes, k.Origin, k.CreatedAt, timestamp(k.ExpiresAt))
		if sqlState(err) == stateUniqueViolation {
			return inbox.Errorf(inbox.CodeConflict, "there is such a key already: make another one")
		}
		return wrote(err, "the key")
	})
}

// RevokeKey implements [inbox.Desk]. A key that is revoked stays so from when it was.
func (d *Desk) RevokeKey(ctx context.Context, id inbox.KeyID, actor string) (inbox.Key, error) {
	var k inbox.Key
	err := d.tx(ctx, actor, func(tx pgx.Tx) error {
		const revoke = `UPDATE api_key SET revoked_at = now() WHERE instance_id = $1 AND id = $2 AND origin = 'api' AND revoked_at IS NULL`
		if _, err := tx.Exec(ctx, revoke, d.instance, uid(id)); err != nil {
			return wrote(err, "the key")
		}
		rows, err := tx.Query(ctx, `SELECT `+keyColumns+` FROM api_key WHERE instance_id = $1 AND id = $2`, d.instance, uid(id))
		if err == nil {
			k, err = pgx.CollectExactlyOneRow(rows, scanKey)
		}
		switch {
		case isNoRows(err):
			return inbox.Errorf(inbox.CodeNotFound, "there is no such key: list them at /keys")
		case err != nil:
			return fmt.Errorf("reading the key: %w", err)
		case k.Origin != originAPI:
			return inbox.Errorf(inbox.CodeConflict, "a manifest names this key: take it out of the SocialOpsInstance to revoke it")
		}
		return nil
	})
	if err != nil {
		return inbox.Key{}, err
	}
	return k, nil
}
