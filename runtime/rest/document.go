package rest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/open4x/socialops/runtime/inbox"
)

// Version is the API's, in its document. It changes with what callers can tell.
const Version = "1.0.0"

const about = `One inbox for social messages, chat channels, developer events and operational webhooks.

Calls carry an API key as ` + "`X-API-Key: sk_…`" + ` or ` + "`Authorization: Bearer sk_…`" + `. A key has the scopes socialops:read, socialops:write or both.

Answers are ` + "`{\"success\": true, \"data\": …}`" + `; webhooks answer with a status and ids. Errors are ` + "`{\"success\": false, \"error\": {\"code\", \"message\", \"details\"}}`" + ` and say what to do.

Where the inbox has a rate limit, answers carry X-RateLimit-Limit (requests a minute), X-RateLimit-Remaining and X-RateLimit-Reset (seconds since 1970 when all is there again). Every answer has an X-Request-Id, which may be chosen by the caller. Answers with Retry-After say in how many seconds to come again.`

// newDocument begins the OpenAPI document.
func newDocument(alias string) *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "SocialOps", Version: Version, Description: about, License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}},
		Servers: []*huma.Server{{
			URL: BasePath + "{alias}", Description: "The inbox.",
			Variables: map[string]*huma.ServerVariable{"alias": {Default: alias, Description: "Names the inbox."}},
		}},
		Components: &huma.Components{
			Schemas:   huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			Responses: documentErrors(),
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

// everyCall are the errors that any call with a key may meet.
var everyCall = []inbox.Code{inbox.CodeInvalid, inbox.CodeUnproven, inbox.CodeForbidden, codeRateLimited, inbox.CodeUnavailable}

// errorResponses lists a call's answers beside its success. Errors are described once, in the components.
func errorResponses(op operation) map[string]*huma.Response {
	out := map[string]*huma.Response{}
	maps.Copy(out, op.responses)
	for _, code := range slices.Concat(everyCall, op.errors) {
		out[strconv.Itoa(statuses[code])] = &huma.Response{Ref: responsePrefix + string(code)}
	}
	if op.answer != "" {
		status := op.status
		if status == 0 {
			status = http.StatusOK
		}
		out[strconv.Itoa(status)] = &huma.Response{Description: op.answer}
	}
	return out
}

const responsePrefix = "#/components/responses/"

// documentErrors describes the answer of each code of errors.
func documentErrors() map[string]*huma.Response {
	out := map[string]*huma.Response{}
	for code, status := range statuses {
		if code == codeGone || code == codeInternal {
			continue
		}
		r := &huma.Response{
			Description: http.StatusText(status) + ": error.code is " + string(code) + ".",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Ref: "#/components/schemas/Error"}}},
		}
		if code == codeRateLimited || code == inbox.CodeUnavailable {
			r.Headers = map[string]*huma.Header{"Retry-After": {Description: "Seconds to wait.", Schema: &huma.Schema{Type: huma.TypeInteger}}}
		}
		out[string(code)] = r
	}
	return out
}

// schemaOf adds a type to the document's components.
func (a *api) schemaOf(v any) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(v), true, "")
}

// addDocument adds what huma does not serve itself: the webhook's description, the
// document and the page, both made when they are first asked for.
func (a *api) addDocument() {
	a.schemaOf(Error{})
	doc := a.huma.OpenAPI()
	doc.AddOperation(a.webhookOperation())
	a.openAnswers(doc)
	prefix := strings.TrimSuffix(a.s.prefix, "/")
	a.document = sync.OnceValue(a.makeDocument)
	a.page = sync.OnceValue(a.makePage)
	serve := func(path, contentType, csp string, content func() []byte) {
		a.routes["GET "+prefix+path] = path
		a.mux.HandleFunc("GET "+prefix+path, func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h["Content-Type"] = []string{contentType}
			h["Content-Security-Policy"] = []string{csp}
			h["Cache-Control"] = []string{"public, max-age=300"}
			_, _ = w.Write(content())
		})
	}
	serve("/openapi.json", "application/json", apiCSP[0], a.document)
	serve("/docs", "text/html; charset=utf-8", pageCSP(), a.page)
}

// openAnswers lets answers gain fields later: only what callers send is closed.
func (a *api) openAnswers(doc *huma.OpenAPI) {
	sent := map[string]bool{}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Post, item.Patch} {
			if op != nil && op.RequestBody != nil {
				sent[strings.TrimPrefix(op.RequestBody.Content["application/json"].Schema.Ref, "#/components/schemas/")] = true
			}
		}
	}
	for name, schema := range doc.Components.Schemas.Map() {
		if closed, is := schema.AdditionalProperties.(bool); is && !closed && !sent[name] {
			schema.AdditionalProperties = nil
		}
	}
}

func (a *api) webhookOperation() *huma.Operation {
	answer := func(text string) *huma.Response {
		return &huma.Response{Description: text, Content: map[string]*huma.MediaType{"application/json": {Schema: a.schemaOf(WebhookAnswer{})}}}
	}
	names := []any{}
	for _, n := range a.s.providers.Names() {
		names = append(names, n)
	}
	responses := errorResponses(operation{errors: []inbox.Code{inbox.CodeUnpaid, inbox.CodeNotFound, inbox.CodeTooLarge, codeMediaType}})
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

func (a *api) makeDocument() []byte {
	var out bytes.Buffer
	doc, err := json.Marshal(a.huma.OpenAPI())
	if err == nil {
		err = json.Indent(&out, doc, "", "  ")
	}
	if err != nil {
		panic(err) // the document is made of this program's own types, and a test reads it
	}
	out.WriteByte('\n')
	return out.Bytes()
}
