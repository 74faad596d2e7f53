package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

var errNoThread = inbox.Errorf(inbox.CodeNotFound, "there is no such thread in this inbox: list them at /threads")

// setActor says for whom the transaction works; the log's triggers read it.
const setActor = "SELECT set_config('socialops.actor', $1, true)"

// tx runs f in a transaction and, when it commits, returns nil.
func (s *box) tx(ctx context.Context, actor string, f func(pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, setActor, actor); err != nil {
			return fmt.Errorf("naming the actor: %w", err)
		}
		return f(tx)
	})
	return codedError(err)
}

// AddReply implements [inbox.Store].
func (s *box) AddReply(ctx context.Context, m inbox.NewMessage) (inbox.Queued, error) {
	q, err := s.add(ctx, m, inbox.DirectionOutbound)
	if err == nil && !q.Replayed {
		s.queued()
	}
	return q, err
}

// AddNote implements [inbox.Store].
func (s *box) AddNote(ctx context.Context, m inbox.NewMessage) (inbox.Queued, error) {
	return s.add(ctx, m, inbox.DirectionInternal)
}

// add stores a message of ours. When two calls with one idempotency key run at
// once, the second fails on the key's row and then finds the first's result.
func (s *box) add(ctx context.Context, m inbox.NewMessage, d inbox.Direction) (inbox.Queued, error) {
	for range maxTries {
		q, found, err := s.replay(ctx, m.Idempotency)
		if err != nil || found {
			return q, err
		}
		q, err = s.addOnce(ctx, m, d)
		if m.Idempotency != nil && sqlState(err) == stateUniqueViolation || sqlState(err) == stateDeadlock {
			continue
		}
		return q, err
	}
	return inbox.Queued{}, unavailable(errors.New("lost the race for the idempotency key too often"))
}

// replay finds what an earlier call with the same key made.
func (s *box) replay(ctx context.Context, i *inbox.Idempotency) (q inbox.Queued, found bool, err error) {
	if i == nil {
		return q, false, nil
	}
	const find = `SELECT body_hash, result FROM idempotency
		WHERE instance_id = $1 AND caller = $2 AND route = $3 AND key = $4 AND created_at > now() - interval '24 hours'`
	var hash, result []byte
	err = s.db.QueryRow(ctx, find, s.instance, i.Caller, i.Route, i.Key).Scan(&hash, &result)
	switch {
	case isNoRows(err):
		return q, false, nil
	case err != nil:
		return q, false, codedError(fmt.Errorf("reading the idempotency key: %w", err))
	case string(hash) != string(i.BodyHash[:]):
		return q, false, inbox.Errorf(inbox.CodeUnprocessed, "this Idempotency-Key was used with another body: use a new key for a new call")
	}
	if err := json.Unmarshal(result, &q); err != nil {
		return q, false, fmt.Errorf("reading the kept result: %w", err)
	}
	if string(q.Message.Data) == "null" { // as which none comes back
		q.Message.Data = nil
	}
	q.Replayed = true
	return q, true, nil
}

func (s *box) addOnce(ctx context.Context, m inbox.NewMessage, d inbox.Direction) (inbox.Queued, error) {
	now := s.now()
	q := inbox.Queued{Message: inbox.Message{
		ID: inbox.NewID[inbox.MessageID](now), ThreadID: m.ThreadID, Direction: d, Type: "text", Text: clean(m.Text),
		Author: m.Author, ParentID: m.ParentID, Origin: inbox.Ours,
	}}
	if d == inbox.DirectionInternal {
		q.Message.Type = "note"
	} else {
		q.Action = &inbox.Action{ID: inbox.NewID[inbox.ActionID](now), Kind: inbox.SendReply, ThreadID: m.ThreadID, MessageID: q.Message.ID, Status: inbox.ActionPending}
	}
	err := s.tx(ctx, actorOf(m.Author), func(tx pgx.Tx) error {
		source, err := s.takeSeq(ctx, tx, &q.Message)
		if err != nil {
			return err
		}
		if err := s.insertOurs(ctx, tx, &q.Message, source); err != nil {
			return err
		}
		b := &pgx.Batch{}
		if a := q.Action; a != nil {
			b.Queue(`INSERT INTO action (instance_id, id, kind, thread_id, message_id, thread_seq, lane) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
				s.instance, a.ID, string(a.Kind), m.ThreadID, q.Message.ID, q.Message.Seq, source)
			a.CreatedAt = q.Message.CreatedAt
			q.Message.Delivery = &inbox.Delivery{ActionID: a.ID, Status: a.Status}
		}
		if i := m.Idempotency; i != nil {
			result, err := json.Marshal(q)
			if err != nil {
				return fmt.Errorf("keeping the result: %w", err)
			}
			b.Queue(`DELETE FROM idempotency WHERE instance_id = $1 AND caller = $2 AND route = $3 AND key = $4 AND created_at <= now() - interval '24 hours'`,
				s.instance, i.Caller, i.Route, i.Key)
			b.Queue(`INSERT INTO idempotency (instance_id, caller, route, key, body_hash, result) VALUES ($1, $2, $3, $4, $5, $6)`,
				s.instance, i.Caller, i.Route, i.Key, i.BodyHash[:], string(result))
		}
		if b.Len() == 0 {
			return nil
		}
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return fmt.Errorf("queueing the reply: %w", err)
		}
		return nil
	})
	return q, err
}

// takeSeq locks the thread and gives the message its place in it. A reply is
// activity, and whoever writes one has read what came before.
func (s *box) takeSeq(ctx context.Context, tx pgx.Tx, m *inbox.Message) (source string, err error) {
	const take = `
UPDATE thread_state s SET message_seq = s.message_seq + 1,
       last_activity_at = CASE WHEN $3 THEN greatest(s.last_activity_at, now()) ELSE s.last_activity_at END,
       last_message_id = CASE WHEN $3 THEN $4 ELSE s.last_message_id END,
       unread = CASE WHEN $3 THEN 0 ELSE s.unread END
  FROM thread t
 WHERE s.instance_id = $1 AND s.thread_id = $2 AND t.instance_id = $1 AND t.id = $2
RETURNING s.message_seq, t.source`
	reply := m.Direction == inbox.DirectionOutbound
	err = tx.QueryRow(ctx, take, s.instance, m.ThreadID, reply, m.ID).Scan(&m.Seq, &source)
	if isNoRows(err) {
		return "", errNoThread
	}
	if err != nil {
		return "", fmt.Errorf("locking the thread: %w", err)
	}
	return source, nil
}

func (s *box) insertOurs(ctx context.Context, tx pgx.Tx, m *inbox.Message, source string) error {
	const insert = `
INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, type, text, author_kind, author_id, author_name, parent_id)
SELECT $1, $2, $3, $4, $5, $6, 'ours', $7, $8, $9, $10, $11, p.id
  FROM (SELECT) one LEFT JOIN message p ON p.instance_id = $1 AND p.id = $12 AND p.thread_id = $3
 WHERE $12::uuid IS NULL OR p.id IS NOT NULL
RETURNING created_at`
	author := uid(m.Author.KeyID)
	if m.Author.Kind == "agent" {
		author = uid(m.Author.AgentID)
	}
	err := tx.QueryRow(ctx, insert, s.instance, m.ID, m.ThreadID, m.Seq, source, string(m.Direction), m.Type, m.Text,
		m.Author.Kind, author, clean(m.Author.Name), uid(m.ParentID)).Scan(&m.CreatedAt)
	if isNoRows(err) {
		return inbox.Errorf(inbox.CodeUnprocessed, "the message to answer is not in this thread")
	}
	if err != nil {
		return fmt.Errorf("storing the message: %w", err)
	}
	return nil
}

func actorOf(a inbox.Author) string {
	switch a.Kind {
	case "agent":
		return "agent:" + a.AgentID.String()
	case "api_key":
		return "key:" + a.KeyID.String()
	}
	return a.Kind
}

const addLabels = `
INSERT INTO thread_label (instance_id, thread_id, label, status, last_activity_at)
SELECT $1, $2, l, s.status, s.last_activity_at FROM unnest($3::text[]) l JOIN thread_state s ON s.instance_id = $1 AND s.thread_id = $2
    ON CONFLICT DO NOTHING`

// UpdateThread implements [inbox.Store].
func (s *box) UpdateThread(ctx context.Context, id inbox.ThreadID, p inbox.ThreadPatch, actor string) (inbox.ThreadView, error) {
	err := s.tx(ctx, actor, func(tx pgx.Tx) error {
		var assignee pgtype.UUID
		if p.Assignee != nil {
			agent, err := s.agent(ctx, tx, *p.Assignee)
			if err != nil {
				return err
			}
			assignee = uid(agent)
		}
		const update = `
UPDATE thread_state SET status = coalesce($3, status), priority = coalesce($4, priority),
       assignee_id = CASE WHEN $5 THEN $6 ELSE assignee_id END
 WHERE instance_id = $1 AND thread_id = $2`
		tag, err := tx.Exec(ctx, update, s.instance, id, p.Status, p.Priority, p.Assignee != nil, assignee)
		if err != nil {
			return fmt.Errorf("updating the thread: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errNoThread
		}
		b := &pgx.Batch{}
		if p.Labels != nil {
			labels := sortedUnique(*p.Labels)
			b.Queue(`DELETE FROM thread_label WHERE instance_id = $1 AND thread_id = $2 AND label <> ALL ($3)`, s.instance, id, labels)
			b.Queue(addLabels, s.instance, id, labels)
		}
		if p.Relabel != nil {
			b.Queue(`DELETE FROM thread_label WHERE instance_id = $1 AND thread_id = $2 AND label = ANY ($3)`, s.instance, id, sortedUnique(p.Relabel.Remove))
			b.Queue(addLabels, s.instance, id, sortedUnique(p.Relabel.Add))
		}
		if b.Len() == 0 {
			return nil
		}
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return fmt.Errorf("updating the labels: %w", err)
		}
		return nil
	})
	if err != nil {
		return inbox.ThreadView{}, err
	}
	return s.Thread(ctx, id)
}

// subjectPrefix marks an assignee that is named by OIDC subject.
const subjectPrefix = "sub:"

const maxAgentSubject = 255 // bytes

// agent finds the agent of an assignee's name; one of a subject is made on first use.
func (s *box) agent(ctx context.Context, tx pgx.Tx, assignee string) (inbox.AgentID, error) {
	if assignee == "" {
		return inbox.AgentID{}, nil
	}
	var id [16]byte
	if subject, ok := strings.CutPrefix(assignee, subjectPrefix); ok && subject != "" && len(subject) <= maxAgentSubject {
		const find = `
WITH made AS (INSERT INTO agent (instance_id, id, subject) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id)
SELECT id FROM made UNION ALL SELECT id FROM agent WHERE instance_id = $1 AND subject = $3 LIMIT 1`
		err := tx.QueryRow(ctx, find, s.instance, inbox.NewID[inbox.AgentID](s.now()), clean(subject)).Scan(&id)
		if isNoRows(err) { // somebody else made it just now
			err = tx.QueryRow(ctx, `SELECT id FROM agent WHERE instance_id = $1 AND subject = $2`, s.instance, clean(subject)).Scan(&id)
		}
		if err != nil {
			return inbox.AgentID{}, fmt.Errorf("finding the agent: %w", err)
		}
		return id, nil
	}
	var known inbox.AgentID
	if err := known.UnmarshalText([]byte(assignee)); err != nil {
		return inbox.AgentID{}, inbox.Errorf(inbox.CodeUnprocessed, "assignee: want an agent's id (soag_…), sub: and an OIDC subject, or an empty text for nobody")
	}
	err := tx.QueryRow(ctx, `SELECT id FROM agent WHERE instance_id = $1 AND id = $2`, s.instance, known).Scan(&id)
	if isNoRows(err) {
		return inbox.AgentID{}, inbox.Errorf(inbox.CodeUnprocessed, "assignee: there is no such agent; name one by OIDC subject (sub:…) to make them")
	}
	if err != nil {
		return inbox.AgentID{}, fmt.Errorf("finding the agent: %w", err)
	}
	return id, nil
}

// MarkRead implements [inbox.Store].
func (s *box) MarkRead(ctx context.Context, id inbox.ThreadID) error {
	const read = `WITH there AS (SELECT FROM thread_state WHERE instance_id = $1 AND thread_id = $2),
		read AS (UPDATE thread_state SET unread = 0 WHERE instance_id = $1 AND thread_id = $2 AND unread > 0)
		SELECT count(*) FROM there`
	var n int
	if err := s.db.QueryRow(ctx, read, s.instance, id).Scan(&n); err != nil {
		return codedError(fmt.Errorf("marking the thread read: %w", err))
	}
	if n == 0 {
		return errNoThread
	}
	return nil
}

// RetryReply implements [inbox.Store].
func (s *box) RetryReply(ctx context.Context, thread inbox.ThreadID, message inbox.MessageID, actor string) (inbox.Message, error) {
	err := s.tx(ctx, actor, func(tx pgx.Tx) error {
		const find = `SELECT id, status FROM action WHERE instance_id = $1 AND message_id = $2 AND thread_id = $3 AND kind = 'send_reply'`
		var id [16]byte
		var status string
		err := tx.QueryRow(ctx, find, s.instance, message, thread).Scan(&id, &status)
		if isNoRows(err) {
			return inbox.Errorf(inbox.CodeNotFound, "there is no such reply in this thread")
		}
		if err != nil {
			return fmt.Errorf("finding the reply: %w", err)
		}
		var requeued bool
		if err := tx.QueryRow(ctx, `SELECT requeue_action($1, $2)`, s.instance, id).Scan(&requeued); err != nil {
			return fmt.Errorf("requeueing the reply: %w", err)
		}
		if !requeued {
			return inbox.Errorf(inbox.CodeConflict, "only a failed reply can be sent again; this one is %s", status)
		}
		return nil
	})
	if err != nil {
		return inbox.Message{}, err
	}
	s.queued()
	messages, err := s.MessagesByID(ctx, []inbox.MessageID{message})
	if err != nil {
		return inbox.Message{}, err
	}
	if len(messages) == 0 {
		return inbox.Message{}, inbox.Errorf(inbox.CodeNotFound, "the reply was deleted just now")
	}
	return messages[0], nil
}
