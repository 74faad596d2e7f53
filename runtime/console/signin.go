package console

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

// Config is what the page needs to know before anybody signed in.
type Config struct {
	Mode    string      `json:"mode" enum:"oidc,dev" doc:"How one signs in: at an issuer, or in the dev mode by asking for a session."`
	Version string      `json:"version" doc:"Of the program."`
	OIDC    *OIDCConfig `json:"oidc,omitempty"`
	Owners  []string    `json:"owners,omitempty" doc:"In the dev mode: subjects that one may sign in as."`
}

// NewSession is whom the dev mode is to take one for.
type NewSession struct {
	Subject     string   `json:"subject,omitempty" maxLength:"255" doc:"Default: the owner of the first inbox."`
	Permissions []string `json:"permissions,omitempty" maxItems:"20" nullable:"false" doc:"Default: service:read, service:manage and service:admin."`
}

// Session is a token of the dev mode.
type Session struct {
	Token       string    `json:"token"`
	ExpiresAt   time.Time `json:"expires_at"`
	Subject     string    `json:"subject"`
	Name        string    `json:"name"`
	Permissions []string  `json:"permissions"`
}

// Me is who signed in.
type Me struct {
	Subject     string   `json:"subject"`
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
}

// Instance is an inbox of the person's.
type Instance struct {
	Alias       string            `json:"alias"`
	Name        string            `json:"name" doc:"Of its manifest."`
	Namespace   string            `json:"namespace" doc:"Of its manifest."`
	Providers   []string          `json:"providers" doc:"Those that it takes messages from."`
	BillingMode inbox.BillingMode `json:"billing_mode" enum:"Off,Track,Enforce"`
	Suspended   bool              `json:"suspended"`
	Unread      int               `json:"unread" doc:"Threads that are open or pending and unread; 1001 means more than 1000."`
	CreatedAt   time.Time         `json:"created_at"`
}

func (s *Server) addSigningIn() {
	rest.Handle(s.api, rest.Operation{
		ID: "get-config", Method: http.MethodGet, Path: "/config", Tag: "Signing in",
		Summary: "How to sign in", Text: "What the page knows before anybody signed in.", Answer: "The configuration.",
	}, func(context.Context, *rest.Call, *struct{}) (*rest.Reply[rest.Envelope[Config]], error) {
		return rest.OK(s.config()), nil
	})
	rest.Handle(s.api, rest.Operation{
		ID: "create-session", Method: http.MethodPost, Path: "/session", Tag: "Signing in",
		Summary: "Sign in to the dev mode", Text: "Only the dev mode signs people in by itself, and only those who are at its own address.",
		Status: http.StatusCreated, Answer: "The session.", Errors: []inbox.Code{inbox.CodeForbidden, inbox.CodeNotFound},
		Example: map[string]any{"subject": "alice", "permissions": []string{PermissionRead}},
	}, s.session)
	handle(s, rest.Operation{
		ID: "get-me", Method: http.MethodGet, Path: "/me", Need: rest.Read, Tag: "Signing in",
		Summary: "Who signed in", Answer: "The person.",
	}, func(_ context.Context, p *person, _ *struct{}) (*rest.Reply[rest.Envelope[Me]], error) {
		return rest.OK(Me{Subject: p.Subject, Name: p.name(), Permissions: notNull(p.Permissions)}), nil
	})
	handle(s, rest.Operation{
		ID: "list-instances", Method: http.MethodGet, Path: "/instances", Need: rest.Read, Tag: "Signing in",
		Summary: "Your inboxes", Text: "Those that are in force and yours, by alias.", Answer: "The inboxes.",
	}, s.instances)
}

func (s *Server) config() Config {
	c := Config{Mode: "oidc", Version: s.Version, OIDC: s.OIDC}
	if s.Sessions != nil {
		c.Mode, c.Owners = "dev", s.Sessions.Owners()
	}
	return c
}

// name is what to call the person.
func (p *person) name() string {
	if p.User.Name != "" {
		return p.User.Name
	}
	return p.Subject
}

func (s *Server) session(_ context.Context, _ *rest.Call, in *struct {
	Site string `header:"Sec-Fetch-Site" hidden:"true"`
	Body *NewSession
},
) (*rest.Reply[rest.Envelope[Session]], error) {
	if s.Sessions == nil {
		return nil, inbox.Errorf(inbox.CodeNotFound, "only the dev mode signs people in by itself: sign in at the issuer that %s/config names", BasePath)
	}
	if in.Site != "" && in.Site != "same-origin" && in.Site != "none" {
		return nil, inbox.Errorf(inbox.CodeForbidden, "another site's page may not sign in here: open the console itself")
	}
	if in.Body == nil {
		in.Body = &NewSession{}
	}
	subject, permissions := in.Body.Subject, in.Body.Permissions
	if owners := s.Sessions.Owners(); subject == "" && len(owners) > 0 {
		subject = owners[0]
	}
	if subject == "" {
		return nil, inbox.Errorf(inbox.CodeNotFound, "there is no inbox yet whose owner one could be: add a SocialOpsInstance, or name a subject")
	}
	if permissions == nil {
		permissions = []string{PermissionRead, PermissionManage, s.AdminPermission}
	}
	token, user, err := s.Sessions.Issue(subject, permissions)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(Session{
		Token: token, ExpiresAt: user.Expires.UTC(), Subject: user.Subject, Name: (&person{User: user}).name(), Permissions: notNull(user.Permissions),
	}), nil
}

func (s *Server) instances(ctx context.Context, p *person, _ *struct{}) (*rest.Reply[rest.Envelope[[]Instance]], error) {
	owned, err := s.Desks.Owned(ctx, p.Subject)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(each(owned, func(in inbox.OwnedInstance) Instance {
		return Instance{
			Alias: in.Alias, Name: in.Name, Namespace: in.Namespace, Providers: notNull(in.Providers), BillingMode: in.BillingMode,
			Suspended: in.Suspended, Unread: in.Unread, CreatedAt: in.CreatedAt.UTC(),
		}
	})), nil
}

// each shows every item of a list, which is never null.
func each[T, Out any](items []T, show func(T) Out) []Out {
	out := make([]Out, len(items))
	for i, item := range items {
		out[i] = show(item)
	}
	return out
}

func notNull[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return slices.Clone(list)
}
