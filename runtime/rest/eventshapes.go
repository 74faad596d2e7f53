package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// maxShown bounds what an event repeats of a message's text. Of a longer one it has the ids only.
const maxShown = 64 << 10

// Event is one state change.
type Event struct {
	Seq       int64              `json:"seq" doc:"Its place in the inbox's log, from 1, without gaps. It is the event's id."`
	Type      inbox.EventType    `json:"type" enum:"message.created,message.updated,message.deleted,thread.updated,thread.deleted,contact.updated,contact.deleted,action.updated,channel.created,channel.updated,key.created,key.revoked,credit.granted,raw.shown"`
	At        time.Time          `json:"at"`
	Actor     string             `json:"actor" doc:"Who did it: key:sokey_…, agent:soag_…, admin, worker, retention, provider or system."`
	ThreadID  string             `json:"thread_id,omitempty"`
	MessageID string             `json:"message_id,omitempty"`
	ActionID  string             `json:"action_id,omitempty"`
	ContactID string             `json:"contact_id,omitempty"`
	ChannelID string             `json:"channel_id,omitempty"`
	KeyID     string             `json:"key_id,omitempty"`
	Changed   []string           `json:"changed,omitempty" doc:"Names of the fields that changed."`
	Status    inbox.ActionStatus `json:"status,omitempty" doc:"Of an action."`
	Detail    string             `json:"detail,omitempty" doc:"Why an action failed or has to wait."`
	Message   *Message           `json:"message,omitempty" doc:"As it was when the event was read; absent when it was gone, or is very long."`
	Thread    *InboxThread       `json:"thread,omitempty" doc:"As it was when the event was read, without its last message; absent when it was gone."`
}

// renderEvents shows events as streams send them, with two queries for all of them.
func (b *Inbox) renderEvents(ctx context.Context, events []inbox.Event) ([]frame, error) {
	threads, messages, err := b.subjects(ctx, events)
	if err != nil {
		return nil, err
	}
	frames := make([]frame, len(events))
	ends := make([]int, len(events))
	var text []byte // of all of them
	for i, e := range events {
		out := Event{
			Seq: e.Seq, Type: e.Type, At: e.At.UTC(), Actor: e.Actor, ThreadID: e.ThreadID.String(), MessageID: e.MessageID.String(),
			ActionID: e.ActionID.String(), ContactID: e.ContactID.String(), ChannelID: e.ChannelID.String(), KeyID: e.KeyID.String(),
			Changed: e.Changed, Status: e.Status, Detail: e.Detail,
			Message: messages[e.MessageID], Thread: threads[e.ThreadID],
		}
		data, err := json.Marshal(out)
		if err != nil {
			return nil, fmt.Errorf("rendering event %d: %w", e.Seq, err)
		}
		text = append(text, "id: "...)
		text = strconv.AppendInt(text, e.Seq, 10)
		text = append(text, "\nevent: "...)
		text = append(text, e.Type...)
		text = append(text, "\ndata: "...)
		text = append(text, data...) // JSON has no line breaks of its own
		text = append(text, "\n\n"...)
		ends[i] = len(text)
	}
	text = bytes.Clone(text) // without the room that it grew into: it lives as long as its frames
	begin := 0
	for i, end := range ends {
		frames[i] = frame{seq: events[i].Seq, text: text[begin:end]}
		begin = end
	}
	return frames, nil
}

// subjects reads what events are about. Zero ids stay without a subject.
func (b *Inbox) subjects(ctx context.Context, events []inbox.Event) (map[inbox.ThreadID]*InboxThread, map[inbox.MessageID]*Message, error) {
	threads := map[inbox.ThreadID]*InboxThread{}
	messages := map[inbox.MessageID]*Message{}
	var threadIDs []inbox.ThreadID
	var messageIDs []inbox.MessageID
	for _, e := range events {
		if _, seen := threads[e.ThreadID]; !seen && !e.ThreadID.IsZero() {
			threads[e.ThreadID] = nil
			threadIDs = append(threadIDs, e.ThreadID)
		}
		if _, seen := messages[e.MessageID]; !seen && !e.MessageID.IsZero() {
			messages[e.MessageID] = nil
			messageIDs = append(messageIDs, e.MessageID)
		}
	}
	if len(threadIDs) > 0 {
		found, err := b.store.ThreadsByID(ctx, threadIDs)
		if err != nil {
			return nil, nil, fmt.Errorf("reading threads: %w", err)
		}
		for _, t := range found {
			t.LastMessage = nil
			shown := b.ShowThread(t)
			threads[t.ID] = &shown
		}
	}
	if len(messageIDs) > 0 {
		found, err := b.store.MessagesByID(ctx, messageIDs)
		if err != nil {
			return nil, nil, fmt.Errorf("reading messages: %w", err)
		}
		for _, m := range found {
			if len(m.Text)+len(m.Data) > maxShown {
				continue
			}
			shown := b.newMessage(m)
			messages[m.ID] = &shown
		}
	}
	return threads, messages, nil
}
