package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// Attachment implements [inbox.Store].
func (s *box) Attachment(ctx context.Context, id inbox.AttachmentID) (inbox.Attachment, []byte, error) {
	row, err := s.queries.GetAttachment(ctx, query.GetAttachmentParams{InstanceID: uid(s.instance), ID: uid(id)})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return inbox.Attachment{}, nil, noAttachment(id)
	case err != nil:
		return inbox.Attachment{}, nil, codedError(fmt.Errorf("reading an attachment: %w", err))
	}
	a := inbox.Attachment{
		ID: id, Kind: row.Kind, Name: row.Name, MIMEType: row.MimeType, Size: row.Size, URL: row.Url,
		State: inbox.AttachmentState(row.State), Error: row.Error,
	}
	if a.State == inbox.AttachmentRemote {
		err := s.fetch(ctx, id, row)
		if sqlState(err) == stateForeignKey { // its message was removed since it was read
			return inbox.Attachment{}, nil, noAttachment(id)
		}
		if err != nil {
			return inbox.Attachment{}, nil, codedError(fmt.Errorf("asking for an attachment to be fetched: %w", err))
		}
	}
	return a, row.Content, nil
}

func noAttachment(id inbox.AttachmentID) error {
	return inbox.Errorf(inbox.CodeNotFound, "there is no attachment %s here: its message names those that it has", id)
}

// fetch asks the worker for a file, unless that was asked already and is not done:
// a unique index sees to that.
func (s *box) fetch(ctx context.Context, id inbox.AttachmentID, row query.GetAttachmentRow) error {
	payload, err := json.Marshal(inbox.MediaPayload{AttachmentID: id})
	if err != nil {
		return fmt.Errorf("writing the payload: %w", err)
	}
	n, err := s.queries.AddFetch(ctx, query.AddFetchParams{
		InstanceID: uid(s.instance), ID: uid(inbox.NewID[inbox.ActionID](s.now())), ThreadID: row.ThreadID, MessageID: row.MessageID,
		Lane: inbox.LaneName(inbox.FetchMedia, row.Source), Payload: payload,
	})
	if err != nil {
		return err
	}
	if n > 0 {
		s.queued()
	}
	return nil
}
