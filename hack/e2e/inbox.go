package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// inbox is one alias's API, as a tenant's program sees it.
type inbox struct {
	http *http.Client
	base string // up to /v1/apps/socialops/ALIAS
	key  string
	// token is a person's, who has the same calls in the console.
	token string
}

func inboxAt(c *http.Client, origin, alias, key string) *inbox {
	return &inbox{http: c, base: origin + "/v1/apps/socialops/" + alias, key: key}
}

// answer is what a call got back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, bytes.TrimSpace(a.body)) }

// call makes one call. Its error is that no answer came.
func (i *inbox) call(ctx context.Context, method, path string, body any, headers ...string) (answer, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return answer{}, fmt.Errorf("encoding the body of %s %s: %w", method, path, err)
		}
		in = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, i.base+path, in)
	if err != nil {
		return answer{}, fmt.Errorf("making the call %s %s: %w", method, path, err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if i.key != "" {
		r.Header.Set("X-API-Key", i.key)
	}
	if i.token != "" {
		r.Header.Set("Authorization", "Bearer "+i.token)
	}
	for n := 0; n+1 < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	resp, err := i.http.Do(r)
	if err != nil {
		return answer{}, err //nolint:wrapcheck // says method and address
	}
	defer func() { _ = resp.Body.Close() }()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		return answer{}, fmt.Errorf("reading the answer to %s %s: %w", method, path, err)
	}
	return a, nil
}

// ask makes a call that must be answered with a status, and reads the answer into v.
func (i *inbox) ask(ctx context.Context, status int, method, path string, body, v any, headers ...string) error {
	a, err := i.call(ctx, method, path, body, headers...)
	if err != nil {
		return err
	}
	if a.status != status {
		return fmt.Errorf("%s %s: answered %s; want %d", method, path, a, status)
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		return fmt.Errorf("%s %s: reading the answer: %w", method, path, err)
	}
	return nil
}

// event is what the generic webhook takes.
type event struct {
	EventID  string         `json:"event_id,omitempty"`
	ThreadID string         `json:"thread_id,omitempty"`
	Title    string         `json:"title,omitempty"`
	Text     string         `json:"text"`
	User     map[string]any `json:"user,omitempty"`
	Labels   []string       `json:"labels,omitempty"`
}

// accepted is the webhook's answer.
type accepted struct {
	Status    string `json:"status"`
	Provider  string `json:"provider"`
	ThreadID  string `json:"thread_id"`
	MessageID string `json:"message_id"`
}

// message is the part of a message that is looked at here.
type message struct {
	ID          string `json:"id"`
	Direction   string `json:"direction"`
	MessageType string `json:"message_type"`
	Text        string `json:"text"`
	Delivery    *struct {
		Status   string `json:"status"`
		Attempts int    `json:"attempts"`
		Error    string `json:"error"`
	} `json:"delivery"`
}

type thread struct {
	ID       string `json:"id"`
	Provider string `json:"provider"`
	Status   string `json:"status"`
	Subject  string `json:"subject"`
}

// reply queues a reply.
func (i *inbox) reply(ctx context.Context, threadID, text, idempotencyKey string) (answer, error) {
	return i.call(ctx, http.MethodPost, "/threads/"+threadID+"/replies", map[string]string{"text": text}, "Idempotency-Key", idempotencyKey)
}

// threads lists every thread.
func (i *inbox) threads(ctx context.Context) ([]thread, error) {
	return list[thread](ctx, i, "/threads")
}

// messages lists every message of a thread.
func (i *inbox) messages(ctx context.Context, threadID string) ([]message, error) {
	return list[message](ctx, i, "/threads/"+threadID+"/messages")
}

// list follows a list from page to page.
func list[T any](ctx context.Context, i *inbox, path string) ([]T, error) {
	var all []T
	cursor := ""
	for {
		var page struct {
			Data       []T `json:"data"`
			Pagination struct {
				Next *string `json:"next_cursor"`
			} `json:"pagination"`
		}
		query := url.Values{"limit": {"100"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		if err := i.ask(ctx, http.StatusOK, http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if page.Pagination.Next == nil {
			return all, nil
		}
		cursor = *page.Pagination.Next
	}
}
