package runtime

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A server that drains ends connections with an answer, never between two.
func TestClosing(t *testing.T) {
	t.Parallel()
	handler := &closing{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "answer") })}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	closes := func() bool {
		resp, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "answer" {
			t.Fatalf("%q, %v", body, err)
		}
		return resp.Close
	}
	if closes() {
		t.Error("connections are closed while the server serves")
	}
	handler.told.Store(true)
	if !closes() {
		t.Error("connections are kept while the server drains")
	}
}
