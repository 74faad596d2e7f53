package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/inbox"
)

// maxReference bounds the reference of a credit, in bytes.
const maxReference = 200

// Credited is what a credit made.
type Credited struct {
	Balance  inbox.MicroUSD // after it
	Repeated bool           // it was given before under this reference: nothing was added
}

// Credit adds an amount to an alias's balance, once for each reference, as the
// database's owner. The reference is the ledger entry's whole one, such as
// "credit:invoice-17".
func Credit(ctx context.Context, pool *pgxpool.Pool, alias string, amount inbox.MicroUSD, reference string) (Credited, error) {
	if err := checkCredit(amount, reference); err != nil {
		return Credited{}, err
	}
	var out Credited
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, setActor, "admin"); err != nil {
			return fmt.Errorf("naming the actor: %w", err)
		}
		var instance inbox.InstanceID
		err := tx.QueryRow(ctx, `SELECT id FROM instance WHERE alias = $1 AND purged_at IS NULL`, alias).Scan((*[16]byte)(&instance))
		if errors.Is(err, pgx.ErrNoRows) {
			return errNoAlias(alias)
		}
		if err != nil {
			return fmt.Errorf("finding the instance: %w", err)
		}
		tag, err := tx.Exec(ctx, `INSERT INTO ledger (instance_id, reference, kind, amount) VALUES ($1, $2, 'credit', $3) ON CONFLICT DO NOTHING`,
			uid(instance), reference, int64(amount))
		if err != nil {
			return fmt.Errorf("writing the credit: %w", err)
		}
		var before inbox.MicroUSD
		if err := tx.QueryRow(ctx, `SELECT l.amount, b.amount FROM ledger l JOIN balance b USING (instance_id) WHERE l.instance_id = $1 AND l.reference = $2`,
			uid(instance), reference).Scan((*int64)(&before), (*int64)(&out.Balance)); err != nil {
			return fmt.Errorf("reading the balance: %w", err)
		}
		if out.Repeated = tag.RowsAffected() == 0; out.Repeated && before != amount {
			return errOtherCredit
		}
		return nil
	})
	if err != nil {
		return Credited{}, fmt.Errorf("crediting alias %s: %w", alias, err)
	}
	return out, nil
}

func checkCredit(amount inbox.MicroUSD, reference string) error {
	switch key, ok := strings.CutPrefix(reference, "credit:"); {
	case !ok || strings.TrimSpace(key) == "" || len(reference) > maxReference || clean(reference) != reference:
		return inbox.Errorf(inbox.CodeInvalid, "a credit needs a reference of at most %d characters that tells it from all others, such as an invoice's number", maxReference-len("credit:"))
	case amount <= 0:
		return inbox.Errorf(inbox.CodeInvalid, "a credit must be more than 0")
	}
	return nil
}

func errNoAlias(alias string) error {
	return inbox.Errorf(inbox.CodeNotFound, "there is no instance with the alias %q", alias)
}

var errOtherCredit = inbox.Errorf(inbox.CodeConflict, "another amount was credited under this reference before: use another reference for another credit")
