package rest

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// slow is from when on a request is worth a line in the log.
const slow = time.Second

// observation is what is told of one request, in metrics, logs and traces.
type observation struct {
	start  time.Time
	id     string
	route  string // the pattern, never the path
	code   int
	caller Caller // nil: not known
	alias  string
	inbox  *Inbox // nil: about none
	err    *Error
	stream bool // lasts as long as it lasts
	span   trace.Span
}

func (o *observation) fail(e *Error) { o.err, o.code = e, e.GetStatus() }

type observationKey struct{}

// observed is the observation of the request that ctx belongs to.
func observed(ctx context.Context) *observation {
	if o, ok := ctx.Value(observationKey{}).(*observation); ok {
		return o
	}
	return &observation{}
}

// begin opens the request's span. Webhooks and tenants are strangers: their trace is linked, not joined.
func (s *shared) begin(r *http.Request, o *observation) context.Context {
	ctx := r.Context()
	if s.tracer == nil {
		return ctx
	}
	options := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindServer), trace.WithNewRoot(),
		trace.WithAttributes(attribute.String("http.request.method", r.Method)),
	}
	if remote := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))); remote.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: remote}))
	}
	ctx, o.span = s.tracer.Start(ctx, r.Method, options...)
	return ctx
}

// end counts, logs and traces the request.
func (s *shared) end(r *http.Request, o *observation) {
	took := s.now().Sub(o.start)
	s.metrics.request(o.route, method(r.Method), o.code, took, o.stream)
	if o.span != nil {
		o.span.SetName(r.Method + " " + o.route)
		o.span.SetAttributes(attribute.String("http.route", o.route), attribute.Int("http.response.status_code", o.code), attribute.String("socialops.request_id", o.id), attribute.String("socialops.alias", o.alias))
		if o.code >= http.StatusInternalServerError {
			o.span.SetStatus(codes.Error, o.err.code())
		}
		o.span.End()
	}
	level := slog.LevelDebug
	switch {
	case o.code == http.StatusServiceUnavailable, took > slow && !o.stream:
		level = slog.LevelWarn
	case o.code >= http.StatusInternalServerError:
		level = slog.LevelError
	case o.code >= http.StatusBadRequest && s.refusals.AllowN(o.start, 1):
		level = slog.LevelInfo
	}
	ctx := r.Context()
	if !s.log.Enabled(ctx, level) {
		return
	}
	fields := make([]slog.Attr, 0, 8)
	fields = append(fields, slog.String("method", method(r.Method)), slog.String("route", o.route), slog.Int("status", o.code),
		slog.Duration("took", took), slog.String("request_id", o.id))
	if o.caller != nil {
		fields = append(fields, o.caller.Attr())
	}
	if o.err != nil {
		fields = append(fields, slog.String("code", string(o.err.Info.Code)), slog.String("message", o.err.Info.Message))
		if o.err.cause != nil {
			fields = append(fields, slog.Any("error", o.err.cause))
		}
	}
	s.log.LogAttrs(ctx, level, "request", fields...)
}

func (e *Error) code() string {
	if e == nil {
		return ""
	}
	return string(e.Info.Code)
}

// recovered answers a request whose handler panicked.
func (s *shared) recovered(w http.ResponseWriter, r *http.Request, o *observation, what any, wrote bool) {
	if err, is := what.(error); is && errors.Is(err, http.ErrAbortHandler) {
		panic(what)
	}
	s.log.ErrorContext(r.Context(), "a handler panicked", "panic", what, "request_id", o.id, "route", o.route, "stack", string(debug.Stack()))
	e := AsError(errors.New("a handler panicked"))
	o.fail(e)
	if wrote {
		s.end(r, o)
		panic(http.ErrAbortHandler) // the answer is broken off: the client must not take it for whole
	}
	e.write(w)
}

// method bounds what a caller may put into labels and logs.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, http.MethodHead, http.MethodOptions:
		return m
	}
	return "other"
}

var (
	requestCounter atomic.Uint64
	requestPrefix  = rand.Text()[:12] + "-"
)

// requestID is the caller's own id of the request when it is one, else a new one.
func requestID(h http.Header) string {
	if v := h["X-Request-Id"]; len(v) > 0 && validRequestID(v[0]) {
		return v[0]
	}
	return requestPrefix + strconv.FormatUint(requestCounter.Add(1), 36)
}

func validRequestID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == ':', c == '/', c == '+', c == '=', c == '@':
		default:
			return false
		}
	}
	return true
}
