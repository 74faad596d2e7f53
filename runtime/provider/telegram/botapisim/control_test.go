package botapisim

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestControl(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, ln, Options{Control: true, AnyBot: true}) }()
	base := "http://" + ln.Addr().String()
	call := func(method, path, body string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(resp.StatusCode, " ", strings.TrimSpace(string(b)))
	}
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(hook.Close)
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/sim/bots", `{"token":"5:x","username":"five_bot"}`, `200 {"token":"5:x"`},
		{"POST", "/sim/bots", `{"token":"x"}`, "400 "},
		{"POST", "/bot5:x/setWebhook", `{"url":"` + hook.URL + `"}`, `200 {"ok":true`},
		{"POST", "/sim/says", `{"token":"5:x","from":{"id":7},"text":"hi"}`, `200 {"answer":"","status":202,"update_id":700000001}`},
		{"POST", "/sim/says", `{"token":"x","from":{"id":7},"text":"hi"}`, "404 "},
		{"POST", "/bot6:y/sendMessage", `{"chat_id":7,"text":"x"}`, `200 {"ok":true`},
		{"GET", "/sim/sent?chat_id=7", "", `200 [{"bot_id":6,"chat_id":7,"message_id":1,"text":"x"`},
		{"GET", "/sim/sent?chat_id=8", "", "200 []"},
		{"GET", "/sim/stats", "", `200 {"max_per_second":{"5:x":0,"6:y":1},"refusals":0,"sent":1}`},
		{"POST", "/sim/faults", `{"method":"sendMessage","chat_id":7,"status":429,"retry_after":3}`, "200 "},
		{"POST", "/bot6:y/sendMessage", `{"chat_id":7,"text":"x"}`, `429 {"ok":false`},
		{"DELETE", "/sim/faults", "", "200 "},
		{"POST", "/bot6:y/sendMessage", `{"chat_id":7,"text":"x"}`, "200 "},
		{"POST", "/sim/faults", `{"drop_at":"never"}`, "400 "},
		{"POST", "/sim/faults", `[`, "400 "},
		{"GET", "/sim/else", "", "404 "},
	} {
		if got := call(c.method, c.path, c.body); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s %s: %s, want %s", c.method, c.path, c.body, got, c.want)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	certified := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	t.Cleanup(certified.Close)
	s := start(t, Options{TLS: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certified.TLS.Certificates}})
	resp, err := certified.Client().Get(s.URL() + "/bot" + token + "/getMe")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(s.URL(), "https://") {
		t.Errorf("%s from %s", resp.Status, s.URL())
	}
}
