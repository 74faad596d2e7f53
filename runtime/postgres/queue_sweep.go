package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// A lost lease of a file that was being fetched does no harm: reading may be
// repeated, a little later in case that it is what killed the worker.
const sweepPending = `
UPDATE action a SET status = 'pending', lease_token = NULL, lease_until = NULL, started_at = NULL,
       not_before = CASE WHEN a.started_at IS NULL THEN a.not_before ELSE now() + interval '1 minute' END
  FROM unnest($1::uuid[], $2::uuid[]) AS u (instance_id, id)
 WHERE a.instance_id = u.instance_id AND a.id = u.id`

const sweepUnknown = `
UPDATE action a SET status = 'failed', error = $3, settled_at = now(), lease_token = NULL, lease_until = NULL, started_at = NULL, deadline = NULL
  FROM unnest($1::uuid[], $2::uuid[]) AS u (instance_id, id)
 WHERE a.instance_id = u.instance_id AND a.id = u.id`

const findNext = `
SELECT a.instance_id, ` + nextOfThread + `
  FROM unnest($1::uuid[], $2::uuid[]) AS u (instance_id, id)
 CROSS JOIN LATERAL (SELECT instance_id, id, thread_id FROM action x WHERE x.instance_id = u.instance_id AND x.id = u.id LIMIT 1) a`

// Sweep implements [inbox.Queue].
func (q *Queue) Sweep(ctx context.Context) (inbox.Swept, error) {
	var swept inbox.Swept
	var next actionList
	err := q.tx(ctx, func(tx *queueTx, _ int) error {
		swept, next = inbox.Swept{}, actionList{}
		if err := tx.flush(ctx); err != nil {
			return err
		}
		queries := query.New(tx.conn)
		leases, err := queries.SweepLeases(ctx)
		if err != nil {
			return err
		}
		overdue, err := queries.SweepDeadlines(ctx)
		if err != nil {
			return err
		}
		var again, unknown actionList
		for _, l := range leases {
			if l.Started && l.Kind == string(inbox.SendReply) {
				unknown.add(l.InstanceID, l.ID, int(l.Requeues))
			} else {
				again.add(l.InstanceID, l.ID, int(l.Requeues))
			}
		}
		for _, l := range overdue {
			unknown.add(l.InstanceID, l.ID, int(l.Requeues))
		}
		swept = inbox.Swept{Requeued: len(again.ids), Unknown: len(unknown.ids) - len(overdue), Overdue: len(overdue)}
		if len(unknown.ids) > 0 {
			if next, err = unknown.nextOf(ctx, tx); err != nil {
				return err
			}
			tx.queue(insertRefunds, unknown.instances, unknown.ids, unknown.requeues)
			tx.queue(sweepUnknown, unknown.instances, unknown.ids, inbox.ErrOutcomeUnknown)
		}
		if len(again.ids) > 0 {
			tx.queue(sweepPending, again.instances, again.ids)
		}
		return tx.commit(ctx)
	})
	if err != nil {
		return inbox.Swept{}, fmt.Errorf("taking up expired leases: %w", err)
	}
	return swept, q.wake(ctx, next)
}

// nextOf finds the replies behind these.
func (l *actionList) nextOf(ctx context.Context, tx *queueTx) (next actionList, err error) {
	tx.queue(findNext, l.instances, l.ids).Query(eachRow(func(rows pgx.Rows) error {
		var instance, id pgtype.UUID
		if err := rows.Scan(&instance, &id); err != nil {
			return err
		}
		if id.Valid {
			next.add(instance, id, 0)
		}
		return nil
	}))
	return next, tx.flush(ctx)
}

// StoreMedia implements [inbox.Queue].
func (q *Queue) StoreMedia(ctx context.Context, l inbox.Lease, a inbox.AttachmentID, mimeType string, content []byte) error {
	err := q.finishMedia(ctx, l, query.FinishAttachmentParams{
		InstanceID: uid(l.Instance), ID: uid(a), State: string(inbox.AttachmentStored), Size: int64(len(content)), MimeType: clean(mimeType),
	}, content)
	if err != nil {
		return fmt.Errorf("storing an attachment: %w", err)
	}
	return nil
}

// FailMedia implements [inbox.Queue].
func (q *Queue) FailMedia(ctx context.Context, l inbox.Lease, a inbox.AttachmentID, reason string) error {
	err := q.finishMedia(ctx, l, query.FinishAttachmentParams{
		InstanceID: uid(l.Instance), ID: uid(a), State: string(inbox.AttachmentFailed), Error: clean(reason),
	}, nil)
	if err != nil {
		return fmt.Errorf("giving up an attachment: %w", err)
	}
	return nil
}

func (q *Queue) finishMedia(ctx context.Context, l inbox.Lease, a query.FinishAttachmentParams, content []byte) error {
	return q.tx(ctx, func(tx *queueTx, _ int) error {
		if err := tx.flush(ctx); err != nil {
			return err
		}
		queries := query.New(tx.conn)
		_, err := queries.LockLease(ctx, query.LockLeaseParams{InstanceID: uid(l.Instance), ID: uid(l.Action), LeaseToken: uid(l.Token)})
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return tx.commit(ctx) // the lease is lost: whoever has it now does the work
		case err != nil:
			return err
		}
		status := inbox.ActionFailed
		if a.State == string(inbox.AttachmentStored) {
			status = inbox.ActionCompleted
			if err := queries.StoreContent(ctx, query.StoreContentParams{InstanceID: a.InstanceID, AttachmentID: a.ID, Content: content}); err != nil {
				return err
			}
		}
		if err := queries.FinishAttachment(ctx, a); err != nil {
			return err
		}
		if err := queries.FinishAction(ctx, query.FinishActionParams{InstanceID: uid(l.Instance), ID: uid(l.Action), Status: string(status), Error: a.Error}); err != nil {
			return err
		}
		return tx.commit(ctx)
	})
}

// Purge implements [inbox.Queue].
func (q *Queue) Purge(ctx context.Context) error {
	for what, purge := range map[string]func(context.Context) (int64, error){
		"results of idempotency keys": q.queries.PurgeIdempotency,
		"idle pacing":                 q.queries.PurgePace,
	} {
		for n := int64(-1); n != 0; {
			var err error
			if n, err = purge(ctx); err != nil {
				return fmt.Errorf("purging %s: %w", what, err)
			}
		}
	}
	return nil
}

// Depth implements [inbox.Queue].
func (q *Queue) Depth(ctx context.Context) ([]inbox.QueueDepth, error) {
	rows, err := q.queries.QueueDepth(ctx)
	if err != nil {
		return nil, fmt.Errorf("counting actions: %w", err)
	}
	depths := make([]inbox.QueueDepth, len(rows))
	for i, r := range rows {
		depths[i] = inbox.QueueDepth{Kind: inbox.ActionKind(r.Kind), Status: inbox.ActionStatus(r.Status), Count: int(r.Actions), Oldest: duration(r.Oldest)}
	}
	return depths, nil
}

// Requeue implements [inbox.Queue].
func (q *Queue) Requeue(ctx context.Context, id inbox.ActionID, actor string) error {
	found, err := q.queries.FindAction(ctx, uid(id))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return inbox.Errorf(inbox.CodeNotFound, "there is no action %s", id)
	case err != nil:
		return fmt.Errorf("looking for the action: %w", err)
	case found.Kind != string(inbox.SendReply):
		return inbox.Errorf(inbox.CodeConflict, "action %s is a %s: only a send_reply can be requeued", id, found.Kind)
	}
	requeued := false
	err = pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error {
		queries := q.queries.WithTx(tx)
		if err := queries.ActAs(ctx, clean(actor)); err != nil {
			return err
		}
		requeued, err = queries.RequeueAction(ctx, query.RequeueActionParams{InstanceID: found.InstanceID, ActionID: uid(id)})
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("requeueing the action: %w", err)
	case !requeued:
		return inbox.Errorf(inbox.CodeConflict, "action %s is %s: only a failed one can be requeued", id, found.Status)
	}
	return nil
}
