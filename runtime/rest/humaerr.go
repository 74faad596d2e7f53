package rest

import (
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/open4x/socialops/runtime/inbox"
)

// huma keeps these two for the whole process.
func init() {
	huma.DefaultArrayNullable = false // our lists are never null
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return humaError(status, message, errs)
	}
	huma.NewErrorWithContext = func(hc huma.Context, status int, message string, errs ...error) huma.StatusError {
		e := humaError(status, message, errs)
		observed(hc.Context()).fail(e)
		return e
	}
}

// maxDetails bounds how many refused fields an error lists.
const maxDetails = 20

// humaError puts what huma found wrong with a request into our shape. huma's
// details repeat the values that they are about; ours do not.
func humaError(status int, message string, errs []error) *Error {
	switch status {
	case http.StatusUnsupportedMediaType:
		return mediaError()
	case http.StatusRequestEntityTooLarge:
		return tooLarge(maxBody - 1)
	case http.StatusRequestTimeout:
		return Failure(inbox.CodeInvalid, "the body came too slowly: send it again")
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
	default:
		return AsError(errors.Join(append([]error{errors.New(message)}, errs...)...))
	}
	var fields []FieldError
	for _, err := range errs {
		d, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			fields = append(fields, FieldError{Message: err.Error()})
			continue
		}
		if strings.HasPrefix(d.Message, huma.ErrUnknownContentType.Error()) {
			return mediaError()
		}
		fields = append(fields, FieldError{Location: clip(d.Location), Message: d.Message})
		if len(fields) == maxDetails {
			break
		}
	}
	if len(fields) == 0 {
		return Failure(inbox.CodeInvalid, message+": send a JSON object")
	}
	first := fields[0]
	if first.Location == "body" && status == http.StatusBadRequest {
		first.Message = "is not valid JSON: " + first.Message
		fields[0] = first
	}
	e := Failure(inbox.CodeInvalid, strings.TrimPrefix(first.Location+": "+first.Message, ": "))
	e.Info.Details = fields
	return e
}

func mediaError() *Error {
	return Failure(codeMediaType, "the body must be JSON: add the header Content-Type: application/json")
}
