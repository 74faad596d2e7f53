package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// blob is bytes as the parameter of a column that is never NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// document is JSON as the parameter of a column that is never NULL.
func document(b []byte) []byte {
	if len(b) == 0 {
		return []byte("[]")
	}
	return b
}

// at is a time as it is stored, in one zone, so that equal times are equal values.
func at(t pgtype.Timestamptz) time.Time { return t.Time.UTC() }

func text(s string) pgtype.Text { return pgtype.Text{String: s, Valid: s != ""} }

// InstanceByAlias implements [inbox.ConfigurationTx].
func (t *configurationTx) InstanceByAlias(ctx context.Context, alias string) (*inbox.InstanceRow, error) {
	row, err := t.q.InstanceByAlias(ctx, alias)
	return one(row, err, instanceRow, "the instance")
}

// InstanceOf implements [inbox.ConfigurationTx].
func (t *configurationTx) InstanceOf(ctx context.Context, m inbox.Manifest) (*inbox.InstanceRow, error) {
	row, err := t.q.InstanceOf(ctx, query.InstanceOfParams{InstallID: uid(m.Install), Namespace: m.Namespace, Name: m.Name})
	return one(row, err, instanceRow, "the instance")
}

// Instances implements [inbox.ConfigurationTx].
func (t *configurationTx) Instances(ctx context.Context, install [16]byte) ([]inbox.InstanceRow, error) {
	rows, err := t.q.Instances(ctx, uid(install))
	return list(rows, err, instanceRow, "the instances")
}

// PutInstance implements [inbox.ConfigurationTx].
func (t *configurationTx) PutInstance(ctx context.Context, r *inbox.InstanceRow) error {
	return wrote(t.q.PutInstance(ctx, query.PutInstanceParams{
		ID: uid(r.ID), InstallID: uid(r.Manifest.Install), Namespace: r.Manifest.Namespace, Name: r.Manifest.Name,
		Uid: r.Manifest.UID, UidSince: timestamp(r.Manifest.Since), Generation: r.Manifest.Generation,
		Alias: r.Alias, Owner: r.Owner, Providers: r.Providers, BillingAccount: r.BillingAccount, BillingMode: string(r.BillingMode),
		InboundPrice: int64(r.InboundPrice), ReplyPrice: int64(r.ReplyPrice),
		RateLimit: int32(r.RateLimit), RateBurst: int32(r.RateBurst), BodyLimit: int32(r.BodyLimit), //nolint:gosec // all are bounded by the manifest's schema
		Suspended: r.Suspended, SealedKey: blob(r.SealedKey), KeyID: r.KeyID, DeletionPolicy: r.DeletionPolicy,
		RetiredAt: timestamp(r.RetiredAt), ReleasedAt: timestamp(r.ReleasedAt), PurgeAt: timestamp(r.PurgeAt),
		Conditions: document(r.Conditions), CreatedAt: timestamp(r.CreatedAt),
		ThreadDays: int32(r.Retention.ThreadDays), RawPayloadDays: int32(r.Retention.RawPayloadDays), EventDays: int32(r.Retention.EventDays), //nolint:gosec // likewise
	}), "the instance")
}

func instanceRow(r *query.Instance) inbox.InstanceRow {
	return inbox.InstanceRow{
		Instance: inbox.Instance{
			ID: r.ID.Bytes, Alias: r.Alias, Owner: r.Owner, Providers: r.Providers, BillingAccount: r.BillingAccount,
			BillingMode: inbox.BillingMode(r.BillingMode), InboundPrice: inbox.MicroUSD(r.InboundPrice), ReplyPrice: inbox.MicroUSD(r.ReplyPrice),
			RateLimit: int(r.RateLimit), RateBurst: int(r.RateBurst), BodyLimit: int(r.BodyLimit), Suspended: r.Suspended,
			Retention: inbox.Retention{ThreadDays: int(r.ThreadDays), RawPayloadDays: int(r.RawPayloadDays), EventDays: int(r.EventDays)},
		},
		Manifest: inbox.Manifest{
			Install: r.InstallID.Bytes, Namespace: r.Namespace, Name: r.Name, UID: r.Uid, Since: at(r.UidSince), Generation: r.Generation,
		},
		SealedKey: r.SealedKey, KeyID: r.KeyID, DeletionPolicy: r.DeletionPolicy,
		RetiredAt: at(r.RetiredAt), ReleasedAt: at(r.ReleasedAt), PurgeAt: at(r.PurgeAt),
		Conditions: r.Conditions, CreatedAt: at(r.CreatedAt),
	}
}

// Keys implements [inbox.ConfigurationTx].
func (t *configurationTx) Keys(ctx context.Context, instance inbox.InstanceID) ([]inbox.Key, error) {
	rows, err := t.q.KeysOf(ctx, uid(instance))
	return list(rows, err, keyRow, "the keys")
}

// PutKey implements [inbox.ConfigurationTx].
func (t *configurationTx) PutKey(ctx context.Context, instance inbox.InstanceID, k inbox.Key) error {
	return wrote(t.q.PutKey(ctx, query.PutKeyParams{
		InstanceID: uid(instance), ID: uid(k.ID), Hash: k.Hash[:], Hint: k.Hint, Name: k.Name, Scopes: k.Scopes, Origin: k.Origin,
		CreatedAt: timestamp(k.CreatedAt), ExpiresAt: timestamp(k.ExpiresAt), RevokedAt: timestamp(k.RevokedAt),
	}), "the key")
}

// DeleteKey implements [inbox.ConfigurationTx].
func (t *configurationTx) DeleteKey(ctx context.Context, instance inbox.InstanceID, id inbox.KeyID) error {
	return wrote(t.q.DeleteManifestKey(ctx, query.DeleteManifestKeyParams{InstanceID: uid(instance), ID: uid(id)}), "the key")
}

func keyRow(r *query.ApiKey) inbox.Key {
	k := inbox.Key{
		ID: r.ID.Bytes, Hint: r.Hint, Name: r.Name, Scopes: r.Scopes, Origin: r.Origin,
		CreatedAt: at(r.CreatedAt), ExpiresAt: at(r.ExpiresAt), RevokedAt: at(r.RevokedAt),
	}
	copy(k.Hash[:], r.Hash)
	return k
}

// Channels implements [inbox.ConfigurationTx].
func (t *configurationTx) Channels(ctx context.Context, instance inbox.InstanceID) ([]inbox.ChannelRow, error) {
	rows, err := t.q.ChannelsOf(ctx, uid(instance))
	return list(rows, err, channelRow, "the channels")
}

// ChannelsByID implements [inbox.ConfigurationTx].
func (t *configurationTx) ChannelsByID(ctx context.Context, id inbox.ChannelID) ([]inbox.ChannelRow, error) {
	rows, err := t.q.ChannelsByID(ctx, uid(id))
	return list(rows, err, channelRow, "the channel")
}

// BoundChannels implements [inbox.ConfigurationTx].
func (t *configurationTx) BoundChannels(ctx context.Context, install [16]byte) ([]inbox.ChannelRow, error) {
	rows, err := t.q.BoundChannels(ctx, uid(install))
	return list(rows, err, channelRow, "the channels")
}

// PutChannel implements [inbox.ConfigurationTx].
func (t *configurationTx) PutChannel(ctx context.Context, r *inbox.ChannelRow) error {
	return wrote(t.q.PutChannel(ctx, query.PutChannelParams{
		InstanceID: uid(r.InstanceID), ID: uid(r.ID), Provider: r.Provider, Name: r.Name, AccountID: uid(r.AccountID), Source: r.Source,
		ExternalID: text(r.ExternalID), ParseMode: r.ParseMode, Active: r.Active, IsDefault: r.Default, Uid: r.UID, UidSince: timestamp(r.Since),
		Generation: r.Generation, RemovedAt: timestamp(r.RemovedAt), Conditions: document(r.Conditions), CreatedAt: timestamp(r.CreatedAt),
	}), "the channel")
}

func channelRow(r *query.Channel) inbox.ChannelRow {
	return inbox.ChannelRow{
		Channel: inbox.Channel{
			ID: r.ID.Bytes, Provider: r.Provider, Name: r.Name, AccountID: r.AccountID.Bytes, Source: r.Source, ExternalID: r.ExternalID.String,
			ParseMode: r.ParseMode, Active: r.Active, Default: r.IsDefault,
		},
		InstanceID: r.InstanceID.Bytes, UID: r.Uid, Since: at(r.UidSince), Generation: r.Generation, RemovedAt: at(r.RemovedAt),
		Conditions: r.Conditions, CreatedAt: at(r.CreatedAt),
	}
}

// RetireInstance implements [inbox.ConfigurationTx].
func (t *configurationTx) RetireInstance(ctx context.Context, id inbox.InstanceID, now time.Time) error {
	if err := t.q.RetireInstance(ctx, query.RetireInstanceParams{ID: uid(id), Now: timestamp(now)}); err != nil {
		return wrote(err, "the instance")
	}
	if err := t.q.RetireKeys(ctx, uid(id)); err != nil {
		return wrote(err, "the keys")
	}
	if err := t.q.RetireProofs(ctx, uid(id)); err != nil {
		return wrote(err, "the proofs")
	}
	if err := t.q.RetireChannels(ctx, query.RetireChannelsParams{ID: uid(id), Now: timestamp(now)}); err != nil {
		return wrote(err, "the channels")
	}
	return t.failPending(ctx, id)
}
