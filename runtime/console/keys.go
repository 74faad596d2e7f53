package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/project"
	"github.com/open4x/socialops/runtime/rest"
)

// Key is an API key, without its value.
type Key struct {
	ID        string     `json:"id" example:"sokey_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	Name      string     `json:"name"`
	Hint      string     `json:"hint" doc:"Its last letters."`
	Scopes    []string   `json:"scopes"`
	Origin    string     `json:"origin" enum:"manifest,api" doc:"Where it came from: a manifest, which alone can take it away, or a call."`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// CreatedKey is a key with its value.
type CreatedKey struct {
	Key
	Value string `json:"key" example:"sk_…" doc:"Shown this once, and kept nowhere."`
}

// NewKey is a key that is to be made.
type NewKey struct {
	Name          string   `json:"name" minLength:"1" maxLength:"63" example:"monitoring"`
	Scopes        []string `json:"scopes" minItems:"1" maxItems:"2" enum:"socialops:read,socialops:write"`
	ExpiresInDays int      `json:"expires_in_days,omitempty" minimum:"1" maximum:"3650" doc:"Left out: it does not expire."`
}

// KeyPath is a key that a call is about.
type KeyPath struct {
	KeyID string `path:"key_id" example:"sokey_01kc0w3v2pf0bvd9m4v9wq7x5e"`
}

func (s *Server) addKeys() {
	handle(s, rest.Operation{
		ID: "list-keys", Method: http.MethodGet, Path: "/{alias}/keys", Need: rest.Read, Tag: "Keys",
		Summary: "API keys", Text: "Newest first, those that have expired or were revoked included.", Answer: "The keys.",
	}, s.keys)
	handle(s, rest.Operation{
		ID: "create-key", Method: http.MethodPost, Path: "/{alias}/keys", Need: rest.Write, Tag: "Keys",
		Summary: "Make an API key", Text: "Its value is in this answer and nowhere else.", Status: http.StatusCreated, Answer: "The key.",
		Example: NewKey{Name: "monitoring", Scopes: []string{inbox.ScopeWrite}, ExpiresInDays: 90},
	}, s.createKey)
	handle(s, rest.Operation{
		ID: "revoke-key", Method: http.MethodDelete, Path: "/{alias}/keys/{key_id}", Need: rest.Write, Tag: "Keys",
		Summary: "Revoke an API key", Text: "Every runtime refuses it within 5 seconds. A key that a manifest names is a 409.", Answer: "The key as it is now.",
		Errors: []inbox.Code{inbox.CodeConflict},
	}, s.revokeKey)
}

func showKey(k inbox.Key) Key {
	return Key{
		ID: k.ID.String(), Name: k.Name, Hint: "…" + k.Hint, Scopes: slices.Sorted(slices.Values(k.Scopes)), Origin: k.Origin,
		CreatedAt: k.CreatedAt.UTC(), ExpiresAt: moment(k.ExpiresAt), RevokedAt: moment(k.RevokedAt),
	}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (s *Server) keys(ctx context.Context, p *person, _ *struct{}) (*rest.Reply[rest.Envelope[[]Key]], error) {
	keys, err := p.desk.Keys(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(each(keys, showKey)), nil
}

func (s *Server) createKey(ctx context.Context, p *person, in *struct{ Body NewKey }) (*rest.Reply[rest.Envelope[CreatedKey]], error) {
	name, now := strings.TrimSpace(in.Body.Name), s.now()
	if err := oneLine("body.name", name); err != nil {
		return nil, err
	}
	n := project.NewKey{Name: name, Scopes: in.Body.Scopes}
	if days := in.Body.ExpiresInDays; days > 0 {
		n.ExpiresAt = now.UTC().AddDate(0, 0, days).Truncate(time.Second)
	}
	value, k, err := project.MakeKey(n, now)
	if err != nil {
		return nil, fieldError(inbox.CodeInvalid, "body.name", "%s", err)
	}
	if err := p.desk.CreateKey(ctx, k, p.Actor()); err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(CreatedKey{Key: showKey(k), Value: value}), nil
}

func (s *Server) revokeKey(ctx context.Context, p *person, in *KeyPath) (*rest.Reply[rest.Envelope[Key]], error) {
	var id inbox.KeyID
	if err := id.UnmarshalText([]byte(in.KeyID)); err != nil || id.IsZero() {
		return nil, rest.NoSuch("key", err)
	}
	k, err := p.desk.RevokeKey(ctx, id, p.Actor())
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(showKey(k)), nil
}

// oneLine refuses what is no name that people can tell from another.
func oneLine(location, name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fieldError(inbox.CodeInvalid, location, "must not be blank")
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 }):
		return fieldError(inbox.CodeInvalid, location, "must be one line of text")
	}
	return nil
}
