package console

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

// Version is the API's, in its document. It changes with what callers can tell.
const Version = "1.0.0"

const about = `What people do with their inboxes: the console's page uses these calls and no others.

Calls carry an access token as ` + "`Authorization: Bearer …`" + `. Its permissions hold service:read or service:manage, and its subject ("sub") owns the instances that it may see: another's inbox is answered as one that is not there.

Answers are ` + "`{\"success\": true, \"data\": …}`" + `. Errors are ` + "`{\"success\": false, \"error\": {\"code\", \"message\", \"details\"}}`" + ` and say what to do; where a field is to blame, details is a list of ` + "`{\"location\", \"message\"}`" + `.

Calls about conversations are those of the inbox's own API (/v1/apps/socialops/{alias}). What people change is in the audit trail.`

func (s *Server) newAPI() *rest.API {
	a := rest.NewAPI(rest.APIOptions{
		Path: BasePath, Document: document(), Authorize: s.authorize, Labels: BasePath, Curl: "Authorization: Bearer …",
		Security: func(need rest.Permission) []map[string][]string {
			return []map[string][]string{{"token": {s.permissionFor(need)}}}
		},
		Errors:    []inbox.Code{inbox.CodeInvalid, inbox.CodeUnproven, inbox.CodeForbidden, inbox.CodeUnavailable},
		Providers: s.Providers, Metrics: s.Metrics, Tracer: s.Tracer, Log: s.Log, Now: s.Now,
	})
	s.api = a
	s.addSigningIn()
	a.AddInbox()
	s.addThreads()
	s.addChannels()
	s.addKeys()
	s.addMoney()
	s.addTrail()
	s.addTexts()
	a.Finish()
	return a
}

func document() *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "SocialOps console", Version: Version, Description: about, License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}},
		Servers: []*huma.Server{{URL: BasePath, Description: "The console."}},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"token": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "An OIDC access token."},
			},
		},
		Tags: []*huma.Tag{
			{Name: "Signing in", Description: "Who you are, and which inboxes are yours."},
			{Name: "Threads", Description: "Conversations."},
			{Name: "Messages", Description: "What is said in them, and answers."},
			{Name: "Events", Description: "What happens, as it happens."},
			{Name: "Channels", Description: "Where conversations come from."},
			{Name: "Keys", Description: "What programs call the inbox with."},
			{Name: "Usage", Description: "What it costs."},
			{Name: "Audit", Description: "Who did what."},
			{Name: "Texts", Description: "What agents keep at hand."},
		},
	}
}

// handle declares a call that a person makes. f gets who it is, who has the
// permission, at the inbox that the path names.
func handle[I, O any](s *Server, op rest.Operation, f func(context.Context, *person, *I) (*O, error)) {
	if strings.HasPrefix(op.Path, "/{alias}") {
		op.Errors = append(op.Errors, inbox.CodeNotFound)
	}
	rest.Handle(s.api, op, func(ctx context.Context, c *rest.Call, in *I) (*O, error) {
		return f(ctx, c.Caller.(*person), in) //nolint:forcetypeassert // authorize makes no other
	})
}

// fieldError blames one field of the request.
func fieldError(code inbox.Code, location, format string, args ...any) *inbox.Error {
	e := inbox.Errorf(code, format, args...)
	e.Details = []rest.FieldError{{Location: location, Message: e.Message}}
	e.Message = location + ": " + e.Message
	return e
}
