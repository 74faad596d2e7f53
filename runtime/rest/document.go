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

// errorResponses lists a call's answers beside its success. Errors are described once, in the components.
func (a *API) errorResponses(op Operation) map[string]*huma.Response {
	out := map[string]*huma.Response{}
	maps.Copy(out, op.Responses)
	every := a.o.Errors
	if op.Need == Nothing {
		every = []inbox.Code{inbox.CodeInvalid, inbox.CodeUnavailable}
	}
	for _, code := range slices.Concat(every, op.Errors) {
		out[strconv.Itoa(statuses[code])] = &huma.Response{Ref: responsePrefix + string(code)}
	}
	if op.Answer != "" {
		status := op.Status
		if status == 0 {
			status = http.StatusOK
		}
		out[strconv.Itoa(status)] = &huma.Response{Description: op.Answer}
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
func (a *API) schemaOf(v any) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(v), true, "")
}

// addDocument adds what huma does not serve itself: the document and the page, both
// made when they are first asked for.
func (a *API) addDocument() {
	a.schemaOf(Error{})
	a.openAnswers(a.huma.OpenAPI())
	a.document = sync.OnceValue(a.makeDocument)
	a.page = sync.OnceValue(a.makePage)
	serve := func(path, contentType, csp string, content func() []byte) {
		a.routes["GET "+a.o.Path+path] = a.o.Labels + path
		a.mux.HandleFunc("GET "+a.o.Path+path, func(w http.ResponseWriter, _ *http.Request) {
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
func (a *API) openAnswers(doc *huma.OpenAPI) {
	sent := map[string]bool{}
	for _, item := range doc.Paths {
		for _, op := range operations(item) {
			if op.RequestBody != nil {
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

func (a *API) makeDocument() []byte {
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
