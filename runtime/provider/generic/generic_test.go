package generic

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/internal/golden"
)

var _ provider.Provider = Provider{}

func normalize(body string, header ...string) (inbox.Inbound, error) {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return New().Normalize(&provider.Request{Header: h, Body: []byte(body)}, provider.Proof{})
}

// Each file of testdata is an event as a user would send it, with what becomes of it beside it.
func TestNormalizeGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no payloads in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in, err := normalize(string(body))
			if err != nil {
				t.Fatal(err)
			}
			if string(in.Raw) != string(body) {
				t.Error("the raw payload is not the body, byte for byte")
			}
			if err := golden.Check(strings.TrimSuffix(file, ".json")+".golden", golden.Inbound(in)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNormalizeIdentity(t *testing.T) {
	t.Parallel()
	key := "Idempotency-Key"
	tests := []struct {
		name, body    string
		header        []string
		event, thread string
	}{
		{"all given", `{"event_id":"e","thread_id":"t","text":"x"}`, nil, "e", "t"},
		{"numbers", `{"event_id":1001,"thread_id":-5,"text":"x"}`, nil, "1001", "-5"},
		{"a number too large for a double", `{"event_id":123456789012345678901234567890,"thread_id":0,"text":"x"}`, nil, "123456789012345678901234567890", "0"},
		{"event id before header", `{"event_id":"e","thread_id":"t","text":"x"}`, []string{key, "k"}, "e", "t"},
		{"header", `{"thread_id":"t","text":"x"}`, []string{key, "k"}, "idempotency-key:k", "t"},
		{"header that is no UTF-8", `{"thread_id":"t","text":"x"}`, []string{key, "k\xff"}, "idempotency-key:k\uFFFD", "t"},
		{"neither: always new", `{"thread_id":"t","text":"x"}`, nil, "", "t"},
		{"thread by user", `{"event_id":"e","user":{"id":7},"text":"x"}`, nil, "e", "user:7"},
		{"thread by event", `{"event_id":"e","text":"x"}`, nil, "e", "event:e"},
		{"thread by header", `{"text":"x"}`, []string{key, "k"}, "idempotency-key:k", "event:idempotency-key:k"},
		{"empty is as good as missing", `{"event_id":"","thread_id":null,"user":null,"text":"x"}`, []string{key, "k"}, "idempotency-key:k", "event:idempotency-key:k"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, err := normalize(tt.body, tt.header...)
			if err != nil {
				t.Fatal(err)
			}
			if in.EventID != tt.event || in.Thread.ExternalID != tt.thread {
				t.Errorf("event %q, thread %q; want %q, %q", in.EventID, in.Thread.ExternalID, tt.event, tt.thread)
			}
		})
	}
	t.Run("of nobody: a thread of its own each time", func(t *testing.T) {
		t.Parallel()
		first, err1 := normalize(`{"text":"x"}`)
		second, err2 := normalize(`{"text":"x"}`)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		a, b := first.Thread.ExternalID, second.Thread.ExternalID
		if !strings.HasPrefix(a, "event:") || len(a) < 20 || a == b || first.EventID != "" {
			t.Errorf("threads %q and %q, event %q", a, b, first.EventID)
		}
	})
}

func TestNormalizeContent(t *testing.T) {
	t.Parallel()
	text := func(s string) inbox.InboundMessage { return inbox.InboundMessage{Type: "text", Text: s} }
	tests := []struct {
		name, body string
		want       inbox.InboundMessage
	}{
		{"title only", `{"thread_id":"t","title":" A "}`, text("A")},
		{"blank text", `{"thread_id":"t","title":"A","text":" \n"}`, text("A")},
		{"byte order mark", "\xef\xbb\xbf" + ` {"thread_id":"t","text":"A"} ` + "\r\n", text("A")},
		{"last of two", `{"thread_id":"t","text":"A","text":"B"}`, text("B")},
		{"escapes", `{"thread_id":"t","te\u0078t":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}`, text("\"\\/\b\f\n\r\té😀")},
		{"half of a pair", `{"thread_id":"t","text":"a\ud83dz\udE00\ud83d\n\ud83d\u0041"}`, text("a\uFFFDz\uFFFD\uFFFD\n\uFFFDA")},
		{"NUL", `{"thread_id":"t","text":"a\u0000b"}`, text("a\uFFFDb")},
		{"invalid UTF-8", "{\"thread_id\":\"t\",\"text\":\"a\xff\xc3\xa9\xed\xa0\x80\"}", text("a\uFFFDé\uFFFD\uFFFD\uFFFD")},
		{"emoji and right-to-left", `{"thread_id":"t","text":"👩‍👩‍👧 مرحبا"}`, text("👩‍👩‍👧 مرحبا")},
		{"type", `{"thread_id":"t","text":"A","type":"Order.Paid"}`, inbox.InboundMessage{Type: "order_paid", Text: "A"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, err := normalize(tt.body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, in.Message); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNormalizeTime(t *testing.T) {
	t.Parallel()
	tests := []struct{ value, want string }{
		{`null`, "0001-01-01T00:00:00Z"},
		{`""`, "0001-01-01T00:00:00Z"},
		{`"0001-01-01T00:00:00Z"`, "0001-01-01T00:00:00Z"},
		{`0`, "1970-01-01T00:00:00Z"},
		{`1772600767`, "2026-03-04T05:06:07Z"},
		{`1772600767.123456`, "2026-03-04T05:06:07.123456Z"},
		{`1772600767123`, "2026-03-04T05:06:07.123Z"},
		{`1.772600767e9`, "2026-03-04T05:06:07Z"},
		{`" 2026-03-04T05:06:07.891+02:00 "`, "2026-03-04T03:06:07.891Z"},
		{`"9999-12-31T23:59:59Z"`, "9999-12-31T23:59:59Z"},
	}
	for _, field := range []string{"sent_at", "timestamp"} {
		for _, tt := range tests {
			t.Run(field+" "+tt.value, func(t *testing.T) {
				t.Parallel()
				in, err := normalize(`{"text":"x","` + field + `":` + tt.value + `}`)
				if err != nil {
					t.Fatal(err)
				}
				if got := in.Message.SentAt.Format(time.RFC3339Nano); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		}
	}
}

// What is refused names the field and what it should be, and repeats none of the content.
func TestNormalizeRefuses(t *testing.T) {
	t.Parallel()
	ok := `"text":"x",`
	long := strings.Repeat("x", 1001)
	many := func(n int, item string) string { return "[" + strings.Repeat(item+",", n-1) + item + "]" }
	tests := []struct{ body, want string }{
		{``, `the body is empty: want a JSON object such as {"thread_id": "incident_42", "text": "API latency is high"}`},
		{" \n", `the body is empty: want a JSON object such as {"thread_id": "incident_42", "text": "API latency is high"}`},
		{`text=secret&x=1`, `the body is not JSON: want an object such as {"thread_id": "incident_42", "text": "API latency is high"}`},
		{`[{"text":"secret"}]`, `the body is a list: want a JSON object such as {"thread_id": "incident_42", "text": "API latency is high"}`},
		{`"secret"`, `the body is a text: want a JSON object such as {"thread_id": "incident_42", "text": "API latency is high"}`},
		{`{"text":"secret"`, `the body is not valid JSON at byte 17: want a comma or a closing brace`},
		{`{"text":"secret`, `the body is not valid JSON at byte 16: the text has no closing quote`},
		{`{"text":"secret"} {}`, `the body is not valid JSON at byte 19: something follows the object: send one event a call`},
		{`{"text":"secret",}`, `the body is not valid JSON at byte 18: want a field name in double quotes`},
		{`{text:"secret"}`, `the body is not valid JSON at byte 2: want a field name in double quotes`},
		{`{"text" "secret"}`, `the body is not valid JSON at byte 9: want a colon after the field name`},
		{`{"text":secret}`, `the body is not valid JSON at byte 9: want a value, such as a text in double quotes`},
		{`{"text":nil}`, `the body is not valid JSON at byte 9: want a value, such as a text in double quotes`},
		{"{\"text\":\"a\nb\"}", `the body is not valid JSON at byte 11: a text must not hold a bare control character: write a line break as \n`},
		{"{\"text\":\"a\x00b\"}", `the body is not valid JSON at byte 11: a text must not hold a bare control character: write a line break as \n`},
		{`{"text":"a\xb"}`, `the body is not valid JSON at byte 12: a backslash must be written twice, or begin one of \" \\ \/ \b \f \n \r \t \u0000`},
		{`{"text":"a\u12g4"}`, `the body is not valid JSON at byte 15: want four hexadecimal digits after \u`},
		{`{"x":01}`, `the body is not valid JSON at byte 7: want a comma or a closing brace`},
		{`{"x":1.}`, `the body is not valid JSON at byte 8: want a digit after the decimal point`},
		{`{"x":1e}`, `the body is not valid JSON at byte 8: want a digit in the exponent`},
		{`{"x":[1 2]}`, `the body is not valid JSON at byte 9: want a comma or a closing bracket`},
		{`{"x":` + strings.Repeat("[", 1<<20), `the body is nested deeper than 64 levels, at byte 69`},
		{`{"data":` + strings.Repeat(`{"a":`, 1<<20), `the body is nested deeper than 64 levels, at byte 324`},

		{`{"event_id":"e"}`, `the event is empty: want at least one of the fields text, title, attachments and data`},
		{`{"text":" ","data":{},"attachments":[]}`, `the event is empty: want at least one of the fields text, title, attachments and data`},
		{`{"text":5}`, `field text: want a text, got a number`},
		{`{"text":["secret"]}`, `field text: want a text, got a list`},
		{`{"title":true}`, `field title: want a text, got true or false`},
		{`{"title":"` + long + `"}`, `field title: longer than 1000 characters`},
		{`{` + ok + `"event_id":{"a":1}}`, `field event_id: want a text or a whole number, got an object`},
		{`{` + ok + `"event_id":1.5}`, `field event_id: want a text or a whole number, got a number with a fraction or an exponent: send it as a text`},
		{`{` + ok + `"event_id":"` + long + `"}`, `field event_id: longer than 512 bytes`},
		{`{` + ok + `"thread_id":[1]}`, `field thread_id: want a text or a whole number, got a list`},
		{`{` + ok + `"message_id":false}`, `field message_id: want a text or a whole number, got true or false`},
		{`{` + ok + `"parent_id":1e3}`, `field parent_id: want a text or a whole number, got a number with a fraction or an exponent: send it as a text`},
		{`{` + ok + `"channel":{}}`, `field channel: want a text or a whole number, got an object`},
		{`{` + ok + `"user":"secret"}`, `field user: want an object such as {"id": "monitor"}, got a text`},
		{`{` + ok + `"user":{"id":[]}}`, `field user.id: want a text or a whole number, got a list`},
		{`{` + ok + `"user":{"name":"secret"}}`, `field user.id: missing: it tells one user from another, whatever they are called`},
		{`{` + ok + `"user":{"id":1,"avatar_url":"javascript:alert(1)"}}`, `field user.avatar_url: want an address that begins with https:// or http://`},
		{`{` + ok + `"labels":5}`, `field labels: want a list of texts, got a number`},
		{`{` + ok + `"labels":"secret"}`, `field labels: want a list of texts, got a text`},
		{`{` + ok + `"labels":["a",{}]}`, `field labels[1]: want a text, got an object`},
		{`{` + ok + `"labels":["` + long[:101] + `"]}`, `field labels[0]: longer than 100 characters`},
		{`{` + ok + `"labels":` + many(51, `"a"`) + `}`, `field labels: more than 50 labels`},
		{`{` + ok + `"priority":"secret"}`, `field priority: want one of low, normal, high, urgent`},
		{`{` + ok + `"priority":1}`, `field priority: want a text, got a number`},
		{`{` + ok + `"type":"größe"}`, `field type: want a word of the letters a-z, digits and _`},
		{`{` + ok + `"type":"` + long[:65] + `"}`, `field type: longer than 64 bytes`},
		{`{` + ok + `"url":"/orders/1"}`, `field url: want an address that begins with https:// or http://`},
		{`{` + ok + `"url":"https://x/` + strings.Repeat(long, 5) + `"}`, `field url: longer than 4096 bytes`},
		{`{` + ok + `"sent_at":"yesterday"}`, `field sent_at: want a time such as "2026-01-02T15:04:05Z", or the seconds since 1970`},
		{`{` + ok + `"sent_at":{}}`, `field sent_at: want a time as a text or a number, got an object`},
		{`{` + ok + `"sent_at":1e30}`, `field sent_at: want a time between the years 1970 and 9999`},
		{`{` + ok + `"sent_at":1e999}`, `field sent_at: want a time between the years 1970 and 9999`},
		{`{` + ok + `"timestamp":-1}`, `field timestamp: want a time between the years 1970 and 9999`},
		{`{` + ok + `"timestamp":"9999-12-31T23:59:59-12:00"}`, `field timestamp: want a time between the years 1970 and 9999`},
		{`{"attachments":{"url":"https://x/y"}}`, `field attachments: want a list of objects, got an object`},
		{`{"attachments":["https://x/y"]}`, `field attachments[0]: want an object such as {"url": "https://…"}, got a text`},
		{`{"attachments":[{"name":"secret"}]}`, `field attachments[0].url: missing: want the file's address, which begins with https:// or http://`},
		{`{"attachments":[{"url":"https://x/y"},{"url":"file:///etc/passwd"}]}`, `field attachments[1].url: want an address that begins with https:// or http://`},
		{`{"attachments":[{"url":"https://x/y","size":-1}]}`, `field attachments[0].size: want a whole number of bytes`},
		{`{"attachments":[{"url":"https://x/y","size":"1"}]}`, `field attachments[0].size: want a number of bytes, got a text`},
		{`{"attachments":` + many(51, `{"url":"https://x/y"}`) + `}`, `field attachments: more than 50 attachments`},
		{`{"data":"secret"}`, `field data: want an object, got a text`},
		{`{"data":{"secret":1e400}}`, `field data: holds a number that is too large: want at most 1.7e308`},
		{`{"data":{"a":"` + strings.Repeat("x", 64<<10) + `"}}`, `field data: larger than 64 KiB`},
	}
	for i, tt := range tests {
		t.Run(fmt.Sprintf("%d %.40s", i, tt.body), func(t *testing.T) {
			t.Parallel()
			_, err := normalize(tt.body)
			if err == nil {
				t.Fatal("accepted")
			}
			if inbox.CodeOf(err) != inbox.CodeInvalid || err.Error() != tt.want {
				t.Errorf("got  %s: %s\nwant %s", inbox.CodeOf(err), err, tt.want)
			}
		})
	}
	t.Run("Idempotency-Key", func(t *testing.T) {
		t.Parallel()
		_, err := normalize(`{"text":"x"}`, "Idempotency-Key", long)
		if want := "header Idempotency-Key: longer than 512 bytes"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

// What is just within a limit is taken, whether the body is small or large.
func TestNormalizeAtTheLimits(t *testing.T) {
	t.Parallel()
	char := func(n int) string { return strings.Repeat("ü", n) }
	var labels []string
	for i := range maxLabels {
		labels = append(labels, fmt.Sprintf("%q", fmt.Sprintf("%02d%s", i, char(maxLabel-2))))
	}
	for _, size := range []int{0, smallBody, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			in, err := normalize(fmt.Sprintf(`{"event_id":%q,"title":%q,"labels":[%s],"text":%q,"user":{"id":1,"name":%q}}`,
				strings.Repeat("e", maxID), char(maxName), strings.Join(labels, ","), "x"+strings.Repeat("y", size), char(maxName)))
			if err != nil {
				t.Fatal(err)
			}
			if len(in.EventID) != maxID || len(in.Thread.Labels) != maxLabels || in.Thread.Subject != char(maxName) ||
				in.Contact.Name != char(maxName) || len(in.Message.Text) != size+1 {
				t.Errorf("something is missing:\n%.2000s", golden.Inbound(in))
			}
		})
	}
}

func TestAuthenticateNever(t *testing.T) {
	t.Parallel()
	r := &provider.Request{Header: http.Header{"X-Hub-Signature-256": {"sha256="}}}
	if _, ok := New().Authenticate(r, []provider.Proof{{Secrets: [][]byte{nil, []byte("s")}, TokenHashes: [][32]byte{{}}}}); ok {
		t.Error("a generic call proves itself by API key only")
	}
}
