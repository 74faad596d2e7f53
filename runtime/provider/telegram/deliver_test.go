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
	"testing"
	"time"

	"github.com/go-telegram/bot/models"
	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

const (
	tokenSecret = "AAF-topSecret_0123456789abcdefghijk"
	token       = "111:" + tokenSecret
)

var credential = provider.Credential{Source: "telegram:111", Secret: []byte(token)}

func startSim(t *testing.T, o botapisim.Options) *botapisim.Sim {
	t.Helper()
	o.Bots = append(o.Bots, botapisim.Bot{Token: token, Username: "support_bot", Name: "Support"})
	sim, err := botapisim.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	return sim
}

func newProvider(t *testing.T, sim *botapisim.Sim, o Options) *Provider {
	t.Helper()
	if sim != nil {
		o.APIURL = sim.URL()
	}
	p := New(o)
	t.Cleanup(p.Close)
	return p
}

// noToken fails a test whose words hold the token or its secret part.
func noToken(t *testing.T, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(w, tokenSecret) || strings.Contains(w, "AAF-") {
			t.Errorf("the token leaks: %s", w)
		}
	}
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	person := models.User{ID: 7, FirstName: "Ann"}
	for name, c := range map[string]struct {
		part   provider.Reply
		secret string
		fault  *botapisim.Fault
		before func(*botapisim.Sim)
		want   inbox.Outcome
		sent   []botapisim.Sent // but for times, bot and raw text
	}{
		"text": {
			part: provider.Reply{ThreadExternalID: "7", Text: "hi"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "hi"}},
		},
		"topic": {
			part: provider.Reply{ThreadExternalID: "-1001:9", Text: "hi"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "-1001:1"},
			sent: []botapisim.Sent{{ChatID: -1001, ThreadID: 9, MessageID: 1, Text: "hi"}},
		},
		"answer": {
			before: func(s *botapisim.Sim) { s.UserSays(token, botapisim.Private(person), person, "help") },
			part:   provider.Reply{ThreadExternalID: "7", ParentExternalID: "7:1", Text: "hi"},
			want:   inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:2"},
			sent:   []botapisim.Sent{{ChatID: 7, MessageID: 2, ReplyTo: 1, Text: "hi"}},
		},
		"answer to what is gone": {
			part: provider.Reply{ThreadExternalID: "7", ParentExternalID: "7:99", Text: "hi"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "hi"}},
		},
		"answer to another chat's": {
			before: func(s *botapisim.Sim) { s.UserSays(token, botapisim.Private(person), person, "help") },
			part:   provider.Reply{ThreadExternalID: "7", ParentExternalID: "8:1", Text: "hi"},
			want:   inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:2"},
			sent:   []botapisim.Sent{{ChatID: 7, MessageID: 2, Text: "hi"}},
		},
		"answer to a button": {
			part: provider.Reply{ThreadExternalID: "7", ParentExternalID: "callback:123", Text: "hi"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "hi"}},
		},
		"HTML": {
			part: provider.Reply{ThreadExternalID: "7", Text: "<b>1 &lt; 2</b>", ParseMode: "HTML"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "1 < 2", ParseMode: "HTML"}},
		},
		"bad HTML goes out plain": {
			part: provider.Reply{ThreadExternalID: "7", Text: "<b>1 &lt; 2<br>x", ParseMode: "HTML"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "1 < 2\nx"}},
		},
		"bad MarkdownV2 goes out plain": {
			part: provider.Reply{ThreadExternalID: "7", Text: `2\.5 is *more* than 1.5`, ParseMode: "MarkdownV2"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "2.5 is *more* than 1.5"}},
		},
		"too many entities go out plain": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "<b>x</b>", ParseMode: "HTML"},
			fault: &botapisim.Fault{Times: 1, Status: 400, Description: "Bad Request: ENTITIES_TOO_LONG"},
			want:  inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent:  []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "x"}},
		},
		"plain text is not sent twice": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 400, Description: "Bad Request: can't parse entities: x"},
			want:  inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (400): Bad Request: can't parse entities: x"},
		},
		"bad markup, then silence": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "<br>x", ParseMode: "HTML"},
			fault: &botapisim.Fault{Skip: 1, Drop: botapisim.BeforeAnswer, Effect: true},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "no answer of the Bot API: …"},
			sent:  []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "\nx"}},
		},
		"nothing but bad markup": {
			part: provider.Reply{ThreadExternalID: "7", Text: "<br>", ParseMode: "HTML"},
			want: inbox.Outcome{Kind: inbox.Refused, Reason: `Telegram refused it (400): Bad Request: can't parse entities: Unsupported start tag "br" at byte offset 0`},
		},
		"blank": {
			part: provider.Reply{ThreadExternalID: "7", Text: " \n\u200b"},
			want: inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram takes no message without text"},
		},
		"no chat": {
			part: provider.Reply{ThreadExternalID: "incident_42", Text: "x"},
			want: inbox.Outcome{Kind: inbox.Refused, Reason: "the thread is no Telegram chat"},
		},
		"no token": {
			part: provider.Reply{ThreadExternalID: "7", Text: "x"}, secret: "../evil",
			want: inbox.Outcome{Kind: inbox.Refused, Reason: "the connected account holds no bot token: put the one from @BotFather into it"},
		},
		"token with a line end": {
			part: provider.Reply{ThreadExternalID: "7", Text: "x"}, secret: token + "\n",
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "x"}},
		},
		"too long": {
			part: provider.Reply{ThreadExternalID: "7", Text: strings.Repeat("x", 4097)},
			want: inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (400): Bad Request: message is too long"},
		},
		"blocked": {
			before: func(s *botapisim.Sim) { s.UserBlocks(token, person) },
			part:   provider.Reply{ThreadExternalID: "7", Text: "x"},
			want:   inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (403): Forbidden: bot was blocked by the user"},
		},
		"revoked": {
			before: func(s *botapisim.Sim) { s.Revoke(token) },
			part:   provider.Reply{ThreadExternalID: "7", Text: "x"},
			want:   inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (401): Unauthorized: is the bot token still valid?"},
		},
		"migrated": {
			before: func(s *botapisim.Sim) {
				s.GroupMigrates(token, models.Chat{ID: -5, Type: "group", Title: "Team"}, -1005)
			},
			part: provider.Reply{ThreadExternalID: "-5", Text: "x"},
			want: inbox.Outcome{Kind: inbox.Later, MigratedTo: "-1005", Reason: "Telegram refused it (400): Bad Request: group chat was upgraded to a supergroup chat"},
		},
		"migrated with a topic": {
			part:  provider.Reply{ThreadExternalID: "-5:3", Text: "x"},
			fault: &botapisim.Fault{Status: 400, MigrateTo: -1005},
			want:  inbox.Outcome{Kind: inbox.Later, MigratedTo: "-1005:3", Reason: "Telegram refused it (400): Bad Request: group chat was upgraded to a supergroup chat"},
		},
		"slow down": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 429, RetryAfter: 17},
			want:  inbox.Outcome{Kind: inbox.Later, RetryAfter: 17 * time.Second, Reason: "Telegram asked to wait: Too Many Requests: retry after 17"},
		},
		"slow down without a word": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 429, Body: "<html>busy</html>"},
			want:  inbox.Outcome{Kind: inbox.Later, Reason: "Telegram asked to wait: Too Many Requests"},
		},
		"a proxy's refusal": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 413, Body: "<html>too large</html>"},
			want:  inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (413): Request Entity Too Large"},
		},
		"server error": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 500},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API answered with status 500"},
		},
		"bad gateway": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 502, Body: "<html></html>", Effect: true},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API answered with status 502"},
			sent:  []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "x"}},
		},
		"dropped unread": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Drop: botapisim.BeforeRead},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "no answer of the Bot API: …"},
		},
		"dropped unanswered": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Drop: botapisim.BeforeAnswer, Effect: true},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "no answer of the Bot API: …"},
			sent:  []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "x"}},
		},
		"dropped in the answer": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Drop: botapisim.MidAnswer, Effect: true},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API's answer broke off: unexpected EOF"},
			sent:  []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "x"}},
		},
		"hangs": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Hang: true, Status: 500},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "no answer of the Bot API: it took too long"},
		},
		"answer of no kind": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Body: "<html>hello</html>"},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API's answer is not one: it is no JSON of its kind"},
		},
		"cut JSON": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Body: `{"ok":true,"result":{"message_id":5`},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API's answer is not one: it is no JSON of its kind"},
		},
		"endless answer": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Body: strings.Repeat("x", maxAnswer+1)},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API's answer is too long to read"},
		},
		"redirect is not followed": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 307, Body: "{}"},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API answered with status 307"},
		},
		"said in the body only": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Body: `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 3","parameters":{"retry_after":3}}`},
			want:  inbox.Outcome{Kind: inbox.Later, RetryAfter: 3 * time.Second, Reason: "Telegram asked to wait: Too Many Requests: retry after 3"},
		},
		"scheduled: no id yet": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Body: `{"ok":true,"result":{"message_id":0,"chat":{"id":7}}}`},
			want:  inbox.Outcome{Kind: inbox.Delivered},
		},
		"ok without a result": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Body: `{"ok":true}`},
			want:  inbox.Outcome{Kind: inbox.Delivered},
		},
		"the token comes back": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 400, Description: "Bad Request: no\nmethod /bot" + token + "/ or " + tokenSecret},
			want:  inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (400): Bad Request: no method /bot…/ or …"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, botapisim.Options{})
			timeout := 5 * time.Second
			if c.fault != nil {
				c.fault.Method = "sendMessage"
				sim.Inject(*c.fault)
				if c.fault.Hang {
					timeout = 100 * time.Millisecond
				}
			}
			if c.before != nil {
				c.before(sim)
			}
			p := newProvider(t, sim, Options{SendTimeout: timeout})
			if c.secret == "" {
				c.secret = token
			}
			got := p.Deliver(t.Context(), provider.Credential{Secret: []byte(c.secret)}, c.part)
			noToken(t, fmt.Sprintf("%+v", got))
			if prefix, any := strings.CutSuffix(c.want.Reason, "…"); any && strings.HasPrefix(got.Reason, prefix) {
				c.want.Reason = got.Reason // net/http's words for a broken connection vary
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			sent := sim.Sent()
			for i := range sent {
				sent[i].At, sent[i].BotID, sent[i].Raw = time.Time{}, 0, ""
			}
			if d := cmp.Diff(c.sent, sent); d != "" {
				t.Error("the simulator has:", d)
			}
		})
	}
}

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
	t.Cleanup(func() { _ = ln.Close() })
	requests := make(chan int)
	go func() {
		defer close(requests)
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
	}()
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
	transport := newTransport()
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
