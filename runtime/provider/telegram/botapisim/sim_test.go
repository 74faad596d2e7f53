package botapisim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"
	"github.com/google/go-cmp/cmp"
)

const token = "111:AAF-topSecret_0123456789abcdefghijk"

func start(t testing.TB, o Options) *Sim {
	t.Helper()
	o.Bots = append(o.Bots, Bot{Token: token, Username: "support_bot", Name: "Support"})
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// post makes a call with a JSON body and returns the status and the body.
func post(t testing.TB, s *Sim, method, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(s.URL()+"/bot"+token+"/"+method, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestMethods(t *testing.T) {
	t.Parallel()
	ann := models.User{ID: 7, FirstName: "Ann", Username: "ann"}
	s := start(t, Options{KnownChatsOnly: true, HTTPSOnly: true, Now: func() time.Time { return time.Unix(1764000000, 0) }})
	s.UserSays(token, Private(ann), ann, "hi")
	s.UserSays(token, models.Chat{ID: -1001, Type: "supergroup", Title: "G", Username: "public"}, ann, "hi")
	s.UserBlocks(token, models.User{ID: 8})
	s.GroupMigrates(token, models.Chat{ID: -5, Type: "group"}, -1005)
	failure := func(code int, text string) string {
		return fmt.Sprintf(`{"ok":false,"error_code":%d,"description":%q}`, code, text)
	}
	const from = `"from":{"id":111,"is_bot":true,"first_name":"Support","username":"support_bot"}`
	for _, c := range []struct {
		method, body string
		status       int
		want         string
	}{
		{"getMe", "", 200, `{"ok":true,"result":{"id":111,"is_bot":true,"first_name":"Support","username":"support_bot","can_join_groups":true}}`},
		{"GETME", "", 200, `{"ok":true,"result":{"id":111,"is_bot":true,"first_name":"Support","username":"support_bot","can_join_groups":true}}`},
		{"getMeNot", "", 404, failure(404, "Not Found: method not found")},
		{
			"sendMessage", `{"chat_id":7,"text":"<b>a</b>","parse_mode":"HTML"}`, 200,
			`{"ok":true,"result":{"message_id":2,` + from + `,"chat":{"id":7,"type":"private","username":"ann","first_name":"Ann"},"date":1764000000,"text":"a"}}`,
		},
		{
			"sendMessage", `{"chat_id":"@public","text":"a","message_thread_id":"3"}`, 200,
			`{"ok":true,"result":{"message_id":2,"message_thread_id":3,"is_topic_message":true,` + from + `,"chat":{"id":-1001,"type":"supergroup","title":"G","username":"public"},"date":1764000000,"text":"a"}}`,
		},
		{"sendMessage", `{"chat_id":7}`, 400, failure(400, "Bad Request: message text is empty")},
		{"sendMessage", `{"chat_id":7,"text":" \n"}`, 400, failure(400, "Bad Request: text must be non-empty")},
		{"sendMessage", `{"chat_id":7,"text":"<b></b>","parse_mode":"HTML"}`, 400, failure(400, "Bad Request: text must be non-empty")},
		{"sendMessage", `{"chat_id":7,"text":"` + strings.Repeat("👍", 2049) + `"}`, 400, failure(400, "Bad Request: message is too long")},
		{"sendMessage", `{"chat_id":7,"text":"<br>","parse_mode":"HTML"}`, 400, failure(400, `Bad Request: can't parse entities: Unsupported start tag "br" at byte offset 0`)},
		{"sendMessage", `{"chat_id":7,"text":"x","parse_mode":"BBCode"}`, 400, failure(400, "Bad Request: unsupported parse_mode")},
		{"sendMessage", `{"text":"x"}`, 400, failure(400, "Bad Request: chat_id is empty")},
		{"sendMessage", `{"chat_id":99,"text":"x"}`, 400, failure(400, "Bad Request: chat not found")},
		{"sendMessage", `{"chat_id":"@nobody","text":"x"}`, 400, failure(400, "Bad Request: chat not found")},
		{"sendMessage", `{"chat_id":8,"text":"x"}`, 403, failure(403, "Forbidden: bot was blocked by the user")},
		{
			"sendMessage", `{"chat_id":-5,"text":"x"}`, 400,
			`{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1005}}`,
		},
		{"sendMessage", `{"chat_id":7,"text":"x","reply_parameters":{"message_id":99}}`, 400, failure(400, "Bad Request: message to be replied not found")},
		{"sendMessage", `{"chat_id":7,"text":"x","reply_parameters":7}`, 400, failure(400, "Bad Request: can't parse reply parameters JSON object")},
		{"sendMessage", `{"chat_id":`, 400, failure(400, "Bad Request: can't parse JSON object")},
		{"getFile", `{"file_id":"nope"}`, 400, failure(400, "Bad Request: wrong file_id or the file is temporarily unavailable")},
		{"setWebhook", `{"url":"http://x"}`, 400, failure(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")},
		{"setWebhook", `{"url":"::"}`, 400, failure(400, "Bad Request: invalid webhook URL specified")},
		{"setWebhook", `{"url":"https://x","secret_token":"a b"}`, 400, failure(400, "Bad Request: secret token contains unallowed characters")},
		{"setWebhook", `{"url":"https://x","secret_token":"` + strings.Repeat("a", 257) + `"}`, 400, failure(400, "Bad Request: secret token is too long")},
		{"setWebhook", `{"url":"https://x","allowed_updates":"message"}`, 400, failure(400, "Bad Request: can't parse allowed updates JSON object")},
		{"deleteWebhook", `{}`, 200, `{"ok":true,"result":true}`},
	} {
		status, got := post(t, s, c.method, c.body)
		if status != c.status || !sameJSON(got, c.want) {
			t.Errorf("%s %.80s: %d %s, want %d %s", c.method, c.body, status, got, c.status, c.want)
		}
	}
	for path, want := range map[string]string{
		"/":                       failure(404, "Not Found"),
		"/bot":                    failure(404, "Not Found"),
		"/bothello/getMe":         failure(404, "Not Found"),
		"/bot222:x/getMe":         failure(401, "Unauthorized"),
		"/file/bot222:x/a":        failure(401, "Unauthorized"),
		"/file/bot" + token + "/": failure(404, "Not Found"),
		"/sim/sent":               failure(404, "Not Found"),
	} {
		resp, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if string(b) != want {
			t.Errorf("%s: %s, want %s", path, b, want)
		}
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && cmp.Equal(x, y)
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	values := url.Values{"chat_id": {"7"}, "text": {"häl lo"}, "reply_parameters": {`{"message_id":1,"allow_sending_without_reply":true}`}}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for k, v := range values {
		if err := w.WriteField(k, v[0]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	address := s.URL() + "/bot" + token + "/sendMessage"
	for name, call := range map[string]func() (*http.Response, error){
		"query":     func() (*http.Response, error) { return http.Get(address + "?" + values.Encode()) },
		"form":      func() (*http.Response, error) { return http.PostForm(address, values) },
		"multipart": func() (*http.Response, error) { return http.Post(address, w.FormDataContentType(), &form) },
		"JSON": func() (*http.Response, error) {
			return http.Post(address, "application/json; charset=utf-8",
				strings.NewReader(`{"chat_id":7,"text":"häl lo","reply_parameters":{"message_id":1,"allow_sending_without_reply":true},"entities":null}`))
		},
	} {
		resp, err := call()
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
	sent := s.SentTo(7)
	if len(sent) != 4 {
		t.Fatalf("%d messages", len(sent))
	}
	for i, m := range sent {
		if m.Text != "häl lo" || m.MessageID != int64(i+1) {
			t.Errorf("%+v", m)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	now := time.Unix(1764000000, 0)
	s := start(t, Options{Limits: &TelegramLimits, Now: func() time.Time { return now }})
	send := func(chat int) (int, string) {
		return post(t, s, "sendMessage", fmt.Sprintf(`{"chat_id":%d,"text":"x"}`, chat))
	}
	expect := func(what string, chat, status int, want string) {
		t.Helper()
		if got, body := send(chat); got != status || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want %d %s", what, got, body, status, want)
		}
	}
	expect("first", 7, 200, "")
	expect("again at once", 7, 429, `"Too Many Requests: retry after 1","parameters":{"retry_after":1}`)
	expect("someone else", 8, 200, "")
	now = now.Add(time.Second)
	expect("after a second", 7, 200, "")
	for i := range 29 {
		expect("up to thirty", 100+i, 200, "")
	}
	expect("the thirty-first", 200, 429, `"retry_after":1`)
	now = now.Add(time.Second)
	for range 20 {
		now = now.Add(40 * time.Millisecond)
		expect("a group's twenty", -5, 200, "")
	}
	expect("the twenty-first", -5, 429, `"retry_after":60`)
	now = now.Add(time.Minute)
	expect("a minute later", -5, 200, "")
	if n := s.MaxRate(token, time.Second); n != 30 {
		t.Errorf("at most %d in a second", n)
	}
	if s.Count() != 1+1+1+29+20+1 || s.Refusals() != 3 {
		t.Errorf("%d sent, %d refused", s.Count(), s.Refusals())
	}
}

func TestWaitSent(t *testing.T) {
	t.Parallel()
	s := start(t, Options{CountOnly: true})
	var wait sync.WaitGroup
	for n := range 4 {
		wait.Go(func() {
			if err := s.WaitSent(t.Context(), n); err != nil {
				t.Error(err)
			}
		})
	}
	for range 3 {
		post(t, s, "sendMessage", `{"chat_id":7,"text":"x"}`)
	}
	wait.Wait()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.WaitSent(ended, 4); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(s.Sent()) != 0 || s.Count() != 3 || s.MaxRate(token, time.Hour) != 3 {
		t.Errorf("%d kept, %d counted", len(s.Sent()), s.Count())
	}
	s.Reset()
	if s.Count() != 0 {
		t.Error("Reset keeps the count")
	}
}

func BenchmarkSendMessage(b *testing.B) {
	s := start(b, Options{CountOnly: true})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	address := s.URL() + "/bot" + token + "/sendMessage"
	body := []byte(`{"chat_id":7,"text":"Thanks, we are checking this now."}`)
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			resp, err := client.Post(address, "application/json", bytes.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
}

// The handler alone, without the network.
func BenchmarkHandler(b *testing.B) {
	s := New(Options{CountOnly: true, Bots: []Bot{{Token: token}}})
	defer s.Close()
	body := []byte(`{"chat_id":7,"text":"Thanks, we are checking this now."}`)
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/bot"+token+"/sendMessage", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
}
