package project

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// NewKey is a key that is to be created by command.
type NewKey struct {
	Name      string
	Scopes    []string  // empty: both
	ExpiresAt time.Time // zero: never
}

// GenerateKey makes the value of a new API key.
func GenerateKey() string { return "sk_" + randomText(40) }

// MakeKey makes a key of origin "api" and its value, which is kept nowhere: only its
// hash is.
func MakeKey(n NewKey, now time.Time) (value string, k inbox.Key, err error) {
	if n.Name = strings.TrimSpace(n.Name); n.Name == "" || len(n.Name) > 63 {
		return "", k, inbox.Errorf(inbox.CodeInvalid, "a key needs a name of at most 63 characters, such as \"monitoring\"")
	}
	if len(n.Scopes) == 0 {
		n.Scopes = []string{inbox.ScopeRead, inbox.ScopeWrite}
	}
	for _, s := range n.Scopes {
		if s != inbox.ScopeRead && s != inbox.ScopeWrite {
			return "", k, inbox.Errorf(inbox.CodeInvalid, "there is no scope %q: use %s and %s", s, inbox.ScopeRead, inbox.ScopeWrite)
		}
	}
	if !n.ExpiresAt.IsZero() && !n.ExpiresAt.After(now) {
		return "", k, inbox.Errorf(inbox.CodeInvalid, "the key would have expired already: give a time to come")
	}
	value = GenerateKey()
	return value, inbox.Key{
		ID: inbox.NewID[inbox.KeyID](now), Hash: sha256.Sum256([]byte(value)), Hint: value[len(value)-4:], Name: n.Name,
		Scopes: slices.Compact(sorted(n.Scopes)), Origin: originAPI, CreatedAt: now.UTC().Truncate(time.Microsecond), ExpiresAt: n.ExpiresAt,
	}, nil
}

// CreateKey adds a key of origin "api" to an alias and returns its value.
func CreateKey(ctx context.Context, store inbox.Configuration, alias string, n NewKey, now time.Time) (value string, k inbox.Key, err error) {
	if value, k, err = MakeKey(n, now); err != nil {
		return "", k, err
	}
	err = withAlias(ctx, store, alias, func(tx inbox.ConfigurationTx, row *inbox.InstanceRow) error { return tx.PutKey(ctx, row.ID, k) })
	if err != nil {
		return "", inbox.Key{}, err
	}
	return value, k, nil
}

// ListKeys lists the keys of an alias, those that ended included.
func ListKeys(ctx context.Context, store inbox.Configuration, alias string) (keys []inbox.Key, err error) {
	err = withAlias(ctx, store, alias, func(tx inbox.ConfigurationTx, row *inbox.InstanceRow) error {
		keys, err = tx.Keys(ctx, row.ID)
		return err
	})
	return keys, err
}

// RevokeKey ends a key at once. which is its id, or its name where only one valid key has it.
func RevokeKey(ctx context.Context, store inbox.Configuration, alias, which string, now time.Time) (k inbox.Key, err error) {
	err = withAlias(ctx, store, alias, func(tx inbox.ConfigurationTx, row *inbox.InstanceRow) error {
		keys, err := tx.Keys(ctx, row.ID)
		if err != nil {
			return err
		}
		if k, err = findKey(keys, which, now); err != nil {
			return err
		}
		k.RevokedAt = now.UTC().Truncate(time.Microsecond)
		return tx.PutKey(ctx, row.ID, k)
	})
	return k, err
}

func findKey(keys []inbox.Key, which string, now time.Time) (inbox.Key, error) {
	found := slices.DeleteFunc(slices.Clone(keys), func(k inbox.Key) bool {
		return !k.Valid(now) || k.ID.String() != which && k.Name != which
	})
	switch {
	case len(found) == 0:
		return inbox.Key{}, inbox.Errorf(inbox.CodeNotFound, "there is no valid key %q: list them with `socialops key list`", which)
	case len(found) > 1:
		return inbox.Key{}, inbox.Errorf(inbox.CodeConflict, "%d keys are named %q: give the id of one, such as %s", len(found), which, found[0].ID)
	case found[0].Origin != originAPI:
		return inbox.Key{}, inbox.Errorf(inbox.CodeConflict, "the key %q comes from the instance's manifest: remove it there, or change its Secret", which)
	}
	return found[0], nil
}

// withAlias runs f for the instance in force of an alias.
func withAlias(ctx context.Context, store inbox.Configuration, alias string, f func(inbox.ConfigurationTx, *inbox.InstanceRow) error) error {
	err := store.Configure(ctx, []string{aliasLock(alias)}, func(tx inbox.ConfigurationTx) error {
		row, err := tx.InstanceByAlias(ctx, alias)
		switch {
		case err != nil:
			return err
		case row == nil || !row.RetiredAt.IsZero():
			return inbox.Errorf(inbox.CodeNotFound, "there is no instance with the alias %q", alias)
		}
		return f(tx, row)
	})
	if err != nil {
		return fmt.Errorf("alias %s: %w", alias, err)
	}
	return nil
}
