package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

const maxName = 60 // characters

// CannedText is a text that agents answer with again and again.
type CannedText struct {
	ID        string    `json:"id" example:"socan_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	Name      string    `json:"name"`
	Text      string    `json:"text"`
	UpdatedAt time.Time `json:"updated_at"`
}

// PutCannedText is what a canned text is to be.
type PutCannedText struct {
	Name string `json:"name" minLength:"1" maxLength:"60" example:"Refund policy" doc:"Unique in the inbox."`
	Text string `json:"text" minLength:"1" maxLength:"65536" doc:"At most 65536 bytes of UTF-8."`
}

// SavedView is a filter with a name.
type SavedView struct {
	ID     string `json:"id" example:"soview_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	Name   string `json:"name"`
	Query  string `json:"query" example:"status=open&assignee=none"`
	Shared bool   `json:"shared" doc:"Whether every agent of the inbox sees it."`
	Mine   bool   `json:"mine" doc:"Whether you made it, and may change it."`
}

// PutSavedView is what a view is to be.
type PutSavedView struct {
	Name   string `json:"name" minLength:"1" maxLength:"60" example:"Unassigned"`
	Query  string `json:"query" maxLength:"1000" example:"status=open&assignee=none" doc:"A filter of the inbox, as its query has it."`
	Shared bool   `json:"shared,omitempty" doc:"Show it to every agent of the inbox; needs service:manage."`
}

// Removed is what was removed.
type Removed struct {
	ID string `json:"id"`
}

// CannedPath is a canned text that a call is about.
type CannedPath struct {
	ID string `path:"canned_id" example:"socan_01kc0w3v2pf0bvd9m4v9wq7x5e"`
}

// ViewPath is a view that a call is about.
type ViewPath struct {
	ID string `path:"view_id" example:"soview_01kc0w3v2pf0bvd9m4v9wq7x5e"`
}

func (s *Server) addTexts() {
	text := PutCannedText{Name: "Refund policy", Text: "We refund within 14 days."}
	handle(s, rest.Operation{
		ID: "list-canned-texts", Method: http.MethodGet, Path: "/{alias}/canned", Need: rest.Read, Tag: "Texts",
		Summary: "Canned texts", Text: "By name.", Answer: "The texts.",
	}, s.cannedTexts)
	handle(s, rest.Operation{
		ID: "create-canned-text", Method: http.MethodPost, Path: "/{alias}/canned", Need: rest.Write, Tag: "Texts",
		Summary: "Add a canned text", Status: http.StatusCreated, Answer: "The text.", Errors: []inbox.Code{inbox.CodeConflict}, Example: text,
	}, func(ctx context.Context, p *person, in *struct{ Body PutCannedText }) (*rest.Reply[rest.Envelope[CannedText]], error) {
		return s.putCannedText(ctx, p, inbox.NewID[inbox.CannedTextID](s.now()), in.Body)
	})
	handle(s, rest.Operation{
		ID: "replace-canned-text", Method: http.MethodPut, Path: "/{alias}/canned/{canned_id}", Need: rest.Write, Tag: "Texts",
		Summary: "Change a canned text", Answer: "The text.", Errors: []inbox.Code{inbox.CodeConflict}, Example: text,
	}, s.replaceCannedText)
	handle(s, rest.Operation{
		ID: "delete-canned-text", Method: http.MethodDelete, Path: "/{alias}/canned/{canned_id}", Need: rest.Write, Tag: "Texts",
		Summary: "Remove a canned text", Answer: "It is gone.",
	}, s.deleteCannedText)

	view := PutSavedView{Name: "Unassigned", Query: "status=open&assignee=none"}
	handle(s, rest.Operation{
		ID: "list-views", Method: http.MethodGet, Path: "/{alias}/views", Need: rest.Read, Tag: "Texts",
		Summary: "Saved views", Text: "Yours, and those that others share, by name.", Answer: "The views.",
	}, s.views)
	handle(s, rest.Operation{
		ID: "create-view", Method: http.MethodPost, Path: "/{alias}/views", Need: rest.Read, Tag: "Texts",
		Summary: "Save a view", Status: http.StatusCreated, Answer: "The view.", Example: view,
	}, func(ctx context.Context, p *person, in *struct{ Body PutSavedView }) (*rest.Reply[rest.Envelope[SavedView]], error) {
		return s.putView(ctx, p, inbox.NewID[inbox.SavedViewID](s.now()), in.Body)
	})
	handle(s, rest.Operation{
		ID: "replace-view", Method: http.MethodPut, Path: "/{alias}/views/{view_id}", Need: rest.Read, Tag: "Texts",
		Summary: "Change a view of yours", Answer: "The view.", Example: view,
	}, s.replaceView)
	handle(s, rest.Operation{
		ID: "delete-view", Method: http.MethodDelete, Path: "/{alias}/views/{view_id}", Need: rest.Read, Tag: "Texts",
		Summary: "Remove a view of yours", Answer: "It is gone.",
	}, s.deleteView)
}

func showCanned(c inbox.CannedText) CannedText {
	return CannedText{ID: c.ID.String(), Name: c.Name, Text: c.Text, UpdatedAt: c.UpdatedAt.UTC()}
}

func (s *Server) cannedTexts(ctx context.Context, p *person, _ *struct{}) (*rest.Reply[rest.Envelope[[]CannedText]], error) {
	texts, err := p.desk.CannedTexts(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(each(texts, showCanned)), nil
}

func (s *Server) putCannedText(ctx context.Context, p *person, id inbox.CannedTextID, in PutCannedText) (*rest.Reply[rest.Envelope[CannedText]], error) {
	name, err := givenName(in.Name)
	switch {
	case err != nil:
		return nil, err
	case strings.TrimSpace(in.Text) == "":
		return nil, fieldError(inbox.CodeInvalid, "body.text", "must not be blank")
	case len(in.Text) > inbox.MaxReplyLen:
		return nil, fieldError(inbox.CodeInvalid, "body.text", "at most %d bytes of UTF-8, this has %d", inbox.MaxReplyLen, len(in.Text))
	}
	if err := rest.PlainText("body.text", in.Text); err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	c := inbox.CannedText{ID: id, Name: name, Text: in.Text, UpdatedAt: s.now().UTC().Truncate(time.Microsecond)}
	if err := p.desk.PutCannedText(ctx, c); err != nil {
		if inbox.CodeOf(err) == inbox.CodeConflict {
			return nil, fieldError(inbox.CodeConflict, "body.name", "%s", err)
		}
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(showCanned(c)), nil
}

// givenName is a name as it is kept.
func givenName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if err := oneLine("body.name", name); err != nil {
		return "", err
	}
	if utf8.RuneCountInString(name) > maxName {
		return "", fieldError(inbox.CodeInvalid, "body.name", "at most %d characters", maxName)
	}
	return name, nil
}

func cannedID(text string) (id inbox.CannedTextID, err error) {
	if err := id.UnmarshalText([]byte(text)); err != nil || id.IsZero() {
		return id, rest.NoSuch("canned text", err)
	}
	return id, nil
}

func (s *Server) replaceCannedText(ctx context.Context, p *person, in *struct {
	CannedPath
	Body PutCannedText
},
) (*rest.Reply[rest.Envelope[CannedText]], error) {
	id, err := cannedID(in.ID)
	if err != nil {
		return nil, err
	}
	texts, err := p.desk.CannedTexts(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	if !slices.ContainsFunc(texts, func(c inbox.CannedText) bool { return c.ID == id }) {
		return nil, inbox.Errorf(inbox.CodeNotFound, "there is no such canned text: it was removed, or never there")
	}
	return s.putCannedText(ctx, p, id, in.Body)
}

func (s *Server) deleteCannedText(ctx context.Context, p *person, in *CannedPath) (*rest.Reply[rest.Envelope[Removed]], error) {
	id, err := cannedID(in.ID)
	if err != nil {
		return nil, err
	}
	if err := p.desk.DeleteCannedText(ctx, id); err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(Removed{ID: id.String()}), nil
}

func (p *person) showView(v inbox.SavedView) SavedView {
	return SavedView{ID: v.ID.String(), Name: v.Name, Query: v.Query, Shared: v.Shared, Mine: v.Agent == p.agent.ID}
}

func (s *Server) views(ctx context.Context, p *person, _ *struct{}) (*rest.Reply[rest.Envelope[[]SavedView]], error) {
	if err := p.meet(ctx); err != nil {
		return nil, err
	}
	views, err := p.desk.SavedViews(ctx, p.agent.ID)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(each(views, p.showView)), nil
}

func (s *Server) putView(ctx context.Context, p *person, id inbox.SavedViewID, in PutSavedView) (*rest.Reply[rest.Envelope[SavedView]], error) {
	name, err := givenName(in.Name)
	if err != nil {
		return nil, err
	}
	if in.Shared && !p.may(rest.Write) {
		return nil, lacks(PermissionManage)
	}
	query := strings.TrimPrefix(strings.TrimSpace(in.Query), "?")
	if _, err := url.ParseQuery(query); err != nil { // what it may hold is the page's matter, such as assignee=me
		return nil, fieldError(inbox.CodeInvalid, "body.query", "can't be read: write names and values percent-encoded, with & between them")
	}
	if err := p.meet(ctx); err != nil {
		return nil, err
	}
	v := inbox.SavedView{ID: id, Agent: p.agent.ID, Name: name, Query: query, Shared: in.Shared}
	if err := p.desk.PutSavedView(ctx, v); err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(p.showView(v)), nil
}

func viewID(text string) (id inbox.SavedViewID, err error) {
	if err := id.UnmarshalText([]byte(text)); err != nil || id.IsZero() {
		return id, rest.NoSuch("view", err)
	}
	return id, nil
}

func (s *Server) replaceView(ctx context.Context, p *person, in *struct {
	ViewPath
	Body PutSavedView
},
) (*rest.Reply[rest.Envelope[SavedView]], error) {
	id, err := viewID(in.ID)
	if err != nil {
		return nil, err
	}
	if err := p.meet(ctx); err != nil {
		return nil, err
	}
	views, err := p.desk.SavedViews(ctx, p.agent.ID)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	if !slices.ContainsFunc(views, func(v inbox.SavedView) bool { return v.ID == id }) {
		return nil, inbox.Errorf(inbox.CodeNotFound, "there is no such view: it was removed, or is not shared with you")
	}
	return s.putView(ctx, p, id, in.Body)
}

func (s *Server) deleteView(ctx context.Context, p *person, in *ViewPath) (*rest.Reply[rest.Envelope[Removed]], error) {
	id, err := viewID(in.ID)
	if err != nil {
		return nil, err
	}
	if err := p.meet(ctx); err != nil {
		return nil, err
	}
	if err := p.desk.DeleteSavedView(ctx, id, p.agent.ID); err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(Removed{ID: id.String()}), nil
}
