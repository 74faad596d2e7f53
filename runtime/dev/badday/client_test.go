//go:build long && linux

package badday

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/rest"
)

// client calls one alias's API.
type client struct {
	t    testing.TB
	base string // URL of the alias, without a slash at its end
	key  string
	http *http.Client
}

// newClient is a client with as many connections as it needs.
func newClient(t testing.TB, base, key string) *client {
	transport := &http.Transport{MaxIdleConnsPerHost: 256, ResponseHeaderTimeout: patience}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{t: t, base: base, key: key, http: &http.Client{Transport: transport, Timeout: 2 * patience}}
}

// answer is what came back, read whole.
type answer struct {
	*http.Response
	body []byte
}

// send makes a call. Headers are "Name: value".
func (c *client) send(ctx context.Context, method, path string, body io.Reader, headers ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return answer{}, err
	}
	if c.key != "" {
		r.Header.Set("X-API-Key", c.key)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp, text}, err
}

// call makes a call that must be answered.
func (c *client) call(method, path, body string, headers ...string) answer {
	c.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	a, err := c.send(c.t.Context(), method, path, r, headers...)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// get reads what must be there.
func get[T any](c *client, path string) (v T) {
	c.t.Helper()
	c.call(http.MethodGet, path, "").decode(c.t, http.StatusOK, &v)
	return v
}

// event posts a generic event that must be answered with the given status.
func (c *client) event(status int, id, thread string) (a rest.WebhookAnswer) {
	c.t.Helper()
	c.call(http.MethodPost, "/webhook/generic-webhook", genericEvent(id, thread)).decode(c.t, status, &a)
	return a
}

// genericEvent is an event whose message is its id.
func genericEvent(id, thread string) string {
	return fmt.Sprintf(`{"event_id":%q,"thread_id":%q,"title":"About %s","text":%q,"user":{"id":"user-%s"},"labels":["load"]}`, id, thread, thread, id, thread)
}

func (a answer) decode(t testing.TB, status int, into any) {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: %d, want %d: %s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.body)
	}
	if err := json.NewDecoder(bytes.NewReader(a.body)).Decode(into); err != nil {
		t.Fatalf("%s %s: %v: %s", a.Request.Method, a.Request.URL, err, a.body)
	}
}

// refused is the error that an answer must be.
func (a answer) refused(t testing.TB, status int) rest.ErrorInfo {
	t.Helper()
	var e rest.Error
	a.decode(t, status, &e)
	if e.Info.Code == "" || e.Info.Message == "" {
		t.Errorf("%s %s: %s", a.Request.Method, a.Request.URL, a.body)
	}
	return e.Info
}

// until asks again and again, until what it asks for is so.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	late := time.After(patience)
	for !is() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-late:
			t.Fatalf("it has not come to be: %s", what)
		}
	}
}

var ports struct {
	sync.Mutex
	taken map[int]bool
}

// freeAddress is an address to listen on that stays free over a restart: outside
// the range from which the kernel gives out the ports of outgoing connections.
func freeAddress(t testing.TB) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.taken == nil {
		ports.taken = map[int]bool{}
	}
	for range 1000 {
		port := 10_000 + rand.IntN(20_000)
		if ports.taken[port] {
			continue
		}
		address := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		ports.taken[port] = true
		return address
	}
	t.Fatal("no port is free")
	return ""
}
