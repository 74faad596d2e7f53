package rest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// Codes of errors that only HTTP knows.
const (
	codeMethod      inbox.Code = "method_not_allowed"
	codeMediaType   inbox.Code = "unsupported_media_type"
	codeRateLimited inbox.Code = "rate_limited"
	codeInternal    inbox.Code = "internal"
	codeRemoved     inbox.Code = "gone"                  // it was there, and is kept no longer
	codeGone        inbox.Code = "client_closed_request" // nobody is left to read it: for logs and metrics
)

// statuses is the one place where codes become HTTP.
var statuses = map[inbox.Code]int{
	inbox.CodeInvalid:     http.StatusBadRequest,
	inbox.CodeUnproven:    http.StatusUnauthorized,
	inbox.CodeUnpaid:      http.StatusPaymentRequired,
	inbox.CodeForbidden:   http.StatusForbidden,
	inbox.CodeNotFound:    http.StatusNotFound,
	codeMethod:            http.StatusMethodNotAllowed,
	inbox.CodeConflict:    http.StatusConflict,
	codeRemoved:           http.StatusGone,
	inbox.CodeTooLarge:    http.StatusRequestEntityTooLarge,
	codeMediaType:         http.StatusUnsupportedMediaType,
	inbox.CodeUnprocessed: http.StatusUnprocessableEntity,
	codeRateLimited:       http.StatusTooManyRequests,
	codeGone:              499,
	codeInternal:          http.StatusInternalServerError,
	inbox.CodeUnavailable: http.StatusServiceUnavailable,
}

// Error is every answer that is not a success.
type Error struct {
	Success bool      `json:"success" enum:"false" doc:"False."`
	Info    ErrorInfo `json:"error"`

	header http.Header
	cause  error
}

// ErrorInfo says what was wrong and what to do.
type ErrorInfo struct {
	Code    inbox.Code `json:"code" example:"not_found" doc:"For programs: it does not change."`
	Message string     `json:"message" doc:"For people: what was wrong and what to do."`
	Details any        `json:"details,omitempty" doc:"More about some errors, such as the list of fields that were refused."`
}

// FieldError is one entry of an error's details when parameters or fields were refused.
type FieldError struct {
	Location string `json:"location" example:"query.limit" doc:"Where: path, query, header or body, and the name."`
	Message  string `json:"message" example:"expected number <= 100"`
}

func (e *Error) Error() string {
	if e.cause != nil {
		return e.Info.Message + ": " + e.cause.Error()
	}
	return e.Info.Message
}

func (e *Error) Unwrap() error { return e.cause }

// GetStatus is the HTTP status. It and GetHeaders are what huma asks of an error.
func (e *Error) GetStatus() int {
	if status, ok := statuses[e.Info.Code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// GetHeaders are the headers that go with the error.
func (e *Error) GetHeaders() http.Header { return e.header }

// Failure makes an Error; the message must say what to do.
func Failure(code inbox.Code, message string) *Error {
	return &Error{Info: ErrorInfo{Code: code, Message: message}}
}

// With adds a header to the answer.
func (e *Error) With(key, value string) *Error {
	if e.header == nil {
		e.header = http.Header{}
	}
	e.header.Set(key, value)
	return e
}

func (e *Error) because(cause error) *Error {
	e.cause = cause
	return e
}

func (e *Error) retryAfter(d time.Duration) *Error {
	return e.With("Retry-After", strconv.Itoa(max(1, int((d+time.Second-1)/time.Second))))
}

// retrySoon is what Retry-After says when nobody knows better.
const retrySoon = 2 * time.Second

// AsError is how any error shows itself to a caller. What is no [Error] and no
// [inbox.Error] stays inside, as the cause.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*inbox.Error](err); ok {
		out := &Error{Info: ErrorInfo{Code: e.Code, Message: e.Message, Details: e.Details}, cause: e.Err}
		if e.Code == inbox.CodeUnavailable {
			return out.retryAfter(retrySoon)
		}
		return out
	}
	switch {
	case errors.Is(err, context.Canceled):
		return Failure(codeGone, "the client hung up").because(err)
	case errors.Is(err, context.DeadlineExceeded):
		return Failure(inbox.CodeUnavailable, "this took too long and was given up: try again; what was sent may or may not have been stored").
			retryAfter(retrySoon).because(err)
	}
	return Failure(codeInternal, "something went wrong on our side: try again, and if it persists report the X-Request-Id of this answer").because(err)
}

// write sends the error.
func (e *Error) write(w http.ResponseWriter) {
	h := w.Header()
	maps.Copy(h, e.header)
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	body, err := json.Marshal(e)
	if err != nil { // details that are no JSON: they come from this program, so it is a bug, and the rest still tells
		e.Info.Details = nil
		body, _ = json.Marshal(e)
	}
	w.WriteHeader(e.GetStatus())
	_, _ = w.Write(append(body, '\n')) // a client that hung up needs no answer
}

// Header values that every answer shares; never written to.
var (
	jsonType = []string{"application/json"}
	noStore  = []string{"no-store"}
	noSniff  = []string{"nosniff"}
	apiCSP   = []string{"default-src 'none'; frame-ancestors 'none'"}

	noReferrer = []string{"no-referrer"}
)
