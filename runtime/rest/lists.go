package rest

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/open4x/socialops/runtime/inbox"
)

// PageInput is how a caller walks a list.
type PageInput struct {
	Page   int    `query:"page" minimum:"1" default:"1" doc:"Number of the page, from 1. A convenience for the first pages: further on use cursor."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"Most items on the page."`
	Cursor string `query:"cursor" maxLength:"200" doc:"next_cursor of the page before. The filters must be the same."`
}

// threadsInput is how a caller narrows a list of threads.
type threadsInput struct {
	Status   []inbox.Status `query:"status" enum:"open,pending,resolved,archived" doc:"One, or several with commas between: any of them."`
	Priority inbox.Priority `query:"priority" enum:"low,normal,high,urgent"`
	Provider string         `query:"provider" maxLength:"64" example:"telegram"`
	Q        string         `query:"q" maxLength:"500" doc:"Words to be found in subject and AI summary."`
	Assignee string         `query:"assignee" maxLength:"300" doc:"An agent's id (soag_…), sub: and an OIDC subject, or none for threads that nobody takes care of."`
	Label    string         `query:"label" maxLength:"100"`
	PageInput
}

func (a *api) addLists() {
	const filters = "Filters narrow the list together. Pages are walked by cursor: give next_cursor of one page to get the next."
	handle(a, operation{
		id: "list-inbox", method: http.MethodGet, path: "/inbox", scope: inbox.ScopeRead, tag: "Threads",
		summary: "What needs attention",
		text: "Threads with who wrote, the last message and the unread count, by last activity, newest first. Without status: open and pending ones. " +
			"It is a live view: no page repeats a thread, and a thread that moves up while pages are walked is found at the top. " + filters,
		answer: "A page of the inbox.",
	}, a.s.listInbox)
	handle(a, operation{
		id: "list-threads", method: http.MethodGet, path: "/threads", scope: inbox.ScopeRead, tag: "Threads",
		summary: "All threads",
		text:    "Every thread of any status, by id, newest first: complete, whatever happens while pages are walked. " + filters,
		answer:  "A page of threads.",
	}, a.s.listThreads)
	handle(a, operation{
		id: "list-messages", method: http.MethodGet, path: "/threads/{thread_id}/messages", scope: inbox.ScopeRead, tag: "Messages",
		summary: "A thread's messages",
		text: "Oldest first. Replies carry their delivery; notes are internal and never leave. " +
			"Raw payloads of providers are kept for audit and are not shown.",
		answer: "A page of messages.", errors: []inbox.Code{inbox.CodeNotFound},
	}, a.s.listMessages)
}

func (s *Server) listInbox(ctx context.Context, _ *caller, in *threadsInput) (*reply[List[InboxThread]], error) {
	f, err := s.filter(in)
	if err != nil {
		return nil, err
	}
	if len(f.Statuses) == 0 {
		f.Statuses = []inbox.Status{inbox.Open, inbox.Pending}
	}
	w, err := s.walk(listInbox, "", f, in.PageInput)
	if err != nil {
		return nil, err
	}
	threads, err := s.store.Inbox(ctx, f, w.page)
	if err != nil {
		return nil, err
	}
	return paged(w, threads, s.newInboxThread, func(t inbox.ThreadView) inbox.Position {
		return inbox.Position{At: t.LastActivityAt, ID: t.ID}
	}), nil
}

func (s *Server) listThreads(ctx context.Context, _ *caller, in *threadsInput) (*reply[List[Thread]], error) {
	f, err := s.filter(in)
	if err != nil {
		return nil, err
	}
	w, err := s.walk(listThreads, "", f, in.PageInput)
	if err != nil {
		return nil, err
	}
	threads, err := s.store.Threads(ctx, f, w.page)
	if err != nil {
		return nil, err
	}
	return paged(w, threads, newThread, func(t inbox.Thread) inbox.Position { return inbox.Position{ID: t.ID} }), nil
}

func (s *Server) listMessages(ctx context.Context, _ *caller, in *struct {
	ThreadPath
	PageInput
},
) (*reply[List[Message]], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	w, err := s.walk(listMessages, id.String(), inbox.Filter{}, in.PageInput)
	if err != nil {
		return nil, err
	}
	messages, err := s.store.Messages(ctx, id, w.page)
	if err != nil {
		return nil, err
	}
	return paged(w, messages, s.newMessage, func(m inbox.Message) inbox.Position { return inbox.Position{Seq: m.Seq} }), nil
}

// filter is what the caller asked for, checked.
func (s *Server) filter(in *threadsInput) (inbox.Filter, error) {
	f := inbox.Filter{
		Statuses: in.Status, Priority: in.Priority, Provider: in.Provider, Assignee: in.Assignee,
		Label: strings.TrimSpace(in.Label), Query: strings.TrimSpace(in.Q),
	}
	if f.Provider != "" && s.providers[f.Provider] == nil {
		return f, inbox.Errorf(inbox.CodeInvalid, "query.provider: unknown: want one of %s", strings.Join(s.providers.Names(), ", "))
	}
	if subject, named := strings.CutPrefix(f.Assignee, "sub:"); f.Assignee != "" && f.Assignee != "none" && (!named || subject == "") {
		var agent inbox.AgentID
		if agent.UnmarshalText([]byte(f.Assignee)) != nil {
			return f, inbox.Errorf(inbox.CodeInvalid, "query.assignee: want an agent's id (soag_…), sub: and an OIDC subject, or none")
		}
	}
	return f, nil
}

// walk is one step through a list.
type walk struct {
	kind  listKind
	query [8]byte
	page  inbox.Page // asks for one item more than is shown, which tells whether there is more
	limit int
	n     int
}

func (s *Server) walk(kind listKind, parent string, f inbox.Filter, in PageInput) (walk, error) {
	w := walk{kind: kind, query: queryHash(s.alias, kind, parent, f), limit: in.Limit, n: in.Page}
	w.page.Limit = in.Limit + 1
	if in.Cursor != "" {
		if in.Page > 1 {
			return w, inbox.Errorf(inbox.CodeInvalid, "query.page: a cursor knows its page: give page or cursor")
		}
		c, err := parseCursor(in.Cursor, kind, w.query)
		if err != nil {
			return w, err
		}
		w.page.After, w.n = &c.at, int(c.page)
		return w, nil
	}
	if in.Page-1 > inbox.MaxOffset/in.Limit {
		return w, inbox.Errorf(inbox.CodeInvalid, "query.page: reaches at most %d items deep: walk on with cursor, from next_cursor of the page before", inbox.MaxOffset)
	}
	w.page.Offset = (in.Page - 1) * in.Limit
	return w, nil
}

// paged cuts the item too many off and makes the answer.
func paged[T, Out any](w walk, items []T, show func(T) Out, position func(T) inbox.Position) *reply[List[Out]] {
	p := Pagination{Page: w.n, Limit: w.limit}
	if p.HasMore = len(items) > w.limit; p.HasMore {
		items = items[:w.limit]
		next := cursor{kind: w.kind, query: w.query, page: uint32(w.n) + 1, at: position(items[len(items)-1])}.String() //nolint:gosec // a page is bounded by the offset, a cursor's by its own 32 bits
		p.NextCursor = &next
	}
	data := make([]Out, len(items))
	for i, item := range items {
		data[i] = show(item)
	}
	return &reply[List[Out]]{List[Out]{Success: true, Data: data, Pagination: p}}
}

// ThreadPath is a thread that a call is about.
type ThreadPath struct {
	ThreadID string `path:"thread_id" example:"soth_01kc0w3v2pf0bvd9m4v9wq7x5e"`
}

func (p ThreadPath) id() (id inbox.ThreadID, err error) {
	if err := id.UnmarshalText([]byte(p.ThreadID)); err != nil || id.IsZero() {
		return id, noSuch("thread", err)
	}
	return id, nil
}

// noSuch answers an id that can't be one: there is nothing that has it.
func noSuch(what string, err error) error {
	return inbox.Errorf(inbox.CodeNotFound, "there is no such %s: %s", what, fmt.Sprint(err))
}

var _ huma.StatusError = (*Error)(nil)
