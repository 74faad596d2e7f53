package rest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/generic"
	"github.com/open4x/socialops/runtime/rest"
)

// instant accepts every event at once, so that what is measured is the way there.
type instant struct {
	inbox.Store
	config  inbox.Config
	receipt inbox.Receipt
}

func (s instant) Config(context.Context) (inbox.Config, error) { return s.config, nil }

func (s instant) Ingest(context.Context, inbox.ChannelID, inbox.Inbound) (inbox.Receipt, error) {
	return s.receipt, nil
}

func newInstant() instant {
	now := time.Now()
	return instant{
		config: inbox.Config{
			Instance: inbox.Instance{Alias: "support", Providers: []string{"generic-webhook", "telegram", "github"}, BodyLimit: 25 << 20},
			Channels: []inbox.Channel{{ID: inbox.NewID[inbox.ChannelID](now), Provider: "generic-webhook", Active: true, Default: true}},
			Keys:     []inbox.Key{{ID: inbox.NewID[inbox.KeyID](now), Hash: sha256.Sum256([]byte("sk_bench")), Scopes: []string{inbox.ScopeWrite}}},
		},
		receipt: inbox.Receipt{ThreadID: inbox.NewID[inbox.ThreadID](now), MessageID: inbox.NewID[inbox.MessageID](now)},
	}
}

var (
	benchProviders = provider.NewRegistry(generic.New())
	discard        = slog.New(slog.DiscardHandler)
)

const specEvent = `{"event_id": "evt_1001", "thread_id": "incident_42", "title": "Incident opened", "text": "API latency is high", "user": {"id": "monitor"}, "labels": ["ops", "urgent"]}`

// BenchmarkWebhook measures the handler alone.
func BenchmarkWebhook(b *testing.B) {
	s := rest.New(rest.Options{Alias: "support", Store: newInstant(), Providers: benchProviders, Log: discard})
	defer s.Close()
	h := s.Handler()
	body := bytes.NewReader([]byte(specEvent))
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/v1/apps/socialops/support/webhook/generic-webhook", nil)
	r.Header.Set("X-API-Key", "sk_bench")
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = int64(len(specEvent))
	r.Body = io.NopCloser(body)
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		body.Reset([]byte(specEvent))
		w.Body.Reset()
		clear(w.Header())
		h.ServeHTTP(w, r)
	}
	if w.Code != http.StatusAccepted {
		b.Fatalf("%d %s", w.Code, w.Body)
	}
}

// BenchmarkWebhookServer measures the way over a kept-alive connection each, with
// the client's part in it.
func BenchmarkWebhookServer(b *testing.B) {
	s := rest.New(rest.Options{Alias: "support", Store: newInstant(), Providers: benchProviders, Log: discard})
	defer s.Close()
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	call := []byte(fmt.Sprintf("POST /v1/apps/socialops/support/webhook/generic-webhook HTTP/1.1\r\nHost: x\r\nX-API-Key: sk_bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(specEvent), specEvent))
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		var d net.Dialer
		conn, err := d.DialContext(b.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		answer := make([]byte, 4096)
		for pb.Next() {
			if _, err := conn.Write(call); err != nil {
				b.Error(err)
				return
			}
			if n, err := conn.Read(answer); err != nil || !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 202")) {
				b.Errorf("%v %s", err, answer[:n])
				return
			}
		}
	})
}
