package telegram

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// api calls the Bot API over HTTP. A bot's token is part of every address, so no
// error of net/http leaves this file as it came.
type api struct {
	base    string
	client  *http.Client
	timeout time.Duration
}

// maxAnswer bounds an answer of the Bot API, in bytes.
const maxAnswer = 1 << 20

func newAPI(base string, client *http.Client, roots *x509.CertPool, timeout time.Duration) *api {
	var c http.Client
	if client != nil {
		c = *client
	} else {
		c.Transport = newTransport(roots)
	}
	// A redirect would repeat the call, token and all, at another address.
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &api{base: strings.TrimRight(base, "/"), client: &c, timeout: timeout}
}

func newTransport(roots *x509.CertPool) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	// One HTTP/1.1 connection a call in flight: an HTTP/2 connection that breaks
	// would leave the outcome of every send on it unknown at once.
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	t.MaxIdleConns = 0
	t.MaxIdleConnsPerHost = 128
	// A server that closes an idle connection just as it is used again leaves an
	// unknown outcome too: let go of it sooner than servers do (75 s is common).
	t.IdleConnTimeout = 20 * time.Second
	t.DisableCompression = true
	if roots != nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	}
	return t
}

// failure is why a call gave no result.
type failure struct {
	kind        failureKind
	status      int // what the Bot API said; for refused and slowDown
	description string
	retryAfter  time.Duration
	migrateTo   int64
	reason      string // for a person; never holds the token
}

type failureKind int

const (
	notSent  failureKind = iota + 1 // provably: there was no connection to write to
	noAnswer                        // something may have been written, and no complete answer came
	slowDown                        // 429
	refused                         // any other 4xx
)

func (f *failure) Error() string { return f.reason }

// call posts params as JSON and decodes the result into result. It returns nil or why not.
func (a *api) call(ctx context.Context, token, method string, params, result any) *failure {
	body, err := json.Marshal(params)
	if err != nil {
		return &failure{kind: notSent, reason: "the request can't be written as JSON"}
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	resp, f := a.do(ctx, http.MethodPost, token, "/bot"+token+"/"+method, body)
	if f != nil {
		return f
	}
	defer func() { _ = resp.Body.Close() }()
	return readAnswer(ctx, token, resp, result)
}

// do sends a request. Its failure is notSent only if the request asked for a
// connection and got none: from then on a byte may be out. net/http may try a
// request again on its own, yet a POST only when it wrote nothing of it
// (persistConn.shouldRetryRequest); it then asks for a connection anew.
func (a *api) do(ctx context.Context, httpMethod, token, path string, body []byte) (*http.Response, *failure) {
	var waiting atomic.Bool // for a connection
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { waiting.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { waiting.Store(false) },
	})
	req, err := http.NewRequestWithContext(ctx, httpMethod, a.base+path, bytes.NewReader(body))
	if err != nil || req.URL.Host == "" || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, &failure{kind: notSent, reason: "not sent: the Bot API's address is no http or https URL: correct it"}
	}
	if ctx.Err() != nil {
		return nil, &failure{kind: notSent, reason: "not sent: " + explain(ctx, ctx.Err(), token)}
	}
	if httpMethod == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "socialops")
	resp, err := a.client.Do(req)
	switch {
	case err == nil:
		return resp, nil
	case waiting.Load():
		return nil, &failure{kind: notSent, reason: "not sent: the Bot API can't be reached: " + explain(ctx, err, token)}
	default:
		return nil, &failure{kind: noAnswer, reason: "no answer of the Bot API: " + explain(ctx, err, token)}
	}
}

// answer is what every method of the Bot API answers.
type answer struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	ErrorCode   int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int64 `json:"retry_after"`
		MigrateTo  int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

func readAnswer(ctx context.Context, token string, resp *http.Response, result any) *failure {
	broken := func(format string, args ...any) *failure {
		return &failure{kind: noAnswer, reason: fmt.Sprintf(format, args...)}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return broken("the Bot API's answer broke off: %s", explain(ctx, err, token))
	}
	if len(body) > maxAnswer {
		return broken("the Bot API's answer is too long to read")
	}
	var a answer
	parsed := json.Unmarshal(body, &a) == nil
	status := resp.StatusCode
	switch {
	case status >= 200 && status < 300 && parsed && a.OK:
		if result != nil && len(a.Result) > 0 && json.Unmarshal(a.Result, result) != nil {
			return broken("the Bot API's answer has no result that could be read")
		}
		return nil
	case status >= 200 && status < 300 && parsed && a.ErrorCode >= 400:
		status = a.ErrorCode
	case status >= 200 && status < 300:
		return broken("the Bot API's answer is not one: it is no JSON of its kind")
	}
	if status < 400 || status >= 500 {
		return broken("the Bot API answered with status %d", status)
	}
	f := &failure{
		kind:        refused,
		status:      status,
		description: clean(a.Description, token),
		migrateTo:   a.Parameters.MigrateTo,
	}
	if f.description == "" {
		f.description = http.StatusText(status)
	}
	f.reason = fmt.Sprintf("Telegram refused it (%d): %s", status, f.description)
	if status == http.StatusTooManyRequests {
		f.kind = slowDown
		f.retryAfter = retryAfter(a.Parameters.RetryAfter, resp.Header)
		f.reason = "Telegram asked to wait: " + f.description
	}
	return f
}

func retryAfter(seconds int64, h http.Header) time.Duration {
	if seconds <= 0 {
		seconds, _ = strconv.ParseInt(h.Get("Retry-After"), 10, 64)
	}
	const most = 7 * 24 * 3600
	return time.Duration(min(max(seconds, 0), most)) * time.Second
}

// explain tells a person of a failed exchange without its address, which net/http puts into its errors.
func explain(ctx context.Context, err error, token string) string {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "it took too long"
	case errors.Is(ctx.Err(), context.Canceled):
		return "the call was interrupted"
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return clean(err.Error(), token)
}

// clean makes one short line of a text from outside, without the token in it.
func clean(text, token string) string {
	if token != "" {
		text = strings.ReplaceAll(text, token, "…")
		text = strings.ReplaceAll(text, url.QueryEscape(token), "…")
		if _, secret, ok := strings.Cut(token, ":"); ok && len(secret) >= 8 {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	const most = 200
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// botToken reads a credential. It allows only what a token may hold, so that one
// can't change the address that it becomes part of.
func botToken(secret []byte) (string, bool) {
	token := strings.TrimSpace(string(secret))
	id, rest, ok := strings.Cut(token, ":")
	if !ok || id == "" || rest == "" || len(token) > 256 {
		return "", false
	}
	for _, c := range []byte(id) {
		if c < '0' || c > '9' {
			return "", false
		}
	}
	for _, c := range []byte(rest) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return "", false
		}
	}
	return token, true
}
