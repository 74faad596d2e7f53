package rest_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

// The specification's examples, letter for letter.
const (
	curlIngest = `curl -X POST https://api.open4x.com/v1/apps/socialops/support/webhook/generic-webhook \
-H "X-API-Key: sk_xxx" \
-H "Content-Type: application/json" \
-d '{
"event_id": "evt_1001",
"thread_id": "incident_42",
"title": "Incident opened",
"text": "API latency is high",
"user": {
"id": "monitor"
},
"labels": ["ops", "urgent"]
}'`
	curlInbox = `curl "https://api.open4x.com/v1/apps/socialops/support/inbox?status=open&priority=high&limit=50" \
-H "X-API-Key: sk_xxx"`
	curlReply = `curl -X POST https://api.open4x.com/v1/apps/socialops/support/threads/soth_xxx/replies \
-H "X-API-Key: sk_xxx" \
-H "Content-Type: application/json" \
-d '{
"text": "Thanks, we are checking this now."
}'`

	answerIngest = `{
"status": "accepted",
"provider": "generic-webhook",
"thread_id": "soth_...",
"message_id": "somsg_..."
}`
	answerReply = `{
"success": true,
"data": {
"message": {
"direction": "outbound",
"message_type": "text",
"text": "Thanks, we are checking this now."
},
"action": {
"action_type": "send_reply",
"status": "pending"
}
}
}`
)

// curl runs an example with this server's host and key.
func (a *app) curl(example string, replace ...string) []byte {
	a.t.Helper()
	u, err := url.Parse(a.base)
	if err != nil {
		a.t.Fatal(err)
	}
	replace = append(replace, "https://api.open4x.com", "http://"+u.Host, "sk_xxx", a.tenant.Key, "curl ", "curl -sS --max-time 60 ")
	cmd := exec.CommandContext(a.t.Context(), "sh", "-c", strings.NewReplacer(replace...).Replace(example))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		a.t.Fatalf("%s: %v %s", example, err, complaints.Bytes())
	}
	return out
}

// contains tells that an answer has all that the specification shows; what it
// shows as "soth_..." may end in anything.
func contains(t *testing.T, at string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		fields, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: %v is no object", at, got)
			return
		}
		for name, v := range want {
			contains(t, at+"."+name, v, fields[name])
		}
	case string:
		if begin, open := strings.CutSuffix(want, "..."); open {
			if s, ok := got.(string); !ok || !strings.HasPrefix(s, begin) || len(s) <= len(begin) {
				t.Errorf("%s: %v, want %s", at, got, want)
			}
			return
		}
		if got != want {
			t.Errorf("%s: %v, want %s", at, got, want)
		}
	default:
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", at, diff)
		}
	}
}

func parse(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func TestSpecificationsExamples(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t), func(i *inbox.Instance, _ *rest.Options) { i.Alias = "support" })
	ingested := parse(t, a.curl(curlIngest))
	contains(t, "ingest", parse(t, []byte(answerIngest)), ingested)
	thread := ingested.(map[string]any)["thread_id"].(string)

	again := parse(t, a.curl(curlIngest)).(map[string]any)
	want := ingested.(map[string]any)
	want["status"] = "duplicate"
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("the same once more: %s", diff)
	}

	if list := parse(t, a.curl(curlInbox)).(map[string]any); len(list["data"].([]any)) != 0 || list["success"] != true {
		t.Errorf("nothing has the priority high yet: %v", list)
	}
	a.curl(`curl -X PATCH https://api.open4x.com/v1/apps/socialops/support/threads/` + thread + ` -H "X-API-Key: sk_xxx" -H "Content-Type: application/json" -d '{"priority": "high"}'`)
	list := parse(t, a.curl(curlInbox)).(map[string]any)
	if data := list["data"].([]any); len(data) != 1 || data[0].(map[string]any)["id"] != thread {
		t.Errorf("inbox: %v", list)
	}

	contains(t, "reply", parse(t, []byte(answerReply)), parse(t, a.curl(curlReply, "soth_xxx", thread)))
	// The placeholder itself is no thread, and the answer says so.
	contains(t, "placeholder", map[string]any{"success": false, "error": map[string]any{"code": "not_found"}}, parse(t, a.curl(curlReply)))
	// Without the header, curl says that it sends a form.
	form := strings.Replace(curlIngest, "-H \"Content-Type: application/json\" \\\n", "", 1)
	contains(t, "form", map[string]any{"success": false, "error": map[string]any{"code": "unsupported_media_type"}}, parse(t, a.curl(form)))
}
