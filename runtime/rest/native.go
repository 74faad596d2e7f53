package rest

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/open4x/socialops/runtime/inbox"
)

// Version is the API's, in its document. It changes with what callers can tell.
const Version = "1.0.0"

const about = `One inbox for social messages, chat channels, developer events and operational webhooks.

Calls carry an API key as ` + "`X-API-Key: sk_…`" + ` or ` + "`Authorization: Bearer sk_…`" + `. A key has the scopes socialops:read, socialops:write or both.

Answers are ` + "`{\"success\": true, \"data\": …}`" + `; webhooks answer with a status and ids. Errors are ` + "`{\"success\": false, \"error\": {\"code\", \"message\", \"details\"}}`" + ` and say what to do.

Where the inbox has a rate limit, answers carry X-RateLimit-Limit (requests a minute), X-RateLimit-Remaining and X-RateLimit-Reset (seconds since 1970 when all is there again). Every answer has an X-Request-Id, which may be chosen by the caller. Answers with Retry-After say in how many seconds to come again.`

// nativeDocument begins the OpenAPI document.
func nativeDocument(alias string) *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "SocialOps", Version: Version, Description: about, License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}},
		Servers: []*huma.Server{{
			URL: BasePath + "{alias}", Description: "The inbox.",
			Variables: map[string]*huma.ServerVariable{"alias": {Default: alias, Description: "Names the inbox."}},
		}},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"key":    {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "An API key of the inbox (sk_…)."},
				"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "sk_…", Description: "The same key as a bearer token."},
			},
		},
		Tags: []*huma.Tag{
			{Name: "Webhooks", Description: "Events come in."},
			{Name: "Threads", Description: "Conversations."},
			{Name: "Messages", Description: "What is said in them, and answers."},
			{Name: "Events", Description: "What happens, as it happens."},
			{Name: "Usage", Description: "What it costs."},
		},
	}
}

// nativeAPI is all calls of an alias but the webhooks'.
func nativeAPI(s *Server) *API {
	a := newAPI(s.shared, APIOptions{
		Path: strings.TrimSuffix(s.own.prefix, "/"), Alias: s.alias, Document: nativeDocument(s.alias), Authorize: s.authorize,
		Security: func(need Permission) []map[string][]string {
			return []map[string][]string{{"key": {scopes[need]}}, {"bearer": {scopes[need]}}}
		},
		Errors: []inbox.Code{inbox.CodeInvalid, inbox.CodeUnproven, inbox.CodeForbidden, codeRateLimited, inbox.CodeUnavailable},
		Curl:   "X-API-Key: sk_…",
	})
	a.AddInbox()
	a.huma.OpenAPI().AddOperation(webhookOperation(a))
	a.Finish()
	return a
}

// scopes are what an API key needs.
var scopes = map[Permission]string{Read: inbox.ScopeRead, Write: inbox.ScopeWrite}

// authorize lets keys with the permission's scope in, within their rate limit.
func (s *Server) authorize(answer http.Header, r *http.Request, need Permission) (Caller, *Inbox, error) {
	snap, err := s.settings.get(r.Context())
	if err != nil {
		return nil, nil, err
	}
	now := s.now()
	who, e := snap.caller(r.Header, now)
	if e != nil {
		return nil, nil, e
	}
	if e := who.spend(answer, now); e != nil {
		return who, nil, e
	}
	if e := who.allow(scopes[need]); e != nil {
		return who, nil, e
	}
	if snap.Instance.Suspended {
		return who, nil, errSuspended
	}
	return who, s.own, nil
}

func webhookOperation(a *API) *huma.Operation {
	answer := func(text string) *huma.Response {
		return &huma.Response{Description: text, Content: map[string]*huma.MediaType{"application/json": {Schema: a.schemaOf(WebhookAnswer{})}}}
	}
	names := []any{}
	for _, n := range a.providers.Names() {
		names = append(names, n)
	}
	responses := a.errorResponses(Operation{Need: Write, Errors: []inbox.Code{inbox.CodeUnpaid, inbox.CodeNotFound, inbox.CodeTooLarge, codeMediaType}})
	responses["202"] = answer("The event is stored: status is accepted.")
	responses["200"] = answer("Nothing was added: the event repeats one that was accepted (duplicate), or makes no message (ignored).")
	example := json.RawMessage(`{"event_id": "evt_1001", "thread_id": "incident_42", "title": "Incident opened", "text": "API latency is high", "user": {"id": "monitor"}, "labels": ["ops", "urgent"]}`)
	return &huma.Operation{
		OperationID: "ingest-event", Method: http.MethodPost, Path: "/webhook/{provider}", Tags: []string{"Webhooks"},
		Summary: "Take in an event",
		Description: "Where providers send their events, and where you send yours. A call needs the provider's own proof (Telegram's secret token, GitHub's signature) or an API key with the scope " +
			inbox.ScopeWrite + ". A repeat of an event gets the first one's ids and adds nothing; events of generic-webhook are told apart by event_id, or by the header Idempotency-Key.",
		Security: []map[string][]string{{"key": {inbox.ScopeWrite}}, {"bearer": {inbox.ScopeWrite}}, {}},
		Parameters: []*huma.Param{{
			Name: "provider", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString, Enum: names},
		}},
		RequestBody: &huma.RequestBody{
			Required: true, Description: "For generic-webhook a GenericEvent; for the others the provider's own payload, as it sends it.",
			Content: map[string]*huma.MediaType{"application/json": {
				Schema:  &huma.Schema{AnyOf: []*huma.Schema{a.schemaOf(GenericEvent{}), {Type: huma.TypeObject, AdditionalProperties: true}}},
				Example: example,
			}},
		},
		Responses: responses,
	}
}
