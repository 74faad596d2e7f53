package console_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

// bot is the connected account that pgtest makes for the tenant's owner.
func (a *app) bot() string { return a.tenant.Account.String() }

// blames is the field that an error blames, alone.
func blames(t *testing.T, e rest.ErrorInfo) string {
	t.Helper()
	b, err := json.Marshal(e.Details)
	if err != nil {
		t.Fatal(err)
	}
	var fields []rest.FieldError
	if err := json.Unmarshal(b, &fields); err != nil || len(fields) != 1 {
		t.Fatalf("details: %s", b)
	}
	if !strings.HasPrefix(e.Message, fields[0].Location+": ") {
		t.Errorf("%q does not begin with the field it blames, %s", e.Message, fields[0].Location)
	}
	return fields[0].Location
}

// trail is what happened lately in the tenant's inbox, newest first, as "type actor changed…".
func (a *app) trail(query string) (rows []string) {
	a.t.Helper()
	for _, e := range decode[rest.List[console.TrailEntry]](a.t, a.call("alice r", http.MethodGet, "/audit?"+query, ""), http.StatusOK).Data {
		rows = append(rows, strings.TrimSpace(string(e.Type)+" "+e.ActorName+" "+strings.Join(e.Changed, " ")))
	}
	return rows
}

// A channel is a manifest: made, shown with what became of it, changed, and in the trail.
func TestChannels(t *testing.T) {
	t.Parallel()
	a := start(t)
	made := data[console.Channel](t, a.call("alice m", http.MethodPost, "/channels",
		`{"provider": "telegram", "connected_account_id": "`+a.bot()+`", "channel_name": " Night shift – Zürich ", "external_channel_id": "-100123", "parse_mode": "HTML"}`), http.StatusCreated)
	if made.ChannelName != "Night shift – Zürich" || made.Status != "active" || made.Health != "working" || made.ParseMode != "HTML" || made.ConnectedAccountID == "" || made.WebhookURL != "" {
		t.Errorf("made: %+v", made)
	}
	a.manifests.mu.Lock()
	b := a.manifests.all[0].DeepCopy()
	a.manifests.mu.Unlock()
	if b.Namespace != "test" || !strings.HasPrefix(b.Name, "night-shift-z-rich-") || b.Annotations[v1alpha1.AnnotationChangedBy] != "alice" ||
		b.Spec.InstanceRef.Name != a.tenant.Alias || b.Spec.ConnectedAccountRef.Name != a.tenant.Alias+"-bot" || b.Spec.ExternalChannelID != "-100123" {
		t.Errorf("the manifest: %+v", b)
	}
	hook := data[console.Channel](t, a.call("alice m", http.MethodPost, "/channels", `{"provider": "generic-webhook", "channel_name": "告警"}`), http.StatusCreated)
	if want := "https://inbox.example" + rest.BasePath + a.tenant.Alias + "/webhook/generic-webhook"; hook.WebhookURL != want || !strings.HasPrefix(hook.Name, "channel-") {
		t.Errorf("%+v, want the webhook %s", hook, want)
	}

	// Health comes from what the operator says, once it has looked at this generation.
	for name, c := range map[string]struct {
		generation int64
		conditions map[string]metav1.ConditionStatus
		health     string
	}{
		"not looked at":        {0, map[string]metav1.ConditionStatus{"Ready": "True"}, "working"},
		"ready":                {1, map[string]metav1.ConditionStatus{"Ready": "True"}, "ok"},
		"being worked at":      {1, map[string]metav1.ConditionStatus{"Ready": "False", "Reconciling": "True"}, "working"},
		"stalled":              {1, map[string]metav1.ConditionStatus{"Ready": "False", "Stalled": "True"}, "problem"},
		"stalled while at it":  {1, map[string]metav1.ConditionStatus{"Ready": "False", "Stalled": "True", "Reconciling": "True"}, "problem"},
		"neither nor":          {1, map[string]metav1.ConditionStatus{"Ready": "False"}, "problem"},
		"nothing said of this": {1, nil, "working"},
	} {
		a.manifests.mu.Lock()
		status := &a.manifests.all[0].Status
		*status = v1alpha1.ChannelBindingStatus{ObservedGeneration: c.generation}
		for kind, is := range c.conditions {
			status.Conditions = append(status.Conditions, metav1.Condition{Type: kind, Status: is, Reason: "Because", Message: "so it is"})
		}
		a.manifests.mu.Unlock()
		list := data[[]console.Channel](t, a.call("alice r", http.MethodGet, "/channels", ""), http.StatusOK)
		if len(list) != 2 || list[0].ID != made.ID || list[0].Health != c.health || len(list[0].Conditions) != len(c.conditions) {
			t.Errorf("%s: %+v", name, list[0])
		}
		if list[0].ExternalChannelID != "" {
			t.Errorf("a reader is shown the chat %q", list[0].ExternalChannelID)
		}
	}

	path := "/channels/" + made.ID
	off := data[console.Channel](t, a.call("alice m", http.MethodPatch, path, `{"status": "inactive", "external_channel_id": null, "parse_mode": "", "channel_name": "Days"}`), http.StatusOK)
	if off.Status != "inactive" || off.Health != "off" || off.ExternalChannelID != "" || off.ParseMode != "" || off.ChannelName != "Days" {
		t.Errorf("off: %+v", off)
	}
	same := data[console.Channel](t, a.call("alice m", http.MethodPatch, path, `{"status": "inactive"}`), http.StatusOK)
	if same.Status != "inactive" {
		t.Errorf("again: %+v", same)
	}
	if got, want := a.trail("people=true"), []string{"channel.updated Alice status channel_name external_channel_id parse_mode", "channel.created Alice", "channel.created Alice"}; !slices.Equal(got, want) {
		t.Errorf("the trail: %q, want %q", got, want)
	}
}

// What can't be a channel is refused, with the field to blame.
func TestChannelsRefused(t *testing.T) {
	t.Parallel()
	a := start(t)
	bobs := a.db.Instance(t, func(i *inbox.Instance) { i.Owner = "bob" })
	few := a.db.Instance(t, func(i *inbox.Instance) { i.Owner, i.Providers = "alice", []string{"generic-webhook"} })
	unproven := a.db.Instance(t, func(i *inbox.Instance) { i.Owner = "carol" })
	a.sql("UPDATE account SET source = '' WHERE id = $1", unproven.Account)
	gone := a.db.Instance(t, func(i *inbox.Instance) { i.Owner = "dave" })
	a.sql("UPDATE account SET removed_at = now() WHERE id = $1", gone.Account)
	for name, c := range map[string]struct {
		who, alias, body string
		status           int
		field, says      string
	}{
		"an account of another's":      {"alice m", a.tenant.Alias, `{"provider": "telegram", "connected_account_id": "` + bobs.Account.String() + `", "channel_name": "x"}`, 422, "body.connected_account_id", "no such account of yours"},
		"no account":                   {"alice m", a.tenant.Alias, `{"provider": "telegram", "channel_name": "x"}`, 422, "body.connected_account_id", "telegram-bot"},
		"an account of another kind":   {"alice m", a.tenant.Alias, `{"provider": "github", "connected_account_id": "` + a.bot() + `", "channel_name": "x"}`, 422, "body.connected_account_id", "this account is a telegram-bot"},
		"an account for a webhook":     {"alice m", a.tenant.Alias, `{"provider": "generic-webhook", "connected_account_id": "` + a.bot() + `", "channel_name": "x"}`, 422, "body.connected_account_id", "takes no connected account"},
		"an unproven account":          {"carol m", unproven.Alias, `{"provider": "telegram", "connected_account_id": "` + unproven.Account.String() + `", "channel_name": "x"}`, 422, "body.connected_account_id", "not active"},
		"a removed account":            {"dave m", gone.Alias, `{"provider": "telegram", "connected_account_id": "` + gone.Account.String() + `", "channel_name": "x"}`, 422, "body.connected_account_id", ""},
		"a provider that is not there": {"alice m", few.Alias, `{"provider": "telegram", "connected_account_id": "` + a.bot() + `", "channel_name": "x"}`, 422, "body.provider", "takes no messages from telegram"},
		"a blank name":                 {"alice m", a.tenant.Alias, `{"provider": "generic-webhook", "channel_name": "  "}`, 400, "body.channel_name", "blank"},
		"a name of two lines":          {"alice m", a.tenant.Alias, `{"provider": "generic-webhook", "channel_name": "a\nb"}`, 400, "body.channel_name", "one line"},
	} {
		e := a.call(c.who, http.MethodPost, console.BasePath+"/"+c.alias+"/channels", c.body).problem(t, c.status, map[int]inbox.Code{400: inbox.CodeInvalid, 422: inbox.CodeUnprocessed}[c.status])
		if field := blames(t, e); field != c.field || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s: %s (%s), want %q of %s", name, e.Message, field, c.says, c.field)
		}
	}
	for name, c := range map[string]struct {
		fail   error
		status int
		code   inbox.Code
	}{
		"what the CRD refuses":       {inbox.Errorf(inbox.CodeInvalid, "spec.externalChannelID: for telegram this is a numeric chat id"), 422, inbox.CodeUnprocessed},
		"somebody was faster":        {inbox.Errorf(inbox.CodeConflict, "somebody else changed it: try again"), 409, inbox.CodeConflict},
		"the cluster can't be asked": {inbox.Errorf(inbox.CodeUnavailable, "the cluster can't be reached"), 503, inbox.CodeUnavailable},
		"a fault of ours":            {errors.New("with a secret in it"), 500, "internal"},
	} {
		a.manifests.mu.Lock()
		a.manifests.fail = c.fail
		a.manifests.mu.Unlock()
		e := a.call("alice m", http.MethodPost, "/channels", `{"provider": "generic-webhook", "channel_name": "x"}`).problem(t, c.status, c.code)
		if c.status == 422 && blames(t, e) != "body.external_channel_id" {
			t.Errorf("%s: %+v", name, e)
		}
		if strings.Contains(e.Message, "secret") {
			t.Errorf("%s: %s", name, e.Message)
		}
		if c.status == 503 {
			a.call("alice r", http.MethodGet, "/channels", "").problem(t, 503, inbox.CodeUnavailable)
			if r := a.call("alice r", http.MethodGet, "/inbox", ""); r.StatusCode != 200 {
				t.Errorf("without a cluster the inbox is %s", r.Status)
			}
		}
	}
	if rows := a.trail("people=true"); len(rows) != 0 {
		t.Errorf("what was refused is in the trail: %q", rows)
	}
}

// A test event comes as a stranger's would, with a key that is gone afterwards.
func TestTestEvents(t *testing.T) {
	t.Parallel()
	a := start(t)
	bind := func(body string) console.Channel {
		return data[console.Channel](t, a.call("alice m", http.MethodPost, "/channels", body), http.StatusCreated)
	}
	hook := bind(`{"provider": "generic-webhook", "channel_name": "Alarms"}`)
	result := data[console.TestResult](t, a.call("alice m", http.MethodPost, "/channels/"+hook.ID+"/test", ""), http.StatusOK)
	if result.StatusCode != http.StatusAccepted {
		t.Errorf("%+v", result)
	}
	list := decode[rest.List[rest.InboxThread]](t, a.call("alice r", http.MethodGet, "/inbox", ""), 200).Data
	if len(list) != 1 || list[0].Subject != "Test event" || !slices.Equal(list[0].Labels, []string{"test"}) {
		t.Errorf("the inbox: %+v", list)
	}
	bot := bind(`{"provider": "telegram", "connected_account_id": "` + a.bot() + `", "channel_name": "Bot"}`)
	if e := a.call("alice m", http.MethodPost, "/channels/"+bot.ID+"/test", "").problem(t, 422, inbox.CodeUnprocessed); !strings.Contains(e.Message, "write to the bot") {
		t.Errorf("of a bot: %s", e.Message)
	}
	a.call("alice m", http.MethodPost, "/channels/soch_01kc0w3v2pf0bvd9m4v9wq7x5e/test", "").problem(t, 404, inbox.CodeNotFound)
	keys := data[[]console.Key](t, a.call("alice r", http.MethodGet, "/keys", ""), 200)
	if len(keys) != 2 || keys[0].Name != "test event" || keys[0].RevokedAt == nil || keys[0].ExpiresAt == nil {
		t.Errorf("keys: %+v", keys)
	}
	if log := a.log.String(); strings.Contains(log, "sk_") {
		t.Errorf("the log holds a key:\n%s", log)
	}
}
