package telegram

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// What never had a connection was provably not sent.
func TestDeliverUnreachable(t *testing.T) {
	t.Parallel()
	closed := func(t *testing.T) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ln.Close() }()
		return "http://" + ln.Addr().String()
	}
	silent := func(t *testing.T) string { // accepts and says nothing: TLS gets nowhere
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ln.Close() })
		return "https://" + ln.Addr().String()
	}
	untrusted := func(t *testing.T) string {
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.URL
	}
	for name, c := range map[string]struct {
		url    func(*testing.T) string
		cancel bool
		want   string
	}{
		"refused":       {closed, false, "not sent: the Bot API can't be reached: dial tcp"},
		"no TLS":        {silent, false, "not sent: the Bot API can't be reached: it took too long"},
		"untrusted":     {untrusted, false, "not sent: the Bot API can't be reached: tls: failed to verify certificate"},
		"no such host":  {func(*testing.T) string { return "http://telegram.invalid" }, false, "not sent: the Bot API can't be reached: "},
		"no URL":        {func(*testing.T) string { return "http://[::1" }, false, "not sent: the Bot API's address is no http or https URL: correct it"},
		"other scheme":  {func(*testing.T) string { return "ftp://x" }, false, "not sent: the Bot API's address is no http or https URL: correct it"},
		"no host":       {func(*testing.T) string { return "http://" }, false, "not sent: the Bot API's address is no http or https URL: correct it"},
		"already ended": {closed, true, "not sent: the call was interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := 5 * time.Second
			if name == "no TLS" {
				timeout = 100 * time.Millisecond
			}
			p := newProvider(t, nil, Options{APIURL: c.url(t), SendTimeout: timeout})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.cancel {
				cancel()
			}
			got := p.Deliver(ctx, credential, provider.Reply{ThreadExternalID: "7", Text: "x"})
			noToken(t, got.Reason)
			if got.Kind != inbox.Later || !strings.HasPrefix(got.Reason, c.want) || got.RetryAfter != 0 {
				t.Errorf("%+v, want later: %s", got, c.want)
			}
		})
	}
}

// A call that is interrupted after it had a connection may have been taken.
func TestDeliverInterrupted(t *testing.T) {
	t.Parallel()
	sim := startSim(t, botapisim.Options{})
	hang := sim.Inject(botapisim.Fault{Method: "sendMessage", Hang: true})
	p := newProvider(t, sim, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan inbox.Outcome)
	go func() { got <- p.Deliver(ctx, credential, provider.Reply{ThreadExternalID: "7", Text: "x"}) }()
	if err := hang.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	if out := <-got; out.Kind != inbox.Unknown || out.Reason != "no answer of the Bot API: the call was interrupted" {
		t.Errorf("%+v", out)
	}
	if err := sim.WaitSent(t.Context(), 1); err != nil { // it was indeed taken
		t.Fatal(err)
	}
}

// net/http repeats a request on its own when a kept connection turns out to be
// dead, but never a POST of which a byte was written.
func TestDeliverNeverRepeats(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests := make(chan int, 16)
	var served sync.WaitGroup
	t.Cleanup(func() {
		_ = ln.Close()
		served.Wait()
	})
	served.Go(func() {
		for n := 0; ; n++ {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			for i := 0; ; i++ { // the first request of a connection is answered, the second one breaks it
				buf := make([]byte, 64<<10)
				if _, err := conn.Read(buf); err != nil {
					break
				}
				requests <- n
				if i == 1 {
					break
				}
				const body = `{"ok":true,"result":{"message_id":1,"chat":{"id":7}}}`
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			}
			_ = conn.Close()
		}
	})
	p := newProvider(t, nil, Options{APIURL: "http://" + ln.Addr().String()})
	part := provider.Reply{ThreadExternalID: "7", Text: "x"}
	for i, want := range []struct {
		kind inbox.OutcomeKind
		conn int
	}{{inbox.Delivered, 0}, {inbox.Unknown, 0}, {inbox.Delivered, 1}, {inbox.Unknown, 1}} {
		got := make(chan inbox.Outcome, 1)
		go func() { got <- p.Deliver(t.Context(), credential, part) }()
		if conn := <-requests; conn != want.conn {
			t.Fatalf("send %d came by connection %d, want %d", i, conn, want.conn)
		}
		if out := <-got; out.Kind != want.kind {
			t.Fatalf("send %d: %+v, want %s", i, out, want.kind)
		}
	}
}

// A client that traces nothing proves nothing.
func TestDeliverUntraced(t *testing.T) {
	t.Parallel()
	client := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("broken at /bot" + token + "/sendMessage")
	})}
	p := newProvider(t, nil, Options{HTTPClient: client})
	got := p.Deliver(t.Context(), credential, provider.Reply{ThreadExternalID: "7", Text: "x"})
	noToken(t, got.Reason)
	if got.Kind != inbox.Unknown {
		t.Errorf("%+v", got)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestDeliverOverTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 {
			t.Errorf("came by HTTP/%d", r.ProtoMajor)
		}
		_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":3,"chat":{"id":7}}}`)
	}))
	t.Cleanup(server.Close)
	transport := newTransport(nil)
	transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
	p := newProvider(t, nil, Options{APIURL: server.URL, HTTPClient: &http.Client{Transport: transport}})
	if got := p.Deliver(t.Context(), credential, provider.Reply{ThreadExternalID: "7", Text: "x"}); got.ExternalID != "7:3" {
		t.Errorf("%+v", got)
	}
}

func BenchmarkDeliver(b *testing.B) {
	sim, err := botapisim.Start(botapisim.Options{AnyBot: true, CountOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	defer sim.Close()
	p := New(Options{APIURL: sim.URL()})
	defer p.Close()
	part := provider.Reply{ThreadExternalID: "7", ParentExternalID: "7:1", Text: "Thanks, we are checking this now."}
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if out := p.Deliver(b.Context(), credential, part); out.Kind != inbox.Delivered {
				b.Error(out)
				return
			}
		}
	})
}
