package botapisim

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
)

// args are a call's parameters. Nested ones are JSON, whatever the call's encoding.
type args map[string]string

const maxBody = 8 << 20

// readArgs reads parameters as the Bot API takes them: query string, form,
// multipart form or JSON.
func readArgs(r *http.Request) (args, error) {
	a := args{}
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, errors.New("can't read the request")
		}
		var fields map[string]json.RawMessage
		if len(body) > 0 && json.Unmarshal(body, &fields) != nil {
			return nil, errors.New("can't parse JSON object")
		}
		for k, v := range fields {
			var text string
			switch {
			case len(v) > 0 && v[0] == '"':
				_ = json.Unmarshal(v, &text) // well-formed: the whole is
				a[k] = text
			case string(v) != "null":
				a[k] = string(v)
			}
		}
	}
	if kind == "multipart/form-data" {
		if err := r.ParseMultipartForm(maxBody); err != nil {
			return nil, errors.New("can't parse the form")
		}
	} else if err := r.ParseForm(); err != nil {
		return nil, errors.New("can't parse the form")
	}
	for k, v := range r.Form {
		if _, ok := a[k]; !ok && len(v) > 0 {
			a[k] = v[0]
		}
	}
	return a, nil
}

func (a args) int(key string) int64 {
	n, _ := strconv.ParseInt(a[key], 10, 64)
	return n
}

// result is what a method answers.
type result struct {
	status      int
	value       any // of ok
	description string
	retryAfter  int
	migrateTo   int64
}

func done(value any) result { return result{status: http.StatusOK, value: value} }

func failed(status int, description string) result {
	return result{status: status, description: description}
}

// body is the answer as the Bot API writes it.
func (r result) body() []byte {
	type parameters struct {
		MigrateTo  int64 `json:"migrate_to_chat_id,omitempty"`
		RetryAfter int   `json:"retry_after,omitempty"`
	}
	var v any
	if r.status == http.StatusOK {
		v = struct {
			OK          bool   `json:"ok"`
			Result      any    `json:"result"`
			Description string `json:"description,omitempty"`
		}{true, r.value, r.description}
	} else {
		f := struct {
			OK          bool        `json:"ok"`
			ErrorCode   int         `json:"error_code"`
			Description string      `json:"description"`
			Parameters  *parameters `json:"parameters,omitempty"`
		}{false, r.status, r.description, nil}
		if r.retryAfter != 0 || r.migrateTo != 0 {
			f.Parameters = &parameters{r.migrateTo, r.retryAfter}
		}
		v = f
	}
	b, err := json.Marshal(v)
	if err != nil {
		return []byte(`{"ok":false,"error_code":500,"description":"Internal Server Error"}`)
	}
	return b
}

func reply(w http.ResponseWriter, r result) {
	b := r.body()
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	if r.retryAfter != 0 {
		h.Set("Retry-After", strconv.Itoa(r.retryAfter))
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(b)
}
