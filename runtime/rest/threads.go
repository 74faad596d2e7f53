package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/open4x/socialops/runtime/inbox"
)

// The limits of a thread's labels.
const (
	// MaxLabels bounds how many a thread has.
	MaxLabels = 50
	maxLabel  = 100 // characters
)

// ThreadPatch is a change of a thread. What is left out stays as it is.
type ThreadPatch struct {
	Status   inbox.Status   `json:"status,omitempty" enum:"open,pending,resolved,archived"`
	Priority inbox.Priority `json:"priority,omitempty" enum:"low,normal,high,urgent"`
	Assignee Assignee       `json:"assignee,omitzero" doc:"An agent's id (soag_…), or sub: and an OIDC subject, whose agent is made on first use; null for nobody."`
	Labels   []string       `json:"labels,omitempty" maxItems:"50" doc:"Replaces all labels."`
}

// Assignee is a field of which null means something else than absence.
type Assignee struct {
	given bool
	name  string
}

// UnmarshalJSON implements [json.Unmarshaler].
func (a *Assignee) UnmarshalJSON(b []byte) error {
	a.given = true
	a.name = ""
	if string(b) == "null" {
		return nil
	}
	return json.Unmarshal(b, &a.name)
}

// IsZero tells whether the field was left out.
func (a Assignee) IsZero() bool { return !a.given }

// Schema implements [huma.SchemaProvider].
func (a Assignee) Schema(huma.Registry) *huma.Schema {
	longest := 300
	return &huma.Schema{Type: huma.TypeString, Nullable: true, MaxLength: &longest}
}

func (a *API) addThreads() {
	inboxCall(a, Operation{
		ID: "get-thread", Method: http.MethodGet, Path: "/threads/{thread_id}", Need: Read, Tag: "Threads",
		Summary: "One thread", Text: "With who wrote and the last message.",
		Answer: "The thread.", Errors: []inbox.Code{inbox.CodeNotFound},
	}, (*Inbox).getThread)
	inboxCall(a, Operation{
		ID: "update-thread", Method: http.MethodPatch, Path: "/threads/{thread_id}", Need: Write, Tag: "Threads",
		Summary: "Change a thread's status, priority, assignee or labels",
		Text:    "Send the fields that are to change. An inbound message reopens a resolved or archived thread.",
		Answer:  "The thread as it is now.", Errors: []inbox.Code{inbox.CodeNotFound, codeMediaType, inbox.CodeUnprocessed},
	}, (*Inbox).updateThread)
	inboxCall(a, Operation{
		ID: "mark-thread-read", Method: http.MethodPost, Path: "/threads/{thread_id}/read", Need: Write, Tag: "Threads",
		Summary: "Mark a thread as read", Text: "Sets its unread count to zero. A reply does so by itself.",
		Answer: "The thread is read.", Errors: []inbox.Code{inbox.CodeNotFound},
	}, (*Inbox).markRead)
}

func (b *Inbox) getThread(ctx context.Context, _ Caller, in *ThreadPath) (*Reply[Envelope[InboxThread]], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	t, err := b.store.Thread(ctx, id)
	if err != nil {
		return nil, err
	}
	return OK(b.ShowThread(t)), nil
}

func (b *Inbox) updateThread(ctx context.Context, who Caller, in *struct {
	ThreadPath
	Body ThreadPatch
},
) (*Reply[Envelope[InboxThread]], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	patch, err := in.Body.Patch()
	if err != nil {
		return nil, err
	}
	t, err := b.store.UpdateThread(ctx, id, patch, who.Actor())
	if err != nil {
		return nil, err
	}
	return OK(b.ShowThread(t)), nil
}

// Patch is the change, checked.
func (p *ThreadPatch) Patch() (out inbox.ThreadPatch, err error) {
	if p.Status != "" {
		out.Status = &p.Status
	}
	if p.Priority != "" {
		out.Priority = &p.Priority
	}
	if p.Assignee.given {
		name := strings.TrimSpace(p.Assignee.name)
		if err := PlainText("body.assignee", name); err != nil {
			return out, err
		}
		out.Assignee = &name
	}
	if p.Labels != nil {
		labels, err := CleanLabels("body.labels", p.Labels)
		if err != nil {
			return out, err
		}
		out.Labels = &labels
	}
	if out == (inbox.ThreadPatch{}) {
		return out, inbox.Errorf(inbox.CodeInvalid, "body: nothing to change: give at least one of status, priority, assignee and labels")
	}
	return out, nil
}

// CleanLabels trims labels and keeps each once.
func CleanLabels(where string, given []string) ([]string, error) {
	labels := make([]string, 0, len(given))
	for _, l := range given {
		l = strings.TrimSpace(l)
		switch {
		case l == "":
			return nil, inbox.Errorf(inbox.CodeInvalid, "%s: a label must not be blank", where)
		case utf8.RuneCountInString(l) > maxLabel:
			return nil, inbox.Errorf(inbox.CodeInvalid, "%s: a label has at most %d characters", where, maxLabel)
		}
		if err := PlainText(where, l); err != nil {
			return nil, err
		}
		if !slices.Contains(labels, l) {
			labels = append(labels, l)
		}
	}
	return labels, nil
}

// PlainText refuses what names of things should not hold, as a database would store it changed.
func PlainText(where, s string) error {
	if strings.ContainsRune(s, 0) {
		return inbox.Errorf(inbox.CodeInvalid, "%s: must not hold the character U+0000", where)
	}
	return nil
}

// ReadResult is what marking a thread as read leads to.
type ReadResult struct {
	ThreadID    string `json:"thread_id"`
	UnreadCount int    `json:"unread_count" doc:"0."`
}

func (b *Inbox) markRead(ctx context.Context, _ Caller, in *ThreadPath) (*Reply[Envelope[ReadResult]], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if err := b.store.MarkRead(ctx, id); err != nil {
		return nil, err
	}
	return OK(ReadResult{ThreadID: id.String()}), nil
}
