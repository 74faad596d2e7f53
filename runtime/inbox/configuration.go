package inbox

import (
	"context"
	"encoding/json"
	"time"
)

// Configuration is the rows that admins configure: instances, channels, accounts
// and the keys that manifests name. runtime/project decides what they hold and is
// their only writer.
type Configuration interface {
	// Configure runs f in one transaction, alone among those that hold one of the same locks.
	// An [Error] with CodeUnavailable means that the database is away, one with
	// CodeForbidden that its role lacks a privilege, which the message names.
	Configure(ctx context.Context, locks []string, f func(ConfigurationTx) error) error
}

// ConfigurationTx reads and writes configuration in a transaction. What is not
// there is nil.
type ConfigurationTx interface {
	// InstanceByAlias finds who has the alias, a retired instance included.
	InstanceByAlias(ctx context.Context, alias string) (*InstanceRow, error)
	// InstanceOf finds the instance in force of a manifest.
	InstanceOf(ctx context.Context, m Manifest) (*InstanceRow, error)
	// Instances lists an install's instances in force.
	Instances(ctx context.Context, install [16]byte) ([]InstanceRow, error)
	PutInstance(ctx context.Context, row *InstanceRow) error
	// RetireInstance puts an instance out of force and keeps its data: its manifest
	// keys and proofs go, its channels close, and what waits to be sent fails and is
	// refunded.
	RetireInstance(ctx context.Context, id InstanceID, now time.Time) error

	// Purging lists an install's instances whose data is to be removed.
	Purging(ctx context.Context, install [16]byte) ([]InstanceRow, error)
	// Purge removes some of an instance's data, at most limit rows of a kind, and tells
	// whether there may be more. Its role goes first, the ledger stays, and once all
	// else is gone the alias is free.
	Purge(ctx context.Context, id InstanceID, limit int, now time.Time) (more bool, err error)

	// Role reads a role as it is, nil when there is none.
	Role(ctx context.Context, name string) (*Role, error)
	PutRole(ctx context.Context, was *Role, want Role, password string) error

	Keys(ctx context.Context, instance InstanceID) ([]Key, error)
	PutKey(ctx context.Context, instance InstanceID, k Key) error
	// DeleteKey removes a manifest's key; keys of other origin it leaves alone.
	DeleteKey(ctx context.Context, instance InstanceID, id KeyID) error

	// Channels lists an instance's channels, those without a manifest included.
	Channels(ctx context.Context, instance InstanceID) ([]ChannelRow, error)
	// BoundChannels lists the channels of an install's instances in force that have a
	// manifest, as far as was known.
	BoundChannels(ctx context.Context, install [16]byte) ([]ChannelRow, error)
	// ChannelsByID finds a channel, in whichever instance it is or was.
	ChannelsByID(ctx context.Context, id ChannelID) ([]ChannelRow, error)
	PutChannel(ctx context.Context, row *ChannelRow) error

	// Accounts lists an install's accounts.
	Accounts(ctx context.Context, install [16]byte) ([]AccountRow, error)
	Account(ctx context.Context, id AccountID) (*AccountRow, error)
	PutAccount(ctx context.Context, row *AccountRow) error
	DeleteAccount(ctx context.Context, id AccountID) error
	// AccountUse tells which instances have active channels of the account.
	AccountUse(ctx context.Context, id AccountID) ([]InstanceID, error)
	// WebhookHolder finds the account that holds the webhook of a source.
	WebhookHolder(ctx context.Context, source string) (*AccountRow, error)

	Proof(ctx context.Context, instance InstanceID, account AccountID) (*ProofRow, error)
	PutProof(ctx context.Context, row *ProofRow) error
	DeleteProof(ctx context.Context, instance InstanceID, account AccountID) error
}

// Manifest is the object that a row was projected from.
type Manifest struct {
	Install         [16]byte
	Namespace, Name string
	UID             string
	Since           time.Time // when the object was made; zero where nobody says
	Generation      int64
}

// InstanceRow is an instance as it is configured.
type InstanceRow struct {
	Instance
	Manifest  Manifest
	SealedKey []byte // the instance's own key
	KeyID     string // of the key that sealed it
	// DeletionPolicy is Retain or Delete: what becomes of the data without the manifest.
	DeletionPolicy string
	RetiredAt      time.Time
	ReleasedAt     time.Time // whoever claims the alias next gets the data
	PurgeAt        time.Time // the data is being removed since
	Conditions     json.RawMessage
	CreatedAt      time.Time
}

// Role is a login role in Postgres that belongs to an instance or, without one, to
// a part of the system.
type Role struct {
	Name          string
	Group         string // what it is a member of, and gets every right from
	InstanceID    InstanceID
	Login         bool
	Limit         int    // of connections
	PasswordPrint []byte // tells a change of the password; empty: none
}

// ChannelRow is a channel as it is configured.
type ChannelRow struct {
	Channel
	InstanceID InstanceID
	UID        string
	Since      time.Time
	Generation int64
	RemovedAt  time.Time
	Conditions json.RawMessage
	CreatedAt  time.Time
}

// AccountRow is a connected account: a credential, and what the provider says of it.
type AccountRow struct {
	ID              AccountID
	Install         [16]byte
	Namespace, Name string
	Kind            string
	Owner           string
	Source          string // empty until proven
	DisplayName     string
	Credential      []byte // sealed
	KeyID           string
	Fingerprint     []byte // of the credential in use
	Tried           []byte // fingerprint of what was last shown to the provider
	IdentifiedAt    time.Time
	CheckAt         time.Time // when to ask the provider again
	WebhookSecret   []byte    // sealed; what the provider's calls carry
	WebhookHash     string    // of what is registered
	WebhookURL      string
	WebhookTried    string // hash of what was last tried
	WebhookCheckAt  time.Time
	WebhookInstance InstanceID // holds the one webhook of the account's source
	RemovedAt       time.Time
	Conditions      json.RawMessage
	CreatedAt       time.Time
}

// ProofRow is what one instance verifies an account's calls with.
type ProofRow struct {
	InstanceID   InstanceID
	AccountID    AccountID
	Provider     string
	Source       string
	TokenHash    []byte
	OldTokenHash []byte // accepted until OldUntil
	OldUntil     time.Time
	Secret       []byte // sealed under the instance's own key
}

// CredentialPlace is where an account's sealed credential belongs, which is bound
// to it: it opens nowhere else.
func CredentialPlace(a AccountID) string { return "account/" + a.UUID() + "/credential" }

// WebhookSecretPlace is where the secret of an account's webhook belongs.
func WebhookSecretPlace(a AccountID) string { return "account/" + a.UUID() + "/webhook-secret" }

// InstanceKeyPlace is where an instance's own key belongs.
func InstanceKeyPlace(i InstanceID) string { return "instance/" + i.UUID() + "/key" }

// ProofPlace is where an account's secret belongs that an instance verifies calls
// with; it is sealed under the instance's own key.
func ProofPlace(i InstanceID, a AccountID) string {
	return "instance/" + i.UUID() + "/account/" + a.UUID() + "/secret"
}
