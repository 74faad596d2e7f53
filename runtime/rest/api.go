package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// callTimeout bounds a call other than a webhook or a stream.
const callTimeout = 30 * time.Second

// maxBody bounds the JSON body of a call: a reply of [inbox.MaxReplyLen] with every byte escaped, and its frame.
const maxBody = 6*inbox.MaxReplyLen + 4<<10

// APIOptions are what an [API] is made of.
type APIOptions struct {
	Path  string // what all its paths begin with, without a slash at the end
	Alias string // of the one inbox that it is about; empty: its paths name the alias
	// Document begins the OpenAPI document: calls, errors and shapes are added to it.
	Document *huma.OpenAPI
	// Security is what the document says is needed for a permission.
	Security func(Permission) []map[string][]string
	// Authorize tells who calls, and which inbox the call is about. The caller may come
	// with an error, for the log.
	Authorize func(answer http.Header, r *http.Request, need Permission) (Caller, *Inbox, error)
	Errors    []inbox.Code // that any call that needs a permission may meet
	Curl      string       // how the page's examples say who calls
	Labels    string       // what the labels of routes begin with, in metrics and logs

	Providers provider.Registry
	Metrics   prometheus.Registerer // APIs of one process may share one; nil: not shown
	Tracer    trace.Tracer          // nil: no traces, at no cost
	Log       *slog.Logger          // nil: slog.Default()
	Now       func() time.Time      // nil: time.Now
}

// API is calls that are declared with [Handle], with one set of checks, one shape of
// errors and one OpenAPI document.
type API struct {
	*shared
	o        APIOptions
	mux      *http.ServeMux
	huma     huma.API
	routes   map[string]string // from a pattern of the mux to its label
	document func() []byte
	page     func() []byte
}

// NewAPI makes an API without calls. Once all are declared, [API.Finish] makes it ready.
func NewAPI(o APIOptions) *API {
	return newAPI(newShared(o.Providers, o.Metrics, o.Tracer, o.Log, o.Now), o)
}

func newAPI(s *shared, o APIOptions) *API {
	a := &API{shared: s, o: o, mux: http.NewServeMux(), routes: map[string]string{}}
	format := huma.Format{Marshal: marshal, Unmarshal: json.Unmarshal}
	o.Document.Components.Responses = documentErrors()
	a.huma = humago.NewWithPrefix(a.mux, o.Path, huma.Config{
		OpenAPI:       o.Document,
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
	})
	return a
}

// AddInbox declares the calls about conversations.
func (a *API) AddInbox() {
	a.addLists()
	a.addThreads()
	a.addReplies()
	a.addAttachments()
	a.addUsage()
	a.addEvents()
}

// Finish adds the document and the page that shows it.
func (a *API) Finish() {
	for route, item := range a.huma.OpenAPI().Paths {
		for _, op := range operations(item) {
			a.routes[op.Method+" "+a.o.Path+route] = a.o.Labels + route
		}
	}
	a.addDocument()
}

// operations are the calls of a path.
func operations(item *huma.PathItem) []*huma.Operation {
	return slices.DeleteFunc([]*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete}, func(op *huma.Operation) bool { return op == nil })
}

const aliasPath = "/{alias}"

// inboxPath is what the paths of an inbox's calls go on with, below the API's own.
func (a *API) inboxPath(alias string) string {
	if a.o.Alias != "" {
		return ""
	}
	return "/" + alias
}

// Operation is what a call is declared with.
type Operation struct {
	ID, Method, Path string
	Need             Permission
	Tag              string
	Summary, Text    string
	Status           int                       // of success; 0: 200
	Answer           string                    // what success means
	Errors           []inbox.Code              // beside those that every call may meet
	Responses        map[string]*huma.Response // beside success and errors, by status
	Example          any                       // of a body
	Stream           bool                      // lasts as long as the client stays
}

// inboxCall declares a call about an inbox.
func inboxCall[I, O any](a *API, op Operation, f func(*Inbox, context.Context, Caller, *I) (*O, error)) {
	op.Path = a.inboxPath("{alias}") + op.Path
	Handle(a, op, func(ctx context.Context, c *Call, in *I) (*O, error) { return f(c.Inbox, ctx, c.Caller, in) })
}

// Handle declares a call. f gets who calls, who has the permission, and checked input.
func Handle[I, O any](a *API, op Operation, f func(context.Context, *Call, *I) (*O, error)) {
	o := huma.Operation{
		OperationID: op.ID, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Text,
		Tags: []string{op.Tag}, DefaultStatus: op.Status, MaxBodyBytes: maxBody,
		Responses: a.errorResponses(op),
	}
	if strings.HasPrefix(op.Path, aliasPath) {
		o.Parameters = []*huma.Param{{
			Name: "alias", In: "path", Required: true, Description: "Names the inbox.", Example: "support", Schema: &huma.Schema{Type: huma.TypeString},
		}}
	}
	if op.Example != nil {
		o.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Example: op.Example}}}
	}
	o.Middlewares = huma.Middlewares{checkQuery}
	if op.Need != Nothing {
		o.Security = a.o.Security(op.Need)
		o.Middlewares = huma.Middlewares{a.authorize(op.Need), checkQuery}
	}
	huma.Register(a.huma, o, func(ctx context.Context, in *I) (*O, error) {
		if !op.Stream {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, callTimeout)
			defer cancel()
		}
		obs := observed(ctx)
		out, err := f(ctx, &Call{Caller: obs.caller, Inbox: obs.inbox}, in)
		if err != nil {
			e := AsError(err)
			obs.fail(e)
			return nil, e
		}
		return out, nil
	})
}

// ServeHTTP answers what is below the API's path.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o := a.observe(w, r)
	a.guarded(w, r, o, func(w http.ResponseWriter) { a.serve(w, r, o) })
}

// serve finds the call. What none matches gets our errors instead of the mux's.
func (a *API) serve(w http.ResponseWriter, r *http.Request, o *observation) {
	h := w.Header()
	h["Content-Security-Policy"] = apiCSP
	h["Cache-Control"] = noStore
	h["Referrer-Policy"] = noReferrer
	ctx := a.begin(r, o)
	handler, pattern := a.mux.Handler(r)
	if pattern == "" || path.Clean(r.URL.Path) != r.URL.Path {
		e := a.unmatched(handler, r)
		o.fail(e)
		e.write(w)
		return
	}
	o.route = a.routes[pattern]
	a.mux.ServeHTTP(w, r.WithContext(context.WithValue(ctx, observationKey{}, o)))
}

// unmatched tells a path that there is not from a method that it does not take.
func (a *API) unmatched(handler http.Handler, r *http.Request) *Error {
	probe := &probeWriter{header: http.Header{}}
	if handler.ServeHTTP(probe, r); probe.code == http.StatusMethodNotAllowed {
		return errMethod(probe.header.Get("Allow"))
	}
	return Failure(inbox.CodeNotFound, "there is nothing at this path: see "+a.o.Path+"/docs for what there is")
}

// probeWriter keeps what the mux's own error handlers would answer.
type probeWriter struct {
	header http.Header
	code   int
}

func (p *probeWriter) Header() http.Header         { return p.header }
func (p *probeWriter) WriteHeader(code int)        { p.code = code }
func (p *probeWriter) Write(b []byte) (int, error) { return len(b), nil }

// authorize lets callers with the permission in.
func (a *API) authorize(need Permission) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		o := observed(r.Context())
		who, about, err := a.o.Authorize(w.Header(), r, need)
		o.caller, o.inbox = who, about
		if about != nil {
			o.alias = about.alias
		}
		if err != nil {
			e := AsError(err)
			o.fail(e)
			e.write(w)
			return
		}
		next(hc)
	}
}

// checkQuery refuses parameters that the call does not know: a filter that is
// misspelt must not list everything.
func checkQuery(hc huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(hc)
	if r.URL.RawQuery == "" {
		next(hc)
		return
	}
	refuse := func(message string) {
		e := Failure(inbox.CodeInvalid, message)
		observed(r.Context()).fail(e)
		e.write(w)
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		refuse("the query can't be read: write names and values percent-encoded, with & between them")
		return
	}
	var known, lists []string
	for _, p := range hc.Operation().Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
			if p.Explode != nil && *p.Explode {
				lists = append(lists, p.Name)
			}
		}
	}
	for name, values := range query {
		switch {
		case len(known) == 0:
			refuse("this call takes no query parameters")
			return
		case !slices.Contains(known, name):
			refuse("query." + clip(name) + ": unknown: this call takes " + strings.Join(known, ", "))
			return
		case len(values) > 1 && !slices.Contains(lists, name):
			refuse("query." + name + ": given " + strconv.Itoa(len(values)) + " times: give it once")
			return
		case slices.ContainsFunc(values, unreadable):
			refuse("query." + name + ": must be valid UTF-8 without the character U+0000")
			return
		}
	}
	next(hc)
}

func unreadable(text string) bool { return !utf8.ValidString(text) || strings.ContainsRune(text, 0) }

// clip bounds what an error repeats of the caller's own words.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}

// marshal writes JSON without escaping for HTML, which no answer of ours is. A
// client that hung up is no error.
func marshal(w io.Writer, v any) error {
	if own, is := v.(interface {
		jsonAppender
		ownJSON() bool
	}); is && own.ownJSON() {
		withBuffer(func(b []byte) []byte {
			b = append(own.appendJSON(b), '\n')
			_, _ = w.Write(b)
			return b
		})
		return nil
	}
	var b bytes.Buffer
	if err := plainJSON(&b, v); err != nil {
		return err
	}
	_, _ = w.Write(b.Bytes())
	return nil
}

func plainJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
