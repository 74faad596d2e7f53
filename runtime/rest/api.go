package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
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

	"github.com/open4x/socialops/runtime/inbox"
)

// callTimeout bounds a call other than a webhook or a stream.
const callTimeout = 30 * time.Second

// maxBody bounds the JSON body of a call: a reply of [inbox.MaxReplyLen] with every byte escaped, and its frame.
const maxBody = 6*inbox.MaxReplyLen + 4<<10

// api is all calls but the webhooks'.
type api struct {
	s        *Server
	mux      *http.ServeMux
	huma     huma.API
	routes   map[string]string // from a pattern of the mux to its label
	document func() []byte
	page     func() []byte
}

func newAPI(s *Server) *api {
	a := &api{s: s, mux: http.NewServeMux(), routes: map[string]string{}}
	format := huma.Format{Marshal: marshal, Unmarshal: json.Unmarshal}
	a.huma = humago.NewWithPrefix(a.mux, strings.TrimSuffix(s.prefix, "/"), huma.Config{
		OpenAPI:       newDocument(s.alias),
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
	})
	a.addLists()
	a.addThreads()
	a.addReplies()
	a.addAttachments()
	a.addUsage()
	a.addEvents()
	a.addDocument()
	for route, methods := range a.huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{methods.Get, methods.Post, methods.Patch} {
			if op != nil {
				a.routes[op.Method+" "+strings.TrimSuffix(s.prefix, "/")+route] = route
			}
		}
	}
	return a
}

// operation is what a call is declared with.
type operation struct {
	id, method, path string
	scope            string
	tag              string
	summary, text    string
	status           int                       // of success; 0: 200
	answer           string                    // what success means
	errors           []inbox.Code              // beside those that every call may meet
	responses        map[string]*huma.Response // beside success and errors, by status
	stream           bool                      // lasts as long as the client stays
}

// handle declares a call. f gets the caller, who has the scope, and checked input.
func handle[I, O any](a *api, op operation, f func(context.Context, *caller, *I) (*O, error)) {
	o := huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Description: op.text,
		Tags: []string{op.tag}, DefaultStatus: op.status, MaxBodyBytes: maxBody,
		Security:  []map[string][]string{{"key": {op.scope}}, {"bearer": {op.scope}}},
		Responses: errorResponses(op),
	}
	o.Middlewares = huma.Middlewares{a.authorize(op.scope), checkQuery}
	huma.Register(a.huma, o, func(ctx context.Context, in *I) (*O, error) {
		if !op.stream {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, callTimeout)
			defer cancel()
		}
		obs := observed(ctx)
		out, err := f(ctx, obs.caller, in)
		if err != nil {
			e := asError(err)
			obs.fail(e)
			return nil, e
		}
		return out, nil
	})
}

// serve finds the call. What none matches gets our errors instead of the mux's.
func (a *api) serve(w http.ResponseWriter, r *http.Request, ctx context.Context, o *observation) { //nolint:revive // the context is made for the request, after it
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
func (a *api) unmatched(handler http.Handler, r *http.Request) *Error {
	probe := &probeWriter{header: http.Header{}}
	if handler.ServeHTTP(probe, r); probe.code == http.StatusMethodNotAllowed {
		return errMethod(probe.header.Get("Allow"))
	}
	return failure(inbox.CodeNotFound, "there is nothing at this path: see "+a.s.prefix+"docs for what there is")
}

// probeWriter keeps what the mux's own error handlers would answer.
type probeWriter struct {
	header http.Header
	code   int
}

func (p *probeWriter) Header() http.Header         { return p.header }
func (p *probeWriter) WriteHeader(code int)        { p.code = code }
func (p *probeWriter) Write(b []byte) (int, error) { return len(b), nil }

// authorize lets callers with the scope in, within their rate limit.
func (a *api) authorize(scope string) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		o := observed(r.Context())
		refuse := func(err error) {
			e := asError(err)
			o.fail(e)
			e.write(w)
		}
		snap, err := a.s.settings.get(r.Context())
		if err != nil {
			refuse(err)
			return
		}
		now := a.s.now()
		who, e := snap.caller(r.Header, now)
		if e == nil {
			o.caller = who
			e = who.spend(w.Header(), now)
		}
		if e == nil {
			e = who.allow(scope)
		}
		if e == nil && snap.Instance.Suspended {
			e = errSuspended
		}
		if e != nil {
			refuse(e)
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
		e := failure(inbox.CodeInvalid, message)
		observed(r.Context()).fail(e)
		e.write(w)
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		refuse("the query can't be read: write names and values percent-encoded, with & between them")
		return
	}
	known := []string{}
	for _, p := range hc.Operation().Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
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
		case len(values) > 1:
			refuse("query." + name + ": given " + strconv.Itoa(len(values)) + " times: give it once")
			return
		case !utf8.ValidString(values[0]) || strings.ContainsRune(values[0], 0):
			refuse("query." + name + ": must be valid UTF-8 without the character U+0000")
			return
		}
	}
	next(hc)
}

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
