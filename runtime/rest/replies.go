package rest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
)

// NewText is a reply or a note that is to be added to a thread.
type NewText struct {
	Text      string `json:"text" minLength:"1" maxLength:"65536" example:"Thanks, we are checking this now." doc:"At most 65536 bytes of UTF-8."`
	ParentID  string `json:"parent_id,omitempty" maxLength:"64" example:"somsg_01kc0w3v2pf0bvd9m4v9wq7x5e" doc:"The message of the same thread that this one answers."`
	InReplyTo string `json:"in_reply_to,omitempty" maxLength:"64" doc:"Another name for parent_id."`
}

// Queued is what adding a reply or a note made.
type Queued struct {
	Message Message `json:"message"`
	Action  *Action `json:"action,omitempty" doc:"What delivers the reply. A note has none."`
}

type addInput struct {
	ThreadPath
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Makes the call repeatable for 24 hours: a repeat with the same key and body gets the first one's result and adds nothing."`
	Body           NewText
}

// queuedReply tells a repeat from the first call.
type queuedReply struct {
	Replayed string `header:"Idempotency-Replayed" doc:"true when an earlier call with the same Idempotency-Key made this."`
	Body     Envelope[Queued]
}

func (a *API) addReplies() {
	failures := []inbox.Code{inbox.CodeNotFound, codeMediaType, inbox.CodeTooLarge, inbox.CodeUnprocessed}
	inboxCall(a, Operation{
		ID: "add-reply", Method: http.MethodPost, Path: "/threads/{thread_id}/replies", Need: Write, Tag: "Messages",
		Summary: "Queue a reply",
		Text: "Stores an outbound message and an action of type send_reply, which the delivery worker works off within moments. " +
			"How it fares is told by the message's delivery, and by action.updated events. A reply that the provider can't take ends as failed, with the reason.",
		Status: http.StatusCreated, Answer: "The reply is queued.", Errors: failures,
	}, (*Inbox).addReply)
	inboxCall(a, Operation{
		ID: "add-note", Method: http.MethodPost, Path: "/threads/{thread_id}/notes", Need: Write, Tag: "Messages",
		Summary: "Add an internal note", Text: "Stores an internal message. It is sent to nobody.",
		Status: http.StatusCreated, Answer: "The note is there.", Errors: failures,
	}, (*Inbox).addNote)
	inboxCall(a, Operation{
		ID: "retry-reply", Method: http.MethodPost, Path: "/threads/{thread_id}/messages/{message_id}/retry", Need: Write, Tag: "Messages",
		Summary: "Send a failed reply again",
		Text:    "Puts the reply back into the queue. Parts that were delivered are not sent again. A reply that has not failed is a 409.",
		Answer:  "The reply is queued again.", Errors: []inbox.Code{inbox.CodeNotFound, inbox.CodeConflict},
	}, (*Inbox).retryReply)
}

func (b *Inbox) addReply(ctx context.Context, who Caller, in *addInput) (*queuedReply, error) {
	return b.addText(ctx, who, in, "POST /threads/{thread_id}/replies", b.store.AddReply)
}

func (b *Inbox) addNote(ctx context.Context, who Caller, in *addInput) (*queuedReply, error) {
	return b.addText(ctx, who, in, "POST /threads/{thread_id}/notes", b.store.AddNote)
}

func (b *Inbox) addText(ctx context.Context, who Caller, in *addInput, route string,
	add func(context.Context, inbox.NewMessage) (inbox.Queued, error),
) (*queuedReply, error) {
	m, err := in.message(who, route)
	if err != nil {
		return nil, err
	}
	q, err := add(ctx, m)
	if err != nil {
		return nil, err
	}
	out := &queuedReply{Body: Envelope[Queued]{Success: true, Data: Queued{Message: b.newMessage(q.Message), Action: newAction(q.Action)}}}
	if q.Replayed {
		out.Replayed = "true"
	}
	return out, nil
}

func (in *addInput) message(who Caller, route string) (m inbox.NewMessage, err error) {
	m = inbox.NewMessage{Text: in.Body.Text, Author: who.Author()}
	if m.ThreadID, err = in.id(); err != nil {
		return m, err
	}
	switch {
	case strings.TrimSpace(m.Text) == "":
		return m, inbox.Errorf(inbox.CodeInvalid, "body.text: must not be blank")
	case len(m.Text) > inbox.MaxReplyLen:
		return m, inbox.Errorf(inbox.CodeInvalid, "body.text: at most %d bytes of UTF-8, this has %d", inbox.MaxReplyLen, len(m.Text))
	}
	parent := in.Body.ParentID
	if parent == "" {
		parent = in.Body.InReplyTo
	} else if in.Body.InReplyTo != "" && in.Body.InReplyTo != parent {
		return m, inbox.Errorf(inbox.CodeInvalid, "body.in_reply_to: names another message than parent_id: give one of the two")
	}
	if err := m.ParentID.UnmarshalText([]byte(parent)); err != nil {
		return m, inbox.Errorf(inbox.CodeInvalid, "body.parent_id: %s", err)
	}
	m.Idempotency, err = in.idempotency(who, route)
	return m, err
}

func (in *addInput) idempotency(who Caller, route string) (*inbox.Idempotency, error) {
	key := in.IdempotencyKey
	if key == "" {
		return nil, nil
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return nil, inbox.Errorf(inbox.CodeInvalid, "header.Idempotency-Key: want at most 255 printable ASCII characters")
		}
	}
	// What is asked for, not how it is written: spaces and the order of fields make no other call.
	same, err := json.Marshal([]string{in.ThreadID, in.Body.Text, in.Body.ParentID, in.Body.InReplyTo})
	if err != nil {
		return nil, err
	}
	return &inbox.Idempotency{Caller: who.Name(), Route: route, Key: key, BodyHash: sha256.Sum256(same)}, nil
}

func (b *Inbox) retryReply(ctx context.Context, who Caller, in *struct {
	ThreadPath
	MessageID string `path:"message_id" example:"somsg_01kc0w3v2pf0bvd9m4v9wq7x5e"`
},
) (*Reply[Envelope[Message]], error) {
	thread, err := in.id()
	if err != nil {
		return nil, err
	}
	var message inbox.MessageID
	if err := message.UnmarshalText([]byte(in.MessageID)); err != nil || message.IsZero() {
		return nil, NoSuch("message", err)
	}
	m, err := b.store.RetryReply(ctx, thread, message, who.Actor())
	if err != nil {
		return nil, err
	}
	return OK(b.newMessage(m)), nil
}
