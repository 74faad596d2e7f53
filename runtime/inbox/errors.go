package inbox

import (
	"errors"
	"fmt"
)

// Code says what kind of failure an [Error] is; one place in runtime/rest maps it to HTTP.
type Code string

// The codes of errors.
const (
	CodeInvalid     Code = "invalid"      // the request is malformed or breaks a rule
	CodeUnproven    Code = "unauthorized" // no proof of who asks
	CodeUnpaid      Code = "unpaid"       // the balance does not cover it
	CodeForbidden   Code = "forbidden"    // known, but not allowed
	CodeNotFound    Code = "not_found"
	CodeConflict    Code = "conflict"    // the thing is not in a state that allows it
	CodeTooLarge    Code = "too_large"   // more bytes than allowed
	CodeUnprocessed Code = "unprocessed" // well-formed, but it can't be done as asked
	CodeUnavailable Code = "unavailable" // try again: nothing was wrong with the request
)

// Error is a failure with a code for machines and a message for the person who
// asked, saying what was wrong and what to do. Err keeps the detail inside.
type Error struct {
	Code    Code
	Message string
	Details any // shown as error.details; nil for none
	Err     error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Message, e.Err)
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an [Error] with a formatted message. What must not be shown goes
// into Err, not into the message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// CodeOf is the code of the first [Error] in err's chain, or "" when there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
