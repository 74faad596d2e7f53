package github

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/internal/golden"
)

var _ provider.Provider = Provider{}

const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958"

// call makes a request as GitHub would; further headers follow in pairs, an empty
// value leaving the header out.
func call(event, body string, header ...string) *provider.Request {
	h := http.Header{}
	h.Set("X-GitHub-Event", event)
	h.Set("X-GitHub-Delivery", guid)
	h.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &provider.Request{Header: h, Body: []byte(body)}
}

func payloads(t testing.TB) (files []string) {
	t.Helper()
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no payloads in testdata: %v", err)
	}
	return files
}

func read1(t testing.TB, file string) (event, body string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(filepath.Dir(file)), string(b)
}

// Each file of testdata/<event> is a payload; beside it stands what becomes of it.
func TestNormalizeGolden(t *testing.T) {
	t.Parallel()
	told := map[string]bool{}
	for _, file := range payloads(t) {
		event, body := read1(t, file)
		told[event] = true
		t.Run(strings.TrimPrefix(file, "testdata/"), func(t *testing.T) {
			t.Parallel()
			in, err := New().Normalize(call(event, body), provider.Proof{})
			got := golden.Inbound(in)
			if ignored, ok := errors.AsType[provider.Ignored](err); ok {
				got = ignored.Error() + "\n"
			} else if err != nil {
				t.Fatal(err)
			} else if string(in.Raw) != body {
				t.Error("the raw payload is not the body, byte for byte")
			}
			if strings.Contains(got, "LEAKED-SECRET-VALUE") {
				t.Error("the secret itself must not become content")
			}
			if err := golden.Check(strings.TrimSuffix(file, ".json")+".golden", got); err != nil {
				t.Error(err)
			}
		})
	}
	for event := range handlers {
		if !told[event] {
			t.Errorf("no payload of event %s in testdata", event)
		}
	}
}

// A form carries the same event as the JSON in it.
func TestNormalizeForm(t *testing.T) {
	t.Parallel()
	event, body := read1(t, "testdata/issues/opened.json")
	want, err := New().Normalize(call(event, body), provider.Proof{})
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{
		"payload=" + url.QueryEscape(body),
		"a=1&b=%zz&payload=" + url.QueryEscape(body) + "&c",
	} {
		in, err := New().Normalize(call(event, form, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8"), provider.Proof{})
		if err != nil {
			t.Fatal(err)
		}
		if string(in.Raw) != form || in.ContentType != "application/x-www-form-urlencoded" {
			t.Errorf("raw is not the form as it came, or not called one: %s", in.ContentType)
		}
		in.ContentType = want.ContentType
		if got := golden.Inbound(in); got != golden.Inbound(want) {
			t.Errorf("got\n%s\nwant\n%s", got, golden.Inbound(want))
		}
	}
}

func TestNormalizeRefuses(t *testing.T) {
	t.Parallel()
	repo := `"repository":{"id":1,"full_name":"a/b"}`
	form := "application/x-www-form-urlencoded"
	tests := []struct {
		name, event, body string
		header            []string
		want              string
	}{
		{"no event", "", `{}`, nil, `header X-GitHub-Event: missing: only GitHub's own webhook calls are understood here`},
		{"no delivery", "issues", `{}`, []string{"X-GitHub-Delivery", ""}, `header X-GitHub-Delivery: missing: want the delivery's GUID, which tells a repeat from a new event`},
		{"long delivery", "issues", `{}`, []string{"X-GitHub-Delivery", strings.Repeat("x", 513)}, `header X-GitHub-Delivery: longer than 512 bytes: want the delivery's GUID`},
		{"no delivery of a ping", "ping", `{}`, []string{"X-GitHub-Delivery", ""}, `header X-GitHub-Delivery: missing: want the delivery's GUID, which tells a repeat from a new event`},
		{"text", "issues", `{}`, []string{"Content-Type", "text/plain"}, `header Content-Type: want application/json or application/x-www-form-urlencoded: choose one in the webhook's settings at GitHub`},
		{"odd type", "issues", `{}`, []string{"Content-Type", ";;"}, `header Content-Type: want application/json or application/x-www-form-urlencoded: choose one in the webhook's settings at GitHub`},
		{"empty", "issues", ``, nil, `the payload is empty: want the JSON object of the event`},
		{"null", "issues", `null`, nil, `the payload is null: want the JSON object of the event`},
		{"list", "issues", `["secret"]`, nil, `the payload: want an object, got a list: send the payload as GitHub does`},
		{"cut off", "issues", `{"action":"secr`, nil, `the payload is not valid JSON, or not all of it: look at byte 15`},
		{"garbage behind", "issues", `{} secret`, nil, `the payload is not valid JSON, or not all of it: look at byte 4`},
		{"deep", "issues", strings.Repeat(`[`, 1<<20), nil, `the payload is not valid JSON, or not all of it: look at byte 10001`},
		{"wrong kind", "issues", `{"issue":{"number":"secret"},` + repo + `}`, nil, `field issue.number: want a whole number, got a text: send the payload as GitHub does`},
		{"fraction", "issues", `{"issue":{"number":1.5},` + repo + `}`, nil, `field issue.number: want a whole number, got a number: send the payload as GitHub does`},
		{"wrong kinds", "push", `{"commits":{"secret":1}}`, nil, `field commits: want a list, got an object: send the payload as GitHub does`},
		{"wrong text", "push", `{"ref":["secret"]}`, nil, `field ref: want a text, got a list: send the payload as GitHub does`},
		{"wrong flag", "push", `{"forced":"secret"}`, nil, `field forced: want true or false, got a text: send the payload as GitHub does`},
		{"form without payload", "issues", `body=secret`, []string{"Content-Type", form}, `form field payload: missing: want the event's JSON in it, or send the JSON as application/json`},
		{"form with too many fields", "issues", strings.Repeat("a=secret&", 20) + "payload={}", []string{"Content-Type", form}, `form field payload: missing: want the event's JSON in it, or send the JSON as application/json`},
		{"form badly encoded", "issues", `payload=%zz`, []string{"Content-Type", form}, `form field payload: not encoded as a form: a % is not followed by two hexadecimal digits`},
		{"form with an empty payload", "issues", `payload=`, []string{"Content-Type", form}, `the payload is empty: want the JSON object of the event`},
		{"long branch", "push", `{"ref":"refs/heads/` + strings.Repeat("x", 600) + `",` + repo + `}`, nil, `the names of repository, branch or commit are longer than 512 bytes`},
		{"long repository", "push", `{"ref":"refs/heads/x","repository":{"id":1,"full_name":"` + strings.Repeat("x", 600) + `"}}`, nil, `the names of repository, branch or commit are longer than 512 bytes`},

		{"no repository", "issues", `{"action":"opened","issue":{"number":1}}`, nil, missing("repository.id").Error()},
		{"no issue", "issues", `{"action":"opened",` + repo + `}`, nil, missing("issue.number").Error()},
		{"no pull request", "pull_request", `{"action":"opened",` + repo + `}`, nil, missing("pull_request.number").Error()},
		{"no discussion", "discussion", `{"action":"created",` + repo + `}`, nil, missing("discussion.number").Error()},
		{"comment on nothing", "issue_comment", `{"action":"created","comment":{"id":1},` + repo + `}`, nil, missing("issue.number").Error()},
		{"no comment", "issue_comment", `{"action":"created","issue":{"number":1},` + repo + `}`, nil, missing("comment.id").Error()},
		{"no discussion comment", "discussion_comment", `{"action":"created","discussion":{"number":1},` + repo + `}`, nil, missing("comment.id").Error()},
		{"discussion comment on nothing", "discussion_comment", `{"action":"created",` + repo + `}`, nil, missing("discussion.number").Error()},
		{"no commit", "commit_comment", `{"action":"created","comment":{"id":1},` + repo + `}`, nil, missing("comment.commit_id").Error()},
		{"no review", "pull_request_review", `{"action":"submitted","pull_request":{"number":1},` + repo + `}`, nil, missing("review.id").Error()},
		{"review of nothing", "pull_request_review", `{"action":"submitted",` + repo + `}`, nil, missing("pull_request.number").Error()},
		{"no review comment", "pull_request_review_comment", `{"action":"created","pull_request":{"number":1},` + repo + `}`, nil, missing("comment.id").Error()},
		{"review comment on nothing", "pull_request_review_comment", `{"action":"created",` + repo + `}`, nil, missing("pull_request.number").Error()},
		{"review thread of nothing", "pull_request_review_thread", `{"action":"resolved",` + repo + `}`, nil, missing("pull_request.number").Error()},
		{"no run", "workflow_run", `{"action":"completed",` + repo + `}`, nil, missing("workflow_run.id").Error()},
		{"no suite", "check_suite", `{"action":"completed",` + repo + `}`, nil, missing("check_suite.id").Error()},
		{"no check", "check_run", `{"action":"completed",` + repo + `}`, nil, missing("check_run.id").Error()},
		{"check without suite", "check_run", `{"action":"completed","check_run":{"id":1,"conclusion":"failure"},` + repo + `}`, nil, missing("check_suite.id").Error()},
		{"no ref", "push", `{` + repo + `}`, nil, missing("ref").Error()},
		{"odd ref", "push", `{"ref":"refs/notes/x",` + repo + `}`, nil, missing("ref").Error()},
		{"no release", "release", `{"action":"published",` + repo + `}`, nil, missing("release.id").Error()},
		{"no dependabot alert", "dependabot_alert", `{"action":"created",` + repo + `}`, nil, missing("alert").Error()},
		{"no code scanning alert", "code_scanning_alert", `{"action":"created",` + repo + `}`, nil, missing("alert").Error()},
		{"no secret scanning alert", "secret_scanning_alert", `{"action":"created",` + repo + `}`, nil, missing("alert").Error()},
		{"alert without number", "secret_scanning_alert", `{"action":"created","alert":{},` + repo + `}`, nil, missing("alert.number").Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := New().Normalize(call(tt.event, tt.body, tt.header...), provider.Proof{})
			if err == nil {
				t.Fatal("accepted")
			}
			if inbox.CodeOf(err) != inbox.CodeInvalid || err.Error() != tt.want {
				t.Errorf("got  %s: %s\nwant %s", inbox.CodeOf(err), err, tt.want)
			}
		})
	}
}

// What is authentic but makes no message says why, and nothing that could blow up a counter.
func TestNormalizeIgnores(t *testing.T) {
	t.Parallel()
	tests := []struct{ event, body, want string }{
		{"ping", `not even JSON`, "ping"},
		{"star", `{}`, "unsupported event: star"},
		{"deployment_status", `{}`, "unsupported event: deployment_status"},
		{"<script>", `{}`, "unsupported event: (not a name)"},
		{strings.Repeat("x", 65), `{}`, "unsupported event: (not a name)"},
		{"issues", `{"action":"locked","issue":{"number":1},"repository":{"id":1}}`, "unsupported action: issues locked"},
		{"issues", `{"action":"<b>","issue":{"number":1},"repository":{"id":1}}`, "unsupported action: issues (not a name)"},
		{"issues", `{"issue":{"number":1},"repository":{"id":1}}`, "unsupported action: issues (not a name)"},
		{"issue_comment", `{"action":"pinned","comment":{"id":1},"issue":{"number":1},"repository":{"id":1}}`, "unsupported action: issue_comment pinned"},
		{"pull_request_review", `{"action":"x","review":{"id":1},"pull_request":{"number":1},"repository":{"id":1}}`, "unsupported action: pull_request_review x"},
		{"pull_request_review_thread", `{"action":"x","pull_request":{"number":1},"repository":{"id":1}}`, "unsupported action: pull_request_review_thread x"},
		{"check_suite", `{"action":"completed","check_suite":{"id":1,"conclusion":"skipped"},"repository":{"id":1}}`, "checks that were skipped"},
		{"check_run", `{"action":"completed","check_run":{"id":1,"conclusion":"skipped"},"repository":{"id":1}}`, "checks that were skipped"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%.20s %s", tt.event, tt.want), func(t *testing.T) {
			t.Parallel()
			_, err := New().Normalize(call(tt.event, tt.body), provider.Proof{})
			if ignored, ok := errors.AsType[provider.Ignored](err); !ok || ignored.Reason != tt.want {
				t.Errorf("got %v, want it ignored: %s", err, tt.want)
			}
		})
	}
}

// What only a sender with an API key could put into a payload is harmless.
func TestNormalizeHostile(t *testing.T) {
	t.Parallel()
	body := `{"action":"opened","issue":{"id":1,"number":1,"title":"` + strings.Repeat("ü", 2000) + `",
		"body":"a\u0000b\\u0000` + "\xff" + `'; DROP TABLE threads; --","html_url":"javascript:alert(1)","created_at":"soon",
		"labels":[` + strings.Repeat(`{"name":" x "},`, 200) + `{"name":" "}]},
		"repository":{"id":1,"full_name":"a/b"},
		"sender":{"id":2,"login":"m","html_url":"file:///etc/passwd","avatar_url":"data:text/html,x"}}`
	in, err := New().Normalize(call("issues", body), provider.Proof{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "a\uFFFDb\\u0000\uFFFD'; DROP TABLE threads; --"; in.Message.Text != want {
		t.Errorf("text is %q, want %q", in.Message.Text, want)
	}
	if in.Message.URL != "" || in.Contact.URL != "" || in.Contact.AvatarURL != "" {
		t.Error("a link that is no web address got through")
	}
	if n := len([]rune(in.Thread.Subject)); n != maxSubject {
		t.Errorf("subject has %d characters, want %d", n, maxSubject)
	}
	if len(in.Thread.Labels) > maxLabels || !in.Message.SentAt.IsZero() {
		t.Errorf("%d labels, sent %s", len(in.Thread.Labels), in.Message.SentAt)
	}
}

func TestWithoutNUL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"a"`:              `"a"`,
		`"\u0000"`:         `"\ufffd"`,
		`"\\u0000"`:        `"\\u0000"`,
		`"\\\u0000\u0000"`: `"\\\ufffd\ufffd"`,
		`"\u0000\"\n\`:     `"\ufffd\"\n\`,
		`\u0000\u000`:      `\ufffd\u000`,
	} {
		if got := withoutNUL([]byte(in)); !bytes.Equal(got, []byte(want)) {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}
