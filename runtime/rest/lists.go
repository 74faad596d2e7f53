package rest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
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

// CursorInput is how a caller walks a list that has no numbered pages.
type CursorInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"Most items on the page."`
	Cursor string `query:"cursor" maxLength:"500" doc:"next_cursor of the page before. The filters must be the same."`
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

func (a *API) addLists() {
	const filters = "Filters narrow the list together. Pages are walked by cursor: give next_cursor of one page to get the next."
	inboxCall(a, Operation{
		ID: "list-inbox", Method: http.MethodGet, Path: "/inbox", Need: Read, Tag: "Threads",
		Summary: "What needs attention",
		Text: "Threads with who wrote, the last message and the unread count, by last activity, newest first. Without status: open and pending ones. " +
			"It is a live view: no page repeats a thread, and a thread that moves up while pages are walked is found at the top. " + filters,
		Answer: "A page of the inbox.",
	}, (*Inbox).listInbox)
	inboxCall(a, Operation{
		ID: "list-threads", Method: http.MethodGet, Path: "/threads", Need: Read, Tag: "Threads",
		Summary: "All threads",
		Text:    "Every thread of any status, by id, newest first: complete, whatever happens while pages are walked. " + filters,
		Answer:  "A page of threads.",
	}, (*Inbox).listThreads)
	inboxCall(a, Operation{
		ID: "list-messages", Method: http.MethodGet, Path: "/threads/{thread_id}/messages", Need: Read, Tag: "Messages",
		Summary: "A thread's messages",
		Text: "Oldest first, or with order=newest the other way round. Replies carry their delivery; notes are internal and never leave. " +
			"Raw payloads of providers are kept for audit and are not shown.",
		Answer: "A page of messages.", Errors: []inbox.Code{inbox.CodeNotFound},
	}, (*Inbox).listMessages)
}

func (b *Inbox) listInbox(ctx context.Context, _ Caller, in *threadsInput) (*Reply[List[InboxThread]], error) {
	f, err := b.filter(in)
	if err != nil {
		return nil, err
	}
	if len(f.Statuses) == 0 {
		f.Statuses = []inbox.Status{inbox.Open, inbox.Pending}
	}
	w, err := b.walk(listInbox, "", f, in.PageInput)
	if err != nil {
		return nil, err
	}
	threads, err := b.store.Inbox(ctx, f, w.Page)
	if err != nil {
		return nil, err
	}
	return paged(w, threads, b.ShowThread, func(t inbox.ThreadView) inbox.Position {
		return inbox.Position{At: t.LastActivityAt, ID: t.ID}
	}), nil
}

func (b *Inbox) listThreads(ctx context.Context, _ Caller, in *threadsInput) (*Reply[List[Thread]], error) {
	f, err := b.filter(in)
	if err != nil {
		return nil, err
	}
	w, err := b.walk(listThreads, "", f, in.PageInput)
	if err != nil {
		return nil, err
	}
	threads, err := b.store.Threads(ctx, f, w.Page)
	if err != nil {
		return nil, err
	}
	return paged(w, threads, newThread, func(t inbox.Thread) inbox.Position { return inbox.Position{ID: t.ID} }), nil
}

func (b *Inbox) listMessages(ctx context.Context, _ Caller, in *struct {
	ThreadPath
	Order string `query:"order" enum:"oldest,newest" default:"oldest" doc:"newest walks back from the end. A cursor keeps to the order that it came with."`
	PageInput
},
) (*Reply[List[Message]], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	kind := listMessages
	if in.Order == "newest" {
		kind = listNewest
	}
	w, err := b.walk(kind, id.String(), inbox.Filter{}, in.PageInput)
	if err != nil {
		return nil, err
	}
	w.Newest = kind == listNewest
	messages, err := b.store.Messages(ctx, id, w.Page)
	if err != nil {
		return nil, err
	}
	return paged(w, messages, b.newMessage, func(m inbox.Message) inbox.Position { return inbox.Position{Seq: m.Seq} }), nil
}

// filter is what the caller asked for, checked.
func (b *Inbox) filter(in *threadsInput) (inbox.Filter, error) {
	f := inbox.Filter{
		Statuses: in.Status, Priority: in.Priority, Provider: in.Provider, Assignee: in.Assignee,
		Label: strings.TrimSpace(in.Label), Query: strings.TrimSpace(in.Q),
	}
	if f.Provider != "" && b.providers[f.Provider] == nil {
		return f, inbox.Errorf(inbox.CodeInvalid, "query.provider: unknown: want one of %s", strings.Join(b.providers.Names(), ", "))
	}
	if subject, named := strings.CutPrefix(f.Assignee, "sub:"); f.Assignee != "" && f.Assignee != "none" && (!named || subject == "") {
		var agent inbox.AgentID
		if agent.UnmarshalText([]byte(f.Assignee)) != nil {
			return f, inbox.Errorf(inbox.CodeInvalid, "query.assignee: want an agent's id (soag_…), sub: and an OIDC subject, or none")
		}
	}
	return f, nil
}

// Filter reads a filter of the inbox from a query's text, as list-inbox takes it.
func (b *Inbox) Filter(query string) (inbox.Filter, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return inbox.Filter{}, inbox.Errorf(inbox.CodeInvalid, "the query can't be read: write names and values percent-encoded, with & between them")
	}
	var in threadsInput
	for name, given := range values {
		v := given[0]
		if len(given) > 1 || unreadable(v) || len(v) > 500 {
			return inbox.Filter{}, inbox.Errorf(inbox.CodeInvalid, "%s: give it once, as at most 500 bytes of UTF-8", clip(name))
		}
		switch name {
		case "status":
			for one := range strings.SplitSeq(v, ",") {
				if s := inbox.Status(one); s.Valid() {
					in.Status = append(in.Status, s)
				} else if v != "" {
					return inbox.Filter{}, inbox.Errorf(inbox.CodeInvalid, "status: unknown: want one or several of open, pending, resolved and archived, with commas between")
				}
			}
		case "priority":
			if in.Priority = inbox.Priority(v); v != "" && !in.Priority.Valid() {
				return inbox.Filter{}, inbox.Errorf(inbox.CodeInvalid, "priority: unknown: want low, normal, high or urgent")
			}
		case "provider":
			in.Provider = v
		case "q":
			in.Q = v
		case "assignee":
			in.Assignee = v
		case "label":
			in.Label = v
		default:
			return inbox.Filter{}, inbox.Errorf(inbox.CodeInvalid, "%s: unknown: a filter has status, priority, provider, q, assignee and label", clip(name))
		}
	}
	f, err := b.filter(&in)
	if len(f.Statuses) == 0 {
		f.Statuses = []inbox.Status{inbox.Open, inbox.Pending}
	}
	return f, err
}

// Walk is one step through a list.
type Walk struct {
	inbox.Page        // asks for one item more than is shown, which tells whether there is more
	Text       string // the rest of Page.After, of a list whose items are told apart by text
	kind       ListKind
	query      [8]byte
	limit      int
	n          int
}

// NewWalk is a step through a list by cursor. parts are what else the list goes by:
// a cursor is good for the same ones only.
func (b *Inbox) NewWalk(kind ListKind, in CursorInput, parts ...string) (Walk, error) {
	return newWalk(kind, queryHash(b.alias, kind, strings.Join(parts, "\x00"), inbox.Filter{}), PageInput{1, in.Limit, in.Cursor})
}

func (b *Inbox) walk(kind ListKind, parent string, f inbox.Filter, in PageInput) (Walk, error) {
	return newWalk(kind, queryHash(b.alias, kind, parent, f), in)
}

func newWalk(kind ListKind, query [8]byte, in PageInput) (Walk, error) {
	w := Walk{kind: kind, query: query, limit: in.Limit, n: in.Page}
	w.Limit = in.Limit + 1
	if in.Cursor != "" {
		if in.Page > 1 {
			return w, inbox.Errorf(inbox.CodeInvalid, "query.page: a cursor knows its page: give page or cursor")
		}
		c, err := parseCursor(in.Cursor, kind, w.query)
		if err != nil {
			return w, err
		}
		w.After, w.Text, w.n = &c.at, c.text, int(c.page)
		return w, nil
	}
	if in.Page-1 > inbox.MaxOffset/in.Limit {
		return w, inbox.Errorf(inbox.CodeInvalid, "query.page: reaches at most %d items deep: walk on with cursor, from next_cursor of the page before", inbox.MaxOffset)
	}
	w.Offset = (in.Page - 1) * in.Limit
	return w, nil
}

// Paged cuts the item too many off and makes the answer. place is where the page after an item begins.
func Paged[T, Out any](w Walk, items []T, show func(T) Out, place func(T) (inbox.Position, string)) *Reply[List[Out]] {
	p := Pagination{Page: w.n, Limit: w.limit}
	if p.HasMore = len(items) > w.limit; p.HasMore {
		items = items[:w.limit]
		c := cursor{kind: w.kind, query: w.query, page: uint32(w.n) + 1} //nolint:gosec // a page is bounded by the offset, a cursor's by its own 32 bits
		c.at, c.text = place(items[len(items)-1])
		next := c.String()
		p.NextCursor = &next
	}
	data := make([]Out, len(items))
	for i, item := range items {
		data[i] = show(item)
	}
	return &Reply[List[Out]]{List[Out]{Success: true, Data: data, Pagination: p}}
}

func paged[T, Out any](w Walk, items []T, show func(T) Out, position func(T) inbox.Position) *Reply[List[Out]] {
	return Paged(w, items, show, func(item T) (inbox.Position, string) { return position(item), "" })
}

// ThreadPath is a thread that a call is about.
type ThreadPath struct {
	ThreadID string `path:"thread_id" example:"soth_01kc0w3v2pf0bvd9m4v9wq7x5e"`
}

func (p ThreadPath) id() (id inbox.ThreadID, err error) {
	if err := id.UnmarshalText([]byte(p.ThreadID)); err != nil || id.IsZero() {
		return id, NoSuch("thread", err)
	}
	return id, nil
}

// NoSuch answers an id that can't be one: there is nothing that has it.
func NoSuch(what string, err error) error {
	return inbox.Errorf(inbox.CodeNotFound, "there is no such %s: %s", what, fmt.Sprint(err))
}

var _ huma.StatusError = (*Error)(nil)
