package console_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/console"
)

// A stream shows what comes in and no ids of a provider's, ends when the token that opened it does, and the
// next one goes on where it was.
func TestStreamEndsWithItsToken(t *testing.T) {
	t.Parallel()
	a := start(t)
	follow := func(who string, headers ...string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.base+console.BasePath+"/"+a.tenant.Alias+"/events", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+who)
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("events: %s %v", resp.Status, resp.Header)
		}
		return resp
	}
	now := time.Now()
	a.people.mu.Lock()
	a.people.expires["alice r short"] = now.Add(3 * time.Second)
	a.people.mu.Unlock()
	short := follow("alice r short")
	lines := bufio.NewReader(short.Body)
	if first, err := lines.ReadString('\n'); err != nil || first != "retry: 2000\n" {
		t.Fatalf("begins with %q, %v", first, err)
	}
	where, err := lines.ReadString('\n') // the stream is open: what comes now is on it
	if err != nil {
		t.Fatal(err)
	}
	a.event(`{"event_id": "planted-1", "thread_id": "planted-2", "message_id": "planted-3", "text": "while it lasts", "user": {"id": "planted-4"}}`)
	text, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "event: message.created\n") || !strings.HasSuffix(string(text), ": what you came with has expired, connect again with a new one\n\n") {
		t.Errorf("streamed: %q", text)
	}
	if !strings.Contains(string(text), "while it lasts") || strings.Contains(string(text), "planted") {
		t.Errorf("a stream shows messages, and none of a provider's own ids: %q", text)
	}
	if lasted := time.Since(now); lasted < 3*time.Second {
		t.Errorf("ended after %s", lasted)
	}
	a.call("alice r short", http.MethodGet, "/events", "").problem(t, 401, "unauthorized")

	again := bufio.NewReader(follow("alice r", "Last-Event-ID: "+strings.TrimSpace(strings.TrimPrefix(where, "id: "))).Body)
	for {
		line, err := again.ReadString('\n')
		if err != nil {
			t.Fatal("the next stream lacks what the first one showed: ", err)
		}
		if line == "event: message.created\n" {
			return
		}
	}
}
