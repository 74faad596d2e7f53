package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
)

// alias is the inbox that is measured.
const alias = "bench"

// tenant is its instance, as runtime/project would make it, without a rate limit.
type tenant struct {
	id      inbox.InstanceID
	role    string
	key     string // of both scopes
	generic inbox.ChannelID
}

func (b *bench) addTenant(ctx context.Context) (tenant, error) {
	now := time.Now()
	t := tenant{id: inbox.NewID[inbox.InstanceID](now), generic: inbox.NewID[inbox.ChannelID](now)}
	t.role = "so_bench_" + strings.ReplaceAll(t.id.UUID(), "-", "")
	t.key = "sk_" + t.id.UUID()
	hash := sha256.Sum256([]byte(t.key))
	rows := &pgx.Batch{}
	rows.Queue(`INSERT INTO instance (id, install_id, namespace, name, uid, generation, alias, owner, providers, inbound_price, reply_price)
		VALUES ($1, $1, 'bench', $2, 'uid', 1, $2, 'bench', '{generic-webhook,telegram,github}', 200, 200)`, t.id, alias)
	rows.Queue(`INSERT INTO instance_role VALUES ($1, $2)`, t.role, t.id)
	rows.Queue(`INSERT INTO api_key (instance_id, id, hash, hint, name, scopes, origin)
		VALUES ($1, $2, $3, $4, 'bench', '{socialops:read,socialops:write}', 'manifest')`,
		t.id, inbox.NewID[inbox.KeyID](now), hash[:], t.key[len(t.key)-4:])
	rows.Queue(`INSERT INTO channel (instance_id, id, provider, name) VALUES ($1, $2, 'generic-webhook', 'bench')`, t.id, t.generic)
	if err := b.owner.SendBatch(ctx, rows).Close(); err != nil {
		return t, fmt.Errorf("adding the instance: %w", err)
	}
	if _, err := b.super.Exec(ctx, "CREATE ROLE "+t.role+" LOGIN IN ROLE socialops_runtime"); err != nil {
		return t, fmt.Errorf("making the tenant's role: %w", err)
	}
	return t, nil
}
