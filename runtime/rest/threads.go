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
	maxLabels = 50
	maxLabel  = 100 // characters
)

// ThreadPatch is a change of a thread. What is left out stays as it is.
type ThreadPatch struct {
	Status   inbox.Status   `json:"status,omitempty" enum:"open,pending,resolved,archived"`
	Priority inbox.Priority `json:"priority,omitempty" enum:"low,normal,high,urgent"`
	Assignee assignee       `json:"assignee,omitzero" doc:"An agent's id (soag_…), or sub: and an OIDC subject, whose agent is made on first use; null for nobody."`
	Labels   []string       `json:"labels,omitempty" maxItems:"50" doc:"Replaces all labels."`
}

// assignee is a field of which null means something else than absence.
type assignee struct {
	given bool
	name  string
}

// UnmarshalJSON implements [json.Unmarshaler].
func (a *assignee) UnmarshalJSON(b []byte) error {
	a.given = true
	a.name = ""
	if string(b) == "null" {
		return nil
	}
	return json.Unmarshal(b, &a.name)
}

// Schema implements [huma.SchemaProvider].
func (a assignee) Schema(huma.Registry) *huma.Schema {
	longest := 300
	return &huma.Schema{Type: huma.TypeString, Nullable: true, MaxLength: &longest}
}

func (a *api) addThreads() {
	handle(a, operation{
		id: "get-thread", method: http.MethodGet, path: "/threads/{thread_id}", scope: inbox.ScopeRead, tag: "Threads",
		summary: "One thread", text: "With who wrote and the last message.",
		answer: "The thread.", errors: []inbox.Code{inbox.CodeNotFound},
	}, a.s.getThread)
	handle(a, operation{
		id: "update-thread", method: http.MethodPatch, path: "/threads/{thread_id}", scope: inbox.ScopeWrite, tag: "Threads",
		summary: "Change a thread's status, priority, assignee or labels",
		text:    "Send the fields that are to change. An inbound message reopens a resolved or archived thread.",
		answer:  "The thread as it is now.", errors: []inbox.Code{inbox.CodeNotFound, codeMediaType, inbox.CodeUnprocessed},
	}, a.s.updateThread)
	handle(a, operation{
		id: "mark-thread-read", method: http.MethodPost, path: "/threads/{thread_id}/read", scope: inbox.ScopeWrite, tag: "Threads",
		summary: "Mark a thread as read", text: "Sets its unread count to zero. A reply does so by itself.",
		answer: "The thread is read.", errors: []inbox.Code{inbox.CodeNotFound},
	}, a.s.markRead)
}

func (s *Server) getThread(ctx context.Context, _ *caller, in *ThreadPath) (*reply[Envelope[InboxThread]], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	t, err := s.store.Thread(ctx, id)
	if err != nil {
		return nil, err
	}
	return ok(s.newInboxThread(t)), nil
}

func (s *Server) updateThread(ctx context.Context, who *caller, in *struct {
	ThreadPath
	Body ThreadPatch
},
) (*reply[Envelope[InboxThread]], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	patch, err := in.Body.patch()
	if err != nil {
		return nil, err
	}
	t, err := s.store.UpdateThread(ctx, id, patch, who.actor)
	if err != nil {
		return nil, err
	}
	return ok(s.newInboxThread(t)), nil
}

func (p *ThreadPatch) patch() (out inbox.ThreadPatch, err error) {
	if p.Status != "" {
		out.Status = &p.Status
	}
	if p.Priority != "" {
		out.Priority = &p.Priority
	}
	if p.Assignee.given {
		name := strings.TrimSpace(p.Assignee.name)
		if err := plainText("body.assignee", name); err != nil {
			return out, err
		}
		out.Assignee = &name
	}
	if p.Labels != nil {
		labels, err := cleanLabels(p.Labels)
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

// cleanLabels trims labels and keeps each once.
func cleanLabels(given []string) ([]string, error) {
	labels := make([]string, 0, len(given))
	for _, l := range given {
		l = strings.TrimSpace(l)
		switch {
		case l == "":
			return nil, inbox.Errorf(inbox.CodeInvalid, "body.labels: a label must not be blank")
		case utf8.RuneCountInString(l) > maxLabel:
			return nil, inbox.Errorf(inbox.CodeInvalid, "body.labels: a label has at most %d characters", maxLabel)
		}
		if err := plainText("body.labels", l); err != nil {
			return nil, err
		}
		if !slices.Contains(labels, l) {
			labels = append(labels, l)
		}
	}
	return labels, nil
}

// plainText refuses what names of things should not hold, as a database would store it changed.
func plainText(where, s string) error {
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

func (s *Server) markRead(ctx context.Context, _ *caller, in *ThreadPath) (*reply[Envelope[ReadResult]], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if err := s.store.MarkRead(ctx, id); err != nil {
		return nil, err
	}
	return ok(ReadResult{ThreadID: id.String()}), nil
}
