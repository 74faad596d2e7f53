package console

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

const (
	maxViews  = 20  // that are counted at once
	maxListed = 100 // labels
	maxRaws   = 2   // messages whose payloads are in memory at once
)

// Counts are how many threads views have.
type Counts struct {
	Counts []int `json:"counts" doc:"In the order of the views; 1001 means more than 1000."`
}

// Bulk is a change of several threads.
type Bulk struct {
	ThreadIDs    []string       `json:"thread_ids" minItems:"1" maxItems:"100"`
	Status       inbox.Status   `json:"status,omitempty" enum:"open,pending,resolved,archived"`
	Priority     inbox.Priority `json:"priority,omitempty" enum:"low,normal,high,urgent"`
	Assignee     rest.Assignee  `json:"assignee,omitzero" doc:"An agent's id (soag_…), or sub: and an OIDC subject, whose agent is made on first use; null for nobody."`
	AddLabels    []string       `json:"add_labels,omitempty" maxItems:"50"`
	RemoveLabels []string       `json:"remove_labels,omitempty" maxItems:"50"`
}

// BulkResults are what became of each thread.
type BulkResults struct {
	Results []BulkResult `json:"results" doc:"In the order of thread_ids."`
}

// BulkResult is what became of one thread.
type BulkResult struct {
	ThreadID string            `json:"thread_id"`
	OK       bool              `json:"ok"`
	Error    *rest.ErrorInfo   `json:"error,omitempty" doc:"Why this one was not changed."`
	Thread   *rest.InboxThread `json:"thread,omitempty" doc:"As it is now."`
}

// RawMessage is what a provider sent for a message.
type RawMessage struct {
	ExternalThreadID  string       `json:"external_thread_id" doc:"The provider's own id of the conversation."`
	ExternalMessageID string       `json:"external_message_id" doc:"The provider's own id of the message."`
	Payloads          []RawPayload `json:"payloads"`
}

// RawPayload is one webhook body.
type RawPayload struct {
	ContentType string    `json:"content_type"`
	ReceivedAt  time.Time `json:"received_at"`
	Encoding    string    `json:"encoding" enum:"utf-8,base64" doc:"How the body is written here."`
	Body        string    `json:"body" doc:"Byte for byte as it came."`
}

func (s *Server) addThreads() {
	handle(s, rest.Operation{
		ID: "count-threads", Method: http.MethodGet, Path: "/{alias}/counts", Need: rest.Read, Tag: "Threads",
		Summary: "How many threads views have", Text: "Each view is a query of the inbox, such as status=open&assignee=none, encoded as one parameter.", Answer: "The counts.",
	}, s.counts)
	handle(s, rest.Operation{
		ID: "update-threads", Method: http.MethodPost, Path: "/{alias}/bulk", Need: rest.Write, Tag: "Threads",
		Summary: "Change several threads", Text: "Each by itself: one that can't be changed keeps none of the others from it.", Answer: "What became of each.",
		Example: map[string]any{"thread_ids": []string{"soth_01kc0w3v2pf0bvd9m4v9wq7x5e"}, "status": "resolved", "add_labels": []string{"billing"}},
	}, s.bulk)
	handle(s, rest.Operation{
		ID: "list-agents", Method: http.MethodGet, Path: "/{alias}/agents", Need: rest.Read, Tag: "Threads",
		Summary: "Who answers", Text: "Everybody who did something here, by name. You are among them.", Answer: "The agents.",
	}, s.agentsOf)
	handle(s, rest.Operation{
		ID: "list-labels", Method: http.MethodGet, Path: "/{alias}/labels", Need: rest.Read, Tag: "Threads",
		Summary: "Labels in use", Text: "By name, at most 100.", Answer: "The labels.",
	}, s.labels)
	handle(s, rest.Operation{
		ID: "show-raw", Method: http.MethodPost, Path: "/{alias}/threads/{thread_id}/messages/{message_id}/raw", Need: rest.Write, Tag: "Messages",
		Summary: "What the provider sent for a message", Text: "For a closer look only: that you looked is in the audit trail.", Answer: "The payloads.",
	}, s.raw)
}

func (s *Server) counts(ctx context.Context, p *person, in *struct {
	View []string `query:"view,explode" maxItems:"20" doc:"A query of the inbox. Give it several times to have several counted."`
},
) (*rest.Reply[rest.Envelope[Counts]], error) {
	if len(in.View) > maxViews {
		return nil, fieldError(inbox.CodeInvalid, "query.view", "at most %d views are counted at once", maxViews)
	}
	box := s.open(&p.in, p.desk)
	filters := make([]inbox.Filter, len(in.View))
	for i, view := range in.View {
		var err error
		if filters[i], err = box.Filter(view); err != nil {
			return nil, fieldError(inbox.CodeInvalid, "query.view", "number %d: %s", i+1, err)
		}
	}
	if len(filters) == 0 {
		return rest.OK(Counts{Counts: []int{}}), nil
	}
	n, err := p.desk.Counts(ctx, filters)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(Counts{Counts: n}), nil
}

func (s *Server) bulk(ctx context.Context, p *person, in *struct{ Body Bulk }) (*rest.Reply[rest.Envelope[BulkResults]], error) {
	b := in.Body
	change := rest.ThreadPatch{Status: b.Status, Priority: b.Priority, Assignee: b.Assignee}
	add, err := rest.CleanLabels("body.add_labels", b.AddLabels)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	remove, err := rest.CleanLabels("body.remove_labels", b.RemoveLabels)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	var patch inbox.ThreadPatch
	if b.Status != "" || b.Priority != "" || !b.Assignee.IsZero() || len(add)+len(remove) == 0 {
		if patch, err = change.Patch(); err != nil {
			return nil, fieldError(inbox.CodeInvalid, "body", "nothing to change: give at least one of status, priority, assignee, add_labels and remove_labels")
		}
	}
	if len(add)+len(remove) > 0 {
		patch.Relabel = &inbox.Relabel{Add: add, Remove: remove}
	}
	box := s.open(&p.in, p.desk)
	results := make([]BulkResult, len(b.ThreadIDs))
	for i, id := range b.ThreadIDs {
		results[i] = BulkResult{ThreadID: id}
		t, err := bulkOne(ctx, p, id, patch)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			info := rest.AsError(err).Info
			results[i].Error = &info
			continue
		}
		shown := box.ShowThread(t)
		results[i].OK, results[i].Thread = true, &shown
	}
	return rest.OK(BulkResults{Results: results}), nil
}

func bulkOne(ctx context.Context, p *person, text string, patch inbox.ThreadPatch) (t inbox.ThreadView, err error) {
	id, err := threadID(text)
	if err != nil {
		return t, err
	}
	if patch.Relabel != nil && len(patch.Relabel.Add) > 0 {
		if t, err = p.desk.Thread(ctx, id); err != nil {
			return t, err //nolint:wrapcheck // says what to do
		}
		labels := slices.Concat(slices.DeleteFunc(t.Labels, func(l string) bool { return slices.Contains(patch.Relabel.Remove, l) }), patch.Relabel.Add)
		slices.Sort(labels)
		if n := len(slices.Compact(labels)); n > rest.MaxLabels {
			return t, inbox.Errorf(inbox.CodeUnprocessed, "a thread has at most %d labels: this one would have %d", rest.MaxLabels, n)
		}
	}
	return p.desk.UpdateThread(ctx, id, patch, p.Actor()) //nolint:wrapcheck // says what to do
}

func threadID(text string) (id inbox.ThreadID, err error) {
	if err := id.UnmarshalText([]byte(text)); err != nil || id.IsZero() {
		return id, rest.NoSuch("thread", err)
	}
	return id, nil
}

func (s *Server) agentsOf(ctx context.Context, p *person, _ *struct{}) (*rest.Reply[rest.Envelope[[]rest.Agent]], error) {
	if err := p.meet(ctx); err != nil {
		return nil, err
	}
	agents, err := p.desk.Agents(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	if !slices.ContainsFunc(agents, func(a inbox.Agent) bool { return a.ID == p.agent.ID }) {
		agents = append(agents, p.agent)
	}
	return rest.OK(each(agents, func(a inbox.Agent) rest.Agent {
		return rest.Agent{ID: a.ID.String(), Subject: a.Subject, Name: a.Name}
	})), nil
}

func (s *Server) labels(ctx context.Context, p *person, in *struct {
	Prefix string `query:"prefix" maxLength:"100" doc:"What the labels begin with."`
},
) (*rest.Reply[rest.Envelope[[]string]], error) {
	labels, err := p.desk.Labels(ctx, in.Prefix, maxListed)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(notNull(labels)), nil
}

func (s *Server) raw(ctx context.Context, p *person, in *struct {
	ThreadID  string `path:"thread_id" example:"soth_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	MessageID string `path:"message_id" example:"somsg_01kc0w3v2pf0bvd9m4v9wq7x5e"`
},
) (*rest.Reply[rest.Envelope[RawMessage]], error) {
	thread, err := threadID(in.ThreadID)
	if err != nil {
		return nil, err
	}
	var message inbox.MessageID
	if err := message.UnmarshalText([]byte(in.MessageID)); err != nil || message.IsZero() {
		return nil, rest.NoSuch("message", err)
	}
	select {
	case s.raws <- struct{}{}:
		defer func() { <-s.raws }()
	case <-ctx.Done():
		return nil, inbox.Errorf(inbox.CodeUnavailable, "too many payloads are being shown right now: try again")
	}
	raw, err := p.desk.RawPayloads(ctx, thread, message, p.Actor())
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(RawMessage{
		ExternalThreadID: raw.ExternalThreadID, ExternalMessageID: raw.ExternalMessageID, Payloads: each(raw.Payloads, showPayload),
	}), nil
}

func showPayload(p inbox.RawPayload) RawPayload {
	out := RawPayload{ContentType: p.ContentType, ReceivedAt: p.ReceivedAt.UTC(), Encoding: "utf-8", Body: string(p.Body)}
	if !utf8.Valid(p.Body) {
		out.Encoding, out.Body = "base64", base64.StdEncoding.EncodeToString(p.Body)
	}
	return out
}
