package github

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"net/url"
	"reflect"
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
	// maxFormFields is how many fields are looked at for the payload, which is the
	// only one that GitHub sends.
	maxFormFields = 16
)

// read reads the payload from a body of either content type that a webhook can be
// set to.
func read(r *provider.Request) (*payload, string, error) {
	contentType := typeJSON
	if h := r.Header.Get("Content-Type"); h != "" {
		contentType, _, _ = mime.ParseMediaType(h)
	}
	body := r.Body
	switch contentType {
	case typeJSON:
	case typeForm:
		var err error
		if body, err = formPayload(r.Body); err != nil {
			return nil, "", err
		}
	default:
		return nil, "", invalid("header Content-Type: want %s or %s: choose one in the webhook's settings at GitHub", typeJSON, typeForm)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, "", invalid("the payload is empty: want the JSON object of the event")
	}
	var p *payload
	if err := json.Unmarshal(withoutNUL(body), &p); err != nil {
		return nil, "", explain(err)
	}
	if p == nil {
		return nil, "", invalid("the payload is null: want the JSON object of the event")
	}
	return p, contentType, nil
}

// formPayload finds the field payload of a form.
func formPayload(form []byte) ([]byte, error) {
	for range maxFormFields {
		field, rest, more := bytes.Cut(form, []byte{'&'})
		if value, ok := bytes.CutPrefix(field, []byte("payload=")); ok {
			text, err := url.QueryUnescape(string(value))
			if err != nil {
				return nil, invalid("form field payload: not encoded as a form: a %% is not followed by two hexadecimal digits")
			}
			return []byte(text), nil
		}
		if !more {
			break
		}
		form = rest
	}
	return nil, invalid("form field payload: missing: want the event's JSON in it, or send the JSON as %s", typeJSON)
}

// withoutNUL writes U+FFFD for each escaped U+0000, which no text column of
// Postgres takes. (JSON has no other way to write it.)
func withoutNUL(body []byte) []byte {
	if !bytes.Contains(body, []byte(`\u0000`)) {
		return body
	}
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		switch {
		case body[i] != '\\' || i+1 == len(body):
			out = append(out, body[i])
		case bytes.HasPrefix(body[i:], []byte(`\u0000`)):
			out = append(out, `\ufffd`...)
			i += len(`\u0000`) - 1
		default: // an escape, whose second byte may be a backslash
			out = append(out, body[i], body[i+1])
			i++
		}
	}
	return out
}

// explain says what is wrong with a payload, without repeating any of it.
func explain(err error) error {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return invalid("the payload is not valid JSON, or not all of it: look at byte %d", e.Offset)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		got, _, _ := strings.Cut(e.Value, " ") // after a space comes the value
		field := "the payload"
		if e.Field != "" {
			field = "field " + e.Field
		}
		return invalid("%s: want %s, got %s: send the payload as GitHub does", field, wanted(e.Type), kindOf[got])
	}
	return &inbox.Error{Code: inbox.CodeInvalid, Message: "the payload can't be read as the JSON of an event", Err: err}
}

// kindOf says encoding/json's names of kinds for a person.
var kindOf = map[string]string{
	"string": "a text", "number": "a number", "bool": "true or false", "array": "a list", "object": "an object",
}

func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Int64:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	default:
		return "an object"
	}
}
