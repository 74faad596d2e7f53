package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/inbox"
)

const (
	forgetMessages = 2000 // removed by one transaction
	forgetLook     = 5000 // messages that one search for somebody's own looks at
	forgetThreads  = 100  // of a contact, found at once
	// A reply that is being sent is waited for, as only its outcome tells whether it is charged.
	sendingPatience = 30 * time.Second
	sendingPause    = 250 * time.Millisecond
)

// ForgetThread removes a conversation for good, as the database's owner: its
// messages with payloads and attachments, replies that wait to be sent, and the
// contacts who wrote in it and nowhere else. Ledger entries stay, and a repeat of an
// event of it still is one. What comes meanwhile makes a new conversation. What is
// not there is no error, so that it may be called again after it was broken off.
func ForgetThread(ctx context.Context, pool *pgxpool.Pool, alias string, id inbox.ThreadID, actor string) (inbox.Removed, error) {
	f, err := newForgetting(ctx, pool, alias, actor)
	var people []pgtype.UUID
	if err == nil {
		people, err = f.peopleOf(ctx, id)
	}
	if err == nil {
		err = f.close(ctx, id)
	}
	if err == nil {
		err = f.thread(ctx, uid(id))
	}
	if err == nil {
		err = f.idle(ctx, people)
	}
	if err == nil {
		err = f.kept(ctx)
	}
	if err != nil {
		return f.removed, fmt.Errorf("forgetting thread %s: %w", id, err)
	}
	return f.removed, nil
}

// ForgetContact removes a person for good, as [ForgetThread] does a conversation:
// the conversations that are theirs alone, and of those that they share what they
// wrote and what others quoted of it.
func ForgetContact(ctx context.Context, pool *pgxpool.Pool, alias string, id inbox.ContactID, actor string) (inbox.Removed, error) {
	f, err := newForgetting(ctx, pool, alias, actor)
	if err == nil {
		err = f.contact(ctx, id)
	}
	if err == nil {
		err = f.kept(ctx)
	}
	if err != nil {
		return f.removed, fmt.Errorf("forgetting contact %s: %w", id, err)
	}
	return f.removed, nil
}

// forgetting is one removal under way, in many transactions.
type forgetting struct {
	pool     *pgxpool.Pool
	instance pgtype.UUID
	actor    string
	removed  inbox.Removed
	threads  []string // that were removed, as results kept for idempotency keys name them
}

func newForgetting(ctx context.Context, pool *pgxpool.Pool, alias, actor string) (*forgetting, error) {
	f := &forgetting{pool: pool, actor: actor}
	err := pool.QueryRow(ctx, `SELECT id FROM instance WHERE alias = $1 AND purged_at IS NULL`, alias).Scan(&f.instance)
	if errors.Is(err, pgx.ErrNoRows) {
		return f, inbox.Errorf(inbox.CodeNotFound, "there is no instance with the alias %q", alias)
	}
	if err != nil {
		return f, fmt.Errorf("finding the instance: %w", err)
	}
	return f, nil
}

// tx runs do in a transaction, and again when it lost to another one. What do says
// it removed counts once it is committed.
func (f *forgetting) tx(ctx context.Context, do func(pgx.Tx) (inbox.Removed, error)) error {
	var err error
	for range maxTries {
		var removed inbox.Removed
		err = pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) (err error) {
			if _, err := tx.Exec(ctx, setActor, f.actor); err != nil {
				return fmt.Errorf("naming the actor: %w", err)
			}
			removed, err = do(tx)
			return err
		})
		switch sqlState(err) {
		case stateDeadlock, stateSerialization:
			continue
		}
		if err == nil {
			f.removed.Add(removed)
		}
		return err
	}
	return err
}

// What is to be removed gets another identity first, so that nothing new is added to
// it: a thread's is this and its id, a contact's likewise.
const forgottenID = `'forgotten:' || id`

// close has new messages of a conversation make a new one.
func (f *forgetting) close(ctx context.Context, id inbox.ThreadID) error {
	if _, err := f.pool.Exec(ctx, `UPDATE thread SET external_id = `+forgottenID+` WHERE instance_id = $1 AND id = $2`, f.instance, id); err != nil {
		return fmt.Errorf("closing the thread: %w", err)
	}
	return nil
}

// errSending is that a reply of the thread is on its way to the provider.
var errSending = inbox.Errorf(inbox.CodeUnavailable, "a reply of this conversation is being sent at this moment, and what becomes of it is to be known first: run the command again in a minute")

// thread removes a conversation.
func (f *forgetting) thread(ctx context.Context, id pgtype.UUID) error {
	giveUp := time.Now().Add(sendingPatience)
	for {
		gone := false
		err := f.tx(ctx, func(tx pgx.Tx) (removed inbox.Removed, err error) {
			there, err := f.lockThread(ctx, tx, id)
			if gone = !there; err != nil || gone {
				return removed, err
			}
			if removed.Actions, err = f.dropUnsettled(ctx, tx, id); err != nil {
				return removed, err
			}
			some, err := removeThreads(ctx, tx, f.instance, []pgtype.UUID{id})
			removed.Add(some)
			return removed, err
		})
		switch {
		case err == nil && gone:
			f.threads = append(f.threads, inbox.ThreadID(id.Bytes).String())
			return nil
		case errors.Is(err, errSending) && time.Now().Before(giveUp):
			if err := sleep(ctx, sendingPause); err != nil {
				return err
			}
		case err != nil:
			return err
		}
	}
}

func (f *forgetting) lockThread(ctx context.Context, tx pgx.Tx, id pgtype.UUID) (there bool, err error) {
	tag, err := tx.Exec(ctx, `SELECT FROM thread_state WHERE instance_id = $1 AND thread_id = $2 FOR UPDATE`, f.instance, id)
	if err != nil {
		return false, fmt.Errorf("locking the thread: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

// removeThreads removes some of threads that the transaction has locked.
func removeThreads(ctx context.Context, tx pgx.Tx, instance pgtype.UUID, ids []pgtype.UUID) (r inbox.Removed, err error) {
	const remove = `SELECT threads, messages, raw_payloads, attachments, actions FROM remove_threads($1, $2, $3)`
	err = tx.QueryRow(ctx, remove, instance, ids, forgetMessages).Scan(&r.Threads, &r.Messages, &r.RawPayloads, &r.Attachments, &r.Actions)
	if err != nil {
		return r, fmt.Errorf("removing the thread: %w", err)
	}
	return r, nil
}

// dropUnsettled removes the replies of a thread that wait to be sent, or for a
// callback, and gives their charges back. What a dead worker left behind it takes as
// the sweep does.
func (f *forgetting) dropUnsettled(ctx context.Context, tx pgx.Tx, thread pgtype.UUID) (int64, error) {
	const lock = `
SELECT id, requeues, started_at IS NOT NULL AND lease_until >= now() FROM action
 WHERE instance_id = $1 AND thread_id = $2 AND kind = 'send_reply' AND status IN ('pending', 'processing', 'awaiting')
 ORDER BY id FOR UPDATE`
	rows, err := tx.Query(ctx, lock, f.instance, thread)
	if err != nil {
		return 0, fmt.Errorf("looking for replies that wait: %w", err)
	}
	var waiting actionList
	sending := false
	err = eachRow(func(rows pgx.Rows) error {
		var id pgtype.UUID
		var requeues int
		var started bool
		err := rows.Scan(&id, &requeues, &started)
		waiting.add(f.instance, id, requeues)
		sending = sending || started
		return err
	})(rows)
	rows.Close()
	switch {
	case err != nil:
		return 0, fmt.Errorf("looking for replies that wait: %w", err)
	case sending:
		return 0, errSending
	case len(waiting.ids) == 0:
		return 0, nil
	}
	b := &pgx.Batch{}
	b.Queue(`DELETE FROM action WHERE instance_id = $1 AND id = ANY ($2)`, f.instance, waiting.ids)
	b.Queue(insertRefunds, waiting.instances, waiting.ids, waiting.requeues)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return 0, fmt.Errorf("dropping replies that wait: %w", err)
	}
	return int64(len(waiting.ids)), nil
}

// peopleOf lists the contacts who wrote in a conversation, and whose it is.
func (f *forgetting) peopleOf(ctx context.Context, id inbox.ThreadID) ([]pgtype.UUID, error) {
	const find = `
SELECT author_id FROM message WHERE thread_id = $2 AND instance_id = $1 AND author_kind = 'contact' AND author_id IS NOT NULL
 UNION SELECT contact_id FROM thread WHERE instance_id = $1 AND id = $2 AND contact_id IS NOT NULL`
	rows, err := f.pool.Query(ctx, find, f.instance, id)
	if err != nil {
		return nil, fmt.Errorf("finding who wrote: %w", err)
	}
	people, err := pgx.CollectRows(rows, pgx.RowTo[pgtype.UUID])
	if err != nil {
		return nil, fmt.Errorf("finding who wrote: %w", err)
	}
	return people, nil
}

// idle removes those contacts who have no conversation and wrote in none.
func (f *forgetting) idle(ctx context.Context, people []pgtype.UUID) error {
	if len(people) == 0 {
		return nil
	}
	return f.tx(ctx, func(tx pgx.Tx) (removed inbox.Removed, err error) {
		if _, err := tx.Exec(ctx, `SELECT FROM contact WHERE instance_id = $1 AND id = ANY ($2) ORDER BY id FOR UPDATE`, f.instance, people); err != nil {
			return removed, fmt.Errorf("locking contacts: %w", err)
		}
		const remove = `
DELETE FROM contact c WHERE c.instance_id = $1 AND c.id = ANY ($2)
   AND NOT EXISTS (SELECT FROM thread t WHERE t.contact_id = c.id AND t.instance_id = $1)
   AND c.id <> ALL (ARRAY (SELECT DISTINCT m.author_id FROM message m WHERE m.instance_id = $1 AND m.author_kind = 'contact' AND m.author_id = ANY ($2)))`
		tag, err := tx.Exec(ctx, remove, f.instance, people)
		if err != nil {
			return removed, fmt.Errorf("removing contacts: %w", err)
		}
		removed.Contacts = tag.RowsAffected()
		return removed, nil
	})
}

// kept removes what is kept of removed replies and notes for a repeat of the calls that made them.
func (f *forgetting) kept(ctx context.Context) error {
	const remove = `DELETE FROM idempotency WHERE instance_id = $1 AND (result -> 'Message' ->> 'ThreadID') = ANY ($2)`
	if _, err := f.pool.Exec(ctx, remove, f.instance, f.threads); err != nil {
		return fmt.Errorf("removing the results of idempotency keys: %w", err)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
