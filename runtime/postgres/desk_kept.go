package postgres

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
)

const (
	maxName  = 60   // characters
	maxQuery = 1000 // characters
)

func checkName(name string) error {
	if strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) > maxName {
		return inbox.Errorf(inbox.CodeInvalid, "name: want 1 to %d characters", maxName)
	}
	return nil
}

// CannedTexts implements [inbox.Desk]: by name.
func (d *Desk) CannedTexts(ctx context.Context) ([]inbox.CannedText, error) {
	return collect(ctx, d, "canned texts", func(row pgx.CollectableRow) (c inbox.CannedText, err error) {
		err = row.Scan(idInto[inbox.CannedTextID]{&c.ID}, &c.Name, &c.Text, timeInto{&c.UpdatedAt})
		return c, err
	}, `SELECT id, name, text, updated_at FROM canned_text WHERE instance_id = $1 ORDER BY name LIMIT $2`, maxKept)
}

// PutCannedText implements [inbox.Desk].
func (d *Desk) PutCannedText(ctx context.Context, c inbox.CannedText) error {
	c.Name, c.Text = clean(c.Name), clean(c.Text)
	if err := checkName(c.Name); err != nil {
		return err
	}
	if c.Text == "" || len(c.Text) > inbox.MaxReplyLen {
		return inbox.Errorf(inbox.CodeInvalid, "text: want 1 to %d bytes", inbox.MaxReplyLen)
	}
	const put = `
INSERT INTO canned_text (instance_id, id, name, text, updated_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (instance_id, id) DO UPDATE SET name = excluded.name, text = excluded.text, updated_at = excluded.updated_at`
	_, err := d.db.Exec(ctx, put, d.instance, uid(c.ID), c.Name, c.Text, d.now())
	if sqlState(err) == stateUniqueViolation {
		return inbox.Errorf(inbox.CodeConflict, "there is a canned text of this name already: take another one, or change that one")
	}
	return codedError(wrote(err, "the canned text"))
}

// DeleteCannedText implements [inbox.Desk].
func (d *Desk) DeleteCannedText(ctx context.Context, id inbox.CannedTextID) error {
	tag, err := d.db.Exec(ctx, `DELETE FROM canned_text WHERE instance_id = $1 AND id = $2`, d.instance, uid(id))
	if err != nil {
		return codedError(wrote(err, "the canned text"))
	}
	if tag.RowsAffected() == 0 {
		return inbox.Errorf(inbox.CodeNotFound, "there is no such canned text")
	}
	return nil
}

// SavedViews implements [inbox.Desk]: by name.
func (d *Desk) SavedViews(ctx context.Context, agent inbox.AgentID) ([]inbox.SavedView, error) {
	return collect(ctx, d, "saved views", func(row pgx.CollectableRow) (v inbox.SavedView, err error) {
		err = row.Scan(idInto[inbox.SavedViewID]{&v.ID}, idInto[inbox.AgentID]{&v.Agent}, &v.Name, &v.Query, &v.Shared)
		return v, err
	}, `SELECT id, agent_id, name, query, shared FROM saved_view WHERE instance_id = $1 AND (agent_id = $2 OR shared) ORDER BY name, id LIMIT $3`, uid(agent), maxKept)
}

// PutSavedView implements [inbox.Desk].
func (d *Desk) PutSavedView(ctx context.Context, v inbox.SavedView) error {
	v.Name, v.Query = clean(v.Name), clean(v.Query)
	if err := checkName(v.Name); err != nil {
		return err
	}
	if utf8.RuneCountInString(v.Query) > maxQuery {
		return inbox.Errorf(inbox.CodeInvalid, "query: want at most %d characters", maxQuery)
	}
	const put = `
INSERT INTO saved_view AS v (instance_id, id, agent_id, name, query, shared) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (instance_id, id) DO UPDATE SET name = excluded.name, query = excluded.query, shared = excluded.shared WHERE v.agent_id = excluded.agent_id`
	tag, err := d.db.Exec(ctx, put, d.instance, uid(v.ID), uid(v.Agent), v.Name, v.Query, v.Shared)
	if err != nil {
		return codedError(wrote(err, "the saved view"))
	}
	if tag.RowsAffected() == 0 {
		return errOthersView
	}
	return nil
}

var errOthersView = inbox.Errorf(inbox.CodeForbidden, "this view is another agent's: save it under another name to change it")

// DeleteSavedView implements [inbox.Desk].
func (d *Desk) DeleteSavedView(ctx context.Context, id inbox.SavedViewID, agent inbox.AgentID) error {
	const remove = `
WITH there AS (SELECT agent_id FROM saved_view WHERE instance_id = $1 AND id = $2),
     gone AS (DELETE FROM saved_view WHERE instance_id = $1 AND id = $2 AND agent_id = $3 RETURNING agent_id)
SELECT (SELECT count(*) FROM there), (SELECT count(*) FROM gone)`
	var there, gone int
	if err := d.db.QueryRow(ctx, remove, d.instance, uid(id), uid(agent)).Scan(&there, &gone); err != nil {
		return codedError(fmt.Errorf("removing the saved view: %w", err))
	}
	switch {
	case there == 0:
		return inbox.Errorf(inbox.CodeNotFound, "there is no such view")
	case gone == 0:
		return errOthersView
	}
	return nil
}
