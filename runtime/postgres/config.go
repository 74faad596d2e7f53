package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// goneKeys is how long a key that is revoked or expired is still read. Meanwhile
// its user is told so, and clocks may differ.
const goneKeys = 24 * time.Hour

// Config implements [inbox.Store]. Its parts are of one moment.
func (s *Store) Config(ctx context.Context) (inbox.Config, error) {
	var c inbox.Config
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		c, err = s.readConfig(ctx, s.queries.WithTx(tx))
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return c, errNoInstance(err)
	}
	if err != nil {
		return c, codedError(fmt.Errorf("reading the configuration: %w", err))
	}
	return c, nil
}

func errNoInstance(err error) error {
	return &inbox.Error{Code: inbox.CodeNotFound, Message: "this instance is gone, or the database role is not its own", Err: err}
}

func (s *Store) readConfig(ctx context.Context, q *query.Queries) (inbox.Config, error) {
	now := s.now()
	c, err := s.readSettings(ctx, q)
	if err != nil {
		return c, err
	}
	keys, err := q.ListKeys(ctx, query.ListKeysParams{InstanceID: uid(s.instance), Gone: timestamp(now.Add(-goneKeys))})
	if err != nil {
		return c, fmt.Errorf("keys: %w", err)
	}
	for _, r := range keys {
		c.Keys = append(c.Keys, inbox.Key{
			ID: r.ID.Bytes, Hash: [32]byte(r.Hash), Hint: r.Hint, Name: r.Name, Scopes: r.Scopes, Origin: r.Origin,
			CreatedAt: utc(r.CreatedAt), ExpiresAt: utc(r.ExpiresAt), RevokedAt: utc(r.RevokedAt),
		})
	}
	proofs, err := q.ListProofs(ctx, uid(s.instance))
	if err != nil {
		return c, fmt.Errorf("proofs: %w", err)
	}
	for _, r := range proofs {
		p := inbox.Proof{AccountID: r.AccountID.Bytes, Provider: r.Provider, Source: r.Source, SealedSecret: r.Secret}
		if r.TokenHash != nil {
			p.TokenHashes = append(p.TokenHashes, [32]byte(r.TokenHash))
		}
		if r.OldTokenHash != nil && now.Before(utc(r.OldUntil)) {
			p.TokenHashes = append(p.TokenHashes, [32]byte(r.OldTokenHash))
		}
		c.Proofs = append(c.Proofs, p)
	}
	return c, nil
}

// readSettings reads an instance and its channels.
func (s *box) readSettings(ctx context.Context, q *query.Queries) (c inbox.Config, err error) {
	i, err := q.GetInstance(ctx, uid(s.instance))
	if err != nil {
		return c, fmt.Errorf("the instance: %w", err)
	}
	c.Instance = inbox.Instance{
		ID: s.instance, Alias: i.Alias, Owner: i.Owner, Providers: i.Providers, BillingAccount: i.BillingAccount,
		BillingMode: inbox.BillingMode(i.BillingMode), InboundPrice: inbox.MicroUSD(i.InboundPrice), ReplyPrice: inbox.MicroUSD(i.ReplyPrice),
		RateLimit: int(i.RateLimit), RateBurst: int(i.RateBurst), BodyLimit: int(i.BodyLimit), Suspended: i.Suspended,
		Retention: inbox.Retention{ThreadDays: int(i.ThreadDays), RawPayloadDays: int(i.RawPayloadDays), EventDays: int(i.EventDays)},
	}
	channels, err := q.ListChannels(ctx, uid(s.instance))
	if err != nil {
		return c, fmt.Errorf("channels: %w", err)
	}
	for _, r := range channels {
		c.Channels = append(c.Channels, inbox.Channel{
			ID: r.ID.Bytes, Provider: r.Provider, Name: r.Name, AccountID: r.AccountID.Bytes, Source: r.Source, ExternalID: r.ExternalID.String,
			ParseMode: r.ParseMode, Active: r.Active, Default: r.IsDefault,
		})
	}
	return c, nil
}
