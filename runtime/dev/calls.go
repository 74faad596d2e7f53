package dev

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

func (d *demo) post(ctx context.Context, url string, body []byte, header map[string]string) (string, error) {
	a, err := d.do(ctx, http.MethodPost, url, body, header)
	if err != nil {
		return "", err
	}
	return verdict(a.status, a.body)
}

// receipt is a webhook's answer.
type receipt struct {
	Status   string
	ThreadID string `json:"thread_id"`
	Reason   string
	Error    struct{ Message string }
}

func readReceipt(status int, answer []byte) (r receipt, err error) {
	if err := json.Unmarshal(answer, &r); err != nil || status >= http.StatusMultipleChoices {
		return r, fmt.Errorf("answered %d: %s", status, r.Error.Message)
	}
	if r.Status == "ignored" {
		return r, fmt.Errorf("ignored: %s", r.Reason)
	}
	return r, nil
}

func verdict(status int, answer []byte) (string, error) {
	r, err := readReceipt(status, answer)
	return r.String(), err
}

func (r *receipt) String() string { return r.Status + " in " + r.ThreadID }

func (d *demo) get(ctx context.Context, s *stage, path string, into any) error {
	_, err := d.call(ctx, http.MethodGet, s.base+path, nil, map[string]string{"X-API-Key": s.key}, into)
	return err
}

// call makes a call that must succeed, and returns the answer's header.
func (d *demo) call(ctx context.Context, method, url string, body []byte, header map[string]string, into any) (http.Header, error) {
	a, err := d.do(ctx, method, url, body, header)
	if err != nil {
		return nil, err
	}
	if a.status >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s answered %d: %s", url, a.status, a.body)
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	return a.header, nil
}

// answer is a whole HTTP answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (d *demo) do(ctx context.Context, method, url string, body []byte, header map[string]string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("making a request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := d.client.Do(r)
	if err != nil {
		return answer{}, fmt.Errorf("calling the inbox: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return answer{}, fmt.Errorf("reading the inbox's answer: %w", err)
	}
	return answer{resp.StatusCode, resp.Header, content}, nil
}

// githubHeaders are those of a webhook call, which prove it.
func githubHeaders(secret, event, delivery string, body []byte) map[string]string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return map[string]string{
		"X-GitHub-Event": event, "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	}
}
