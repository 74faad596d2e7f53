package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// A contact may be blocked in its own chat with us and still be in a group that
// takes our messages: only a conversation that is the contact's counts.
const loadReplies = `
SELECT u.ord, i.alias, t.provider, t.source, t.external_id, t.target, m.text, coalesce(p.external_id, ''),
       coalesce(k.blocked_at IS NOT NULL AND k.source = t.source AND k.external_id = t.target, false),
       ARRAY(SELECT part FROM action_part s WHERE s.instance_id = u.instance_id AND s.action_id = u.action_id),
       c.id, coalesce(c.name, ''), coalesce(c.source, ''), coalesce(c.parse_mode, ''), coalesce(c.active, false),
       a.id, coalesce(a.name, ''), coalesce(a.kind, ''), coalesce(a.source, ''), a.credential, coalesce(a.key_id, '')
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS u (instance_id, action_id, message_id, ord)
 CROSS JOIN LATERAL (SELECT alias FROM instance WHERE id = u.instance_id LIMIT 1) i
 CROSS JOIN LATERAL (SELECT thread_id, text, parent_id FROM message WHERE instance_id = u.instance_id AND id = u.message_id LIMIT 1) m
 CROSS JOIN LATERAL (
   SELECT provider, source, external_id, target, contact_id, channel_id FROM thread WHERE instance_id = u.instance_id AND id = m.thread_id LIMIT 1) t
  LEFT JOIN LATERAL (SELECT blocked_at, source, external_id FROM contact WHERE instance_id = u.instance_id AND id = t.contact_id LIMIT 1) k ON true
  LEFT JOIN LATERAL (SELECT external_id FROM message WHERE instance_id = u.instance_id AND id = m.parent_id LIMIT 1) p ON true
  LEFT JOIN LATERAL (
    SELECT id, name, source, parse_mode, active, account_id FROM channel WHERE instance_id = u.instance_id AND id = t.channel_id LIMIT 1) c ON true
  LEFT JOIN LATERAL (SELECT id, name, kind, source, credential, key_id FROM account WHERE id = c.account_id LIMIT 1) a ON true`

const loadAttachments = `
SELECT u.ord, a.message_id, a.ref, a.state
  FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS u (instance_id, id, ord)
  JOIN attachment a ON a.instance_id = u.instance_id AND a.id = u.id`

const loadChannels = `
SELECT c.instance_id, c.id, c.provider, c.name, c.source, coalesce(c.external_id, ''), c.parse_mode, c.active, c.is_default,
       a.id, coalesce(a.name, ''), coalesce(a.kind, ''), coalesce(a.source, ''), a.credential, coalesce(a.key_id, '')
  FROM channel c LEFT JOIN account a ON a.id = c.account_id
 WHERE c.instance_id = ANY ($1)
 ORDER BY c.instance_id, c.created_at, c.id`

// loaded is work whose channel is still to be found.
type loaded struct {
	inbox.Work
	target string
}

// Load implements [inbox.Queue].
func (q *Queue) Load(ctx context.Context, claimed []inbox.Claimed) ([]inbox.Work, error) {
	work := make([]loaded, len(claimed))
	for i := range claimed {
		work[i].Claimed = claimed[i]
	}
	if err := q.loadAttachments(ctx, work); err != nil {
		return nil, fmt.Errorf("reading attachments: %w", err)
	}
	found, err := q.loadMessages(ctx, work)
	if err != nil {
		return nil, fmt.Errorf("reading messages: %w", err)
	}
	if err := q.bind(ctx, found); err != nil {
		return nil, fmt.Errorf("reading channels: %w", err)
	}
	out := make([]inbox.Work, len(found))
	for i, w := range found {
		out[i] = w.Work
	}
	return out, nil
}

// loadAttachments finds what files are to be fetched, and of which messages.
func (q *Queue) loadAttachments(ctx context.Context, work []loaded) error {
	var at []int
	var instances, ids []pgtype.UUID
	for i := range work {
		var payload inbox.MediaPayload
		if work[i].Kind != inbox.FetchMedia || json.Unmarshal(work[i].Payload, &payload) != nil {
			continue
		}
		at, instances, ids = append(at, i), append(instances, uid(work[i].Instance)), append(ids, uid(payload.AttachmentID))
	}
	if len(at) == 0 {
		return nil
	}
	rows, err := q.pool.Query(ctx, loadAttachments, instances, ids)
	if err != nil {
		return err
	}
	defer rows.Close()
	return eachRow(func(rows pgx.Rows) error {
		var ord int
		var message pgtype.UUID
		var ref inbox.MediaRef
		if err := rows.Scan(&ord, &message, &ref.Ref, &ref.State); err != nil {
			return err
		}
		w := &work[at[ord-1]]
		ref.ID = ids[ord-1].Bytes
		w.MessageID, w.Attachment = message.Bytes, &ref
		return nil
	})(rows)
}

func (q *Queue) loadMessages(ctx context.Context, work []loaded) ([]loaded, error) {
	n := len(work)
	instances, actions, messages := make([]pgtype.UUID, n), make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	for i := range work {
		instances[i], actions[i], messages[i] = uid(work[i].Instance), uid(work[i].Action), uid(work[i].MessageID)
	}
	rows, err := q.pool.Query(ctx, loadReplies, instances, actions, messages)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := make([]loaded, 0, n)
	err = eachRow(func(rows pgx.Rows) error {
		var ord int
		var channel, account pgtype.UUID
		var c inbox.Channel
		var a inbox.Account
		var w loaded
		if err := rows.Scan(&ord, &w.Alias, &w.Provider, &w.Source, &w.ThreadExternalID, &w.target, &w.Text, &w.ParentExternalID,
			&w.ContactBlocked, &w.Delivered, &channel, &c.Name, &c.Source, &c.ParseMode, &c.Active,
			&account, &a.Name, &a.Kind, &a.Source, &a.Credential, &a.KeyID); err != nil {
			return err
		}
		w.Claimed, w.Attachment = work[ord-1].Claimed, work[ord-1].Attachment
		if channel.Valid {
			c.ID, c.AccountID = channel.Bytes, account.Bytes
			w.Channel = &c
		}
		if account.Valid {
			a.ID = account.Bytes
			w.Account = &a
		}
		found = append(found, w)
		return nil
	})(rows)
	return found, err
}

// usable tells whether a conversation can be answered through a channel. Its
// account must be the one to which people wrote: no other may write back.
func usable(c *inbox.Channel, a *inbox.Account, source string) bool {
	return c != nil && c.Active && a != nil && (c.Source == "" || c.Source == source) && (a.Source == "" || a.Source == source)
}

// bind finds a channel for conversations whose own is gone or can't be used: the
// one that binds the conversation now.
func (q *Queue) bind(ctx context.Context, work []loaded) error {
	var instances []pgtype.UUID
	for _, w := range work {
		if !usable(w.Channel, w.Account, w.Source) && !slices.Contains(instances, uid(w.Instance)) {
			instances = append(instances, uid(w.Instance))
		}
	}
	if len(instances) == 0 {
		return nil
	}
	channels, accounts, err := q.channels(ctx, instances)
	if err != nil {
		return err
	}
	for i := range work {
		w := &work[i]
		if usable(w.Channel, w.Account, w.Source) {
			continue
		}
		good := inbox.Config{}
		for _, c := range channels[w.Instance] {
			if usable(&c, accounts[c.AccountID], w.Source) {
				good.Channels = append(good.Channels, c)
			}
		}
		c, ok := good.Bind(w.Provider, w.Source, inbox.AccountID{}, w.target, true)
		if !ok && w.Channel == nil {
			all := inbox.Config{Channels: channels[w.Instance]}
			c, ok = all.Bind(w.Provider, w.Source, inbox.AccountID{}, w.target, true)
		}
		if ok {
			w.Channel, w.Account = &c, accounts[c.AccountID]
		}
	}
	return nil
}

func (q *Queue) channels(ctx context.Context, instances []pgtype.UUID) (map[inbox.InstanceID][]inbox.Channel, map[inbox.AccountID]*inbox.Account, error) {
	rows, err := q.pool.Query(ctx, loadChannels, instances)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	channels, accounts := map[inbox.InstanceID][]inbox.Channel{}, map[inbox.AccountID]*inbox.Account{}
	err = eachRow(func(rows pgx.Rows) error {
		var instance, id, account pgtype.UUID
		var c inbox.Channel
		var a inbox.Account
		if err := rows.Scan(&instance, &id, &c.Provider, &c.Name, &c.Source, &c.ExternalID, &c.ParseMode, &c.Active, &c.Default,
			&account, &a.Name, &a.Kind, &a.Source, &a.Credential, &a.KeyID); err != nil {
			return err
		}
		c.ID, c.AccountID = id.Bytes, account.Bytes
		channels[instance.Bytes] = append(channels[instance.Bytes], c)
		if account.Valid {
			a.ID = account.Bytes
			accounts[a.ID] = &a
		}
		return nil
	})(rows)
	return channels, accounts, err
}
