package postgres_test

import (
	"crypto/sha256"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t, func(i *inbox.Instance) { i.RateLimit, i.Suspended, i.BillingMode = 60, true, inbox.BillingEnforce })
	other := db.Instance(t)
	now := time.Now()
	s := postgres.NewStore(ten.Pool, ten.ID, postgres.StoreOptions{Now: func() time.Time { return now }})
	t.Cleanup(s.Close)
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{`INSERT INTO api_key (instance_id, id, hash, hint, name, scopes, origin, created_at, expires_at, revoked_at)
		  SELECT $1, gen_random_uuid(), sha256(n::bytea), n, n, '{socialops:read}', 'api', now() + interval '1 s', e, r
		    FROM (VALUES ('expires', $2::timestamptz + interval '1 hour', NULL::timestamptz), ('just-expired', $2 - interval '1 hour', NULL),
		                 ('just-revoked', NULL, $2 - interval '23 hours'), ('long-expired', $2 - interval '25 hours', NULL),
		                 ('long-revoked', NULL, $2 - interval '25 hours')) v (n, e, r)`, []any{ten.ID, now}},
		{`INSERT INTO account_proof (instance_id, account_id, provider, source, token_hash, old_token_hash, old_until, secret)
		  VALUES ($1, $2, 'telegram', 'telegram:1', sha256('new'), sha256('old'), $3, 'sealed')`, []any{ten.ID, ten.Account, now.Add(time.Second)}},
		{`UPDATE channel SET external_id = '-100', parse_mode = 'HTML', active = false WHERE instance_id = $1 AND id = $2`, []any{ten.ID, ten.Telegram}},
	} {
		if _, err := db.Owner.Exec(t.Context(), q.sql, q.args...); err != nil {
			t.Fatalf("%s: %v", q.sql, err)
		}
	}
	c, err := s.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(ten.Instance, c.Instance); diff != "" {
		t.Errorf("instance (-want +got):\n%s", diff)
	}
	wantChannels := []inbox.Channel{
		{ID: ten.Generic, Provider: "generic-webhook", Name: "generic-webhook", Active: true},
		{ID: ten.Telegram, Provider: "telegram", Name: "telegram", AccountID: ten.Account, Source: ten.TelegramSource, ExternalID: "-100", ParseMode: "HTML"},
		{ID: ten.GitHub, Provider: "github", Name: "github", Active: true},
	}
	if diff := gocmp.Diff(wantChannels, c.Channels, cmpopts.SortSlices(func(a, b inbox.Channel) bool { return a.Provider < b.Provider })); diff != "" {
		t.Errorf("channels (-want +got):\n%s", diff)
	}
	keys := map[string]inbox.Key{}
	for _, k := range c.Keys {
		keys[k.Name] = k
	}
	for name, valid := range map[string]bool{"test": true, "expires": true, "just-expired": false, "just-revoked": false} {
		k, ok := keys[name]
		if !ok || k.Valid(now) != valid || k.ID.IsZero() || k.CreatedAt.IsZero() {
			t.Errorf("key %q: %+v, there: %v", name, k, ok)
		}
	}
	if len(keys) != 4 {
		t.Errorf("%d keys, want those gone for more than a day left out", len(keys))
	}
	if k := keys["test"]; k.Hash != sha256.Sum256([]byte(ten.Key)) || !k.Has(inbox.ScopeRead) || !k.Has(inbox.ScopeWrite) || k.Origin != "manifest" {
		t.Errorf("key: %+v", k)
	}
	proof := inbox.Proof{
		AccountID: ten.Account, Provider: "telegram", Source: "telegram:1",
		TokenHashes: [][32]byte{sha256.Sum256([]byte("new")), sha256.Sum256([]byte("old"))}, SealedSecret: []byte("sealed"),
	}
	if diff := gocmp.Diff([]inbox.Proof{proof}, c.Proofs); diff != "" {
		t.Errorf("proofs (-want +got):\n%s", diff)
	}
	now = now.Add(2 * time.Second)
	if c, err = s.Config(t.Context()); err != nil {
		t.Fatal(err)
	}
	proof.TokenHashes = proof.TokenHashes[:1]
	if diff := gocmp.Diff([]inbox.Proof{proof}, c.Proofs); diff != "" {
		t.Errorf("proofs after the old token's time (-want +got):\n%s", diff)
	}

	wrong := postgres.NewStore(other.Pool, ten.ID, postgres.StoreOptions{})
	t.Cleanup(wrong.Close)
	if _, err := wrong.Config(t.Context()); inbox.CodeOf(err) != inbox.CodeNotFound {
		t.Errorf("as another's role: %v, want not found", err)
	}
}
