package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/seal"
)

const (
	bots  = 10
	chats = 5_000 // of all bots together
)

func botID(n int) int64     { return int64(900_000 + n) }
func botToken(n int) string { return strconv.FormatInt(botID(n), 10) + ":bench" }

// keyFile holds the key that the bots' tokens are sealed with.
func (b *bench) keyFile() string { return filepath.Join(b.dir, "encryption-key") }

// connectBots binds bots to the tenant, as manifests would: each takes every chat.
func (b *bench) connectBots(ctx context.Context) error {
	if b.connected {
		return nil
	}
	secret := seal.Generate()
	key, err := seal.NewKey(secret)
	if err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	if err := os.WriteFile(b.keyFile(), secret, 0o600); err != nil {
		return fmt.Errorf("writing the key: %w", err)
	}
	rows := &pgx.Batch{}
	for n := range bots {
		account, channel := inbox.NewID[inbox.AccountID](time.Now()), inbox.NewID[inbox.ChannelID](time.Now())
		name, source := fmt.Sprintf("bot-%d", n), fmt.Sprintf("telegram:%d", botID(n))
		token := []byte(botToken(n))
		rows.Queue(`INSERT INTO account (id, install_id, namespace, name, kind, owner, source, credential, key_id, fingerprint)
			VALUES ($1, $2, 'bench', $3, 'telegram-bot', 'bench', $4, $5, $6, $7)`,
			account, b.tenant.id, name, source, key.Seal(token, inbox.CredentialPlace(account)), key.ID(), key.Fingerprint(token))
		rows.Queue(`INSERT INTO channel (instance_id, id, provider, name, account_id, source) VALUES ($1, $2, 'telegram', $3, $4, $5)`,
			b.tenant.id, channel, name, account, source)
	}
	if err := b.owner.SendBatch(ctx, rows).Close(); err != nil {
		return fmt.Errorf("connecting bots: %w", err)
	}
	b.connected = true
	return nil
}

// converse adds private chats, spread over some of the bots, in which somebody has
// written once. Ids are in the order of time, as the product's are.
func (b *bench) converse(ctx context.Context, chats, bots int) error {
	if err := b.connectBots(ctx); err != nil {
		return err
	}
	for _, sql := range []string{
		`INSERT INTO thread (instance_id, id, source, external_id, provider, target, channel_id)
		 SELECT c.instance_id, lpad(to_hex(n), 32, '0')::uuid, c.source, (1000000 + n)::text, 'telegram', (1000000 + n)::text, c.id
		   FROM generate_series(1, @chats::int) n
		   JOIN channel c ON c.instance_id = @instance AND c.source = 'telegram:' || @first::bigint + n % @bots::int`,
		`INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, text, author_kind)
		 SELECT instance_id, id, id, 1, source, 'inbound', 'theirs', 'Is anybody there?', 'contact' FROM thread ORDER BY id`,
		`INSERT INTO thread_state (instance_id, thread_id, provider, message_seq, unread, last_message_id)
		 SELECT instance_id, id, provider, 1, 1, id FROM thread ORDER BY id`,
	} {
		if _, err := b.owner.Exec(ctx, sql, pgx.NamedArgs{"instance": b.tenant.id, "chats": chats, "bots": bots, "first": botID(0)}); err != nil {
			return fmt.Errorf("making conversations: %w", err)
		}
	}
	return nil
}

// queue adds replies to all conversations in turn, as AddReply would.
func (b *bench) queue(ctx context.Context, replies int) error {
	for _, sql := range []string{
		`INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, text, author_kind)
		 SELECT t.instance_id, lpad(to_hex(16777216 + r), 32, '0')::uuid, t.id, 2 + r / @chats::int, t.source, 'outbound', 'ours',
		        'Thanks, we are checking this now.', 'api_key'
		   FROM generate_series(0, @replies::int - 1) r
		   JOIN thread t ON t.instance_id = @instance AND t.id = lpad(to_hex(1 + r % @chats::int), 32, '0')::uuid ORDER BY r`,
		`INSERT INTO action (instance_id, id, kind, thread_id, message_id, thread_seq, lane)
		 SELECT instance_id, id, 'send_reply', thread_id, id, seq, source FROM message WHERE origin = 'ours' ORDER BY id`,
		`UPDATE thread_state s SET message_seq = m.seq, last_message_id = m.id
		   FROM (SELECT DISTINCT ON (thread_id) thread_id, seq, id FROM message ORDER BY thread_id, seq DESC) m WHERE m.thread_id = s.thread_id`,
		"ANALYZE",
	} {
		var args []any
		if sql != "ANALYZE" {
			args = []any{pgx.NamedArgs{"instance": b.tenant.id, "replies": replies, "chats": min(chats, replies)}}
		}
		if _, err := b.owner.Exec(ctx, sql, args...); err != nil {
			return fmt.Errorf("queueing replies: %w", err)
		}
	}
	return nil
}

// checkDelivered sees to it that every reply was delivered and charged once.
func (b *bench) checkDelivered(ctx context.Context, replies, sent, refused int) error {
	var completed, all, named, charges, balance, sum int64
	err := b.count(ctx, `SELECT (SELECT count(*) FROM action WHERE status = 'completed'), (SELECT count(*) FROM action), (SELECT count(external_id) FROM message WHERE origin = 'ours'),
		(SELECT count(*) FROM ledger WHERE kind = 'reply'), (SELECT amount FROM balance), (SELECT coalesce(sum(amount), 0)::bigint FROM ledger)`,
		&completed, &all, &named, &charges, &balance, &sum)
	if err != nil {
		return err
	}
	want := int64(replies)
	if completed != want || all != want || named != want || charges != want || balance != sum || sent != replies || refused != 0 {
		return fmt.Errorf("want %d replies delivered once: %d of %d actions completed, %d messages have Telegram's id, %d charges, %d sends, %d refused; balance %d of %d",
			replies, completed, all, named, charges, sent, refused, balance, sum)
	}
	return nil
}

// worker starts the delivery worker against a simulator.
func (b *bench) worker(ctx context.Context, api string, args ...string) (*process, error) {
	url := b.dsn(workerRole)
	return b.launch(ctx, []string{
		"DATABASE_URL=" + url, "DATABASE_DIRECT_URL=" + url, "SOCIALOPS_ENCRYPTION_KEY_FILE=" + b.keyFile(),
	}, "worker", append([]string{"--telegram-api-url", api}, args...)...)
}

// allSettled waits until no action is left to do.
func (b *bench) allSettled(ctx context.Context) error {
	for {
		var open bool
		if err := b.owner.QueryRow(ctx, "SELECT EXISTS (SELECT FROM action WHERE status IN ('pending', 'processing', 'awaiting') AND kind = 'send_reply')").Scan(&open); err != nil {
			return fmt.Errorf("looking for unfinished actions: %w", err)
		}
		if !open {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(settlePoll):
		}
	}
}

const settlePoll = 5 * time.Millisecond
