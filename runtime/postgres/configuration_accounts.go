package postgres

import (
	"context"
	"fmt"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// Accounts implements [inbox.ConfigurationTx].
func (t *configurationTx) Accounts(ctx context.Context, install [16]byte) ([]inbox.AccountRow, error) {
	rows, err := t.q.AccountsOf(ctx, uid(install))
	return list(rows, err, accountRow, "the accounts")
}

// Account implements [inbox.ConfigurationTx].
func (t *configurationTx) Account(ctx context.Context, id inbox.AccountID) (*inbox.AccountRow, error) {
	row, err := t.q.AccountByID(ctx, uid(id))
	return one(row, err, accountRow, "the account")
}

// WebhookHolder implements [inbox.ConfigurationTx].
func (t *configurationTx) WebhookHolder(ctx context.Context, source string) (*inbox.AccountRow, error) {
	row, err := t.q.WebhookHolder(ctx, source)
	return one(row, err, accountRow, "the webhook's holder")
}

// AccountUse implements [inbox.ConfigurationTx].
func (t *configurationTx) AccountUse(ctx context.Context, id inbox.AccountID) ([]inbox.InstanceID, error) {
	rows, err := t.q.AccountUse(ctx, uid(id))
	if err != nil {
		return nil, fmt.Errorf("reading who uses the account: %w", err)
	}
	ids := make([]inbox.InstanceID, len(rows))
	for i := range rows {
		ids[i] = rows[i].Bytes
	}
	return ids, nil
}

// PutAccount implements [inbox.ConfigurationTx].
func (t *configurationTx) PutAccount(ctx context.Context, r *inbox.AccountRow) error {
	return wrote(t.q.PutAccount(ctx, query.PutAccountParams{
		ID: uid(r.ID), InstallID: uid(r.Install), Namespace: r.Namespace, Name: r.Name, Kind: r.Kind, Owner: r.Owner, Source: r.Source,
		DisplayName: clean(r.DisplayName), Credential: blob(r.Credential), KeyID: r.KeyID, Fingerprint: blob(r.Fingerprint), Tried: blob(r.Tried),
		IdentifiedAt: timestamp(r.IdentifiedAt), CheckAt: timestamp(r.CheckAt), WebhookSecret: blob(r.WebhookSecret),
		WebhookHash: r.WebhookHash, WebhookUrl: r.WebhookURL, WebhookTried: r.WebhookTried, WebhookCheckAt: timestamp(r.WebhookCheckAt),
		WebhookInstanceID: uid(r.WebhookInstance), RemovedAt: timestamp(r.RemovedAt), Conditions: document(r.Conditions), CreatedAt: timestamp(r.CreatedAt),
	}), "the account")
}

// DeleteAccount implements [inbox.ConfigurationTx].
func (t *configurationTx) DeleteAccount(ctx context.Context, id inbox.AccountID) error {
	return wrote(t.q.DeleteAccount(ctx, uid(id)), "the account's removal")
}

func accountRow(r *query.Account) inbox.AccountRow {
	return inbox.AccountRow{
		ID: r.ID.Bytes, Install: r.InstallID.Bytes, Namespace: r.Namespace, Name: r.Name, Kind: r.Kind, Owner: r.Owner, Source: r.Source,
		DisplayName: r.DisplayName, Credential: r.Credential, KeyID: r.KeyID, Fingerprint: r.Fingerprint, Tried: r.Tried,
		IdentifiedAt: at(r.IdentifiedAt), CheckAt: at(r.CheckAt), WebhookSecret: r.WebhookSecret,
		WebhookHash: r.WebhookHash, WebhookURL: r.WebhookUrl, WebhookTried: r.WebhookTried, WebhookCheckAt: at(r.WebhookCheckAt),
		WebhookInstance: r.WebhookInstanceID.Bytes, RemovedAt: at(r.RemovedAt), Conditions: r.Conditions, CreatedAt: at(r.CreatedAt),
	}
}

// Proof implements [inbox.ConfigurationTx].
func (t *configurationTx) Proof(ctx context.Context, instance inbox.InstanceID, account inbox.AccountID) (*inbox.ProofRow, error) {
	row, err := t.q.ProofOf(ctx, query.ProofOfParams{InstanceID: uid(instance), AccountID: uid(account)})
	return one(row, err, proofRow, "the proof")
}

// PutProof implements [inbox.ConfigurationTx].
func (t *configurationTx) PutProof(ctx context.Context, r *inbox.ProofRow) error {
	return wrote(t.q.PutProof(ctx, query.PutProofParams{
		InstanceID: uid(r.InstanceID), AccountID: uid(r.AccountID), Provider: r.Provider, Source: r.Source,
		TokenHash: r.TokenHash, OldTokenHash: r.OldTokenHash, OldUntil: timestamp(r.OldUntil), Secret: r.Secret,
	}), "the proof")
}

// DeleteProof implements [inbox.ConfigurationTx].
func (t *configurationTx) DeleteProof(ctx context.Context, instance inbox.InstanceID, account inbox.AccountID) error {
	return wrote(t.q.DeleteProof(ctx, query.DeleteProofParams{InstanceID: uid(instance), AccountID: uid(account)}), "the proof's removal")
}

func proofRow(r *query.AccountProof) inbox.ProofRow {
	return inbox.ProofRow{
		InstanceID: r.InstanceID.Bytes, AccountID: r.AccountID.Bytes, Provider: r.Provider, Source: r.Source,
		TokenHash: r.TokenHash, OldTokenHash: r.OldTokenHash, OldUntil: at(r.OldUntil), Secret: r.Secret,
	}
}
