package dev_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/dev"
	"github.com/open4x/socialops/runtime/dev/desk"
	"github.com/open4x/socialops/runtime/rest"
)

// samples makes a folder of manifests of its own.
func samples(t *testing.T) string {
	t.Helper()
	dir := folder(t)
	if err := os.CopyFS(dir, os.DirFS("../../config/samples")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// agent is somebody at the console.
type agent struct {
	*running
	token string
}

// signIn signs somebody in, the owner of the first inbox if nobody is named.
func (r *running) signIn(t *testing.T, body string) *agent {
	t.Helper()
	a := &agent{running: r}
	var s console.Session
	if status, text := a.ask(t, http.MethodPost, "/session", body, &s); status != http.StatusOK && status != http.StatusCreated {
		t.Fatalf("signing in: %d: %s", status, text)
	}
	a.token = s.Token
	return a
}

// ask makes a call of the console and reads its data.
func (a *agent) ask(t *testing.T, method, path, body string, data any) (int, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, a.base+console.BasePath+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		q.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if data != nil && resp.StatusCode < http.StatusMultipleChoices {
		if err := json.Unmarshal(text, &struct{ Data any }{data}); err != nil {
			t.Fatalf("%s: %v: %s", path, err, text)
		}
	}
	return resp.StatusCode, string(text)
}

// The console signs in whoever is at this machine, and nobody whom another site
// sends or who came by another name.
func TestConsoleLetsIn(t *testing.T) {
	t.Parallel()
	manifests := samples(t)
	write(t, filepath.Join(manifests, "first.yaml"), "apiVersion: socialops.dev/v1alpha1\nkind: SocialOpsInstance\nmetadata:\n  name: zlast\nspec:\n  alias: a-first\n  owner: bob\n")
	r := run(t, dev.Config{Listen: "127.0.0.1:0", DataDir: filepath.Join(folder(t), "data"), Manifests: manifests, TelegramAPIURL: "http://127.0.0.1:1"})
	port := r.base[strings.LastIndex(r.base, ":"):]
	const session, config, hook = console.BasePath + "/session", console.BasePath + "/config", rest.BasePath + "support/webhook/generic-webhook"
	for name, c := range map[string]struct {
		method, path, host string
		header             map[string]string
		status             int
	}{
		"by address":                             {"POST", session, "127.0.0.1" + port, nil, http.StatusCreated},
		"by name":                                {"POST", session, "localhost" + port, nil, http.StatusCreated},
		"by name, without a port":                {"POST", session, "LOCALHOST", nil, http.StatusCreated},
		"by IPv6":                                {"POST", session, "[::1]" + port, nil, http.StatusCreated},
		"by another name":                        {"POST", session, "evil.example" + port, nil, http.StatusMisdirectedRequest},
		"by a name that begins like ours":        {"POST", session, "localhost.evil.example" + port, nil, http.StatusMisdirectedRequest},
		"by another address":                     {"POST", session, "192.0.2.7" + port, nil, http.StatusMisdirectedRequest},
		"the configuration by another name":      {"GET", config, "evil.example", nil, http.StatusMisdirectedRequest},
		"the page by another name":               {"GET", "/", "evil.example", nil, http.StatusMisdirectedRequest},
		"from another site":                      {"POST", session, "", map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		"from another port":                      {"POST", session, "", map[string]string{"Sec-Fetch-Site": "same-site"}, http.StatusForbidden},
		"from another origin":                    {"POST", session, "", map[string]string{"Origin": "http://evil.example"}, http.StatusForbidden},
		"from our page":                          {"POST", session, "", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": r.base}, http.StatusCreated},
		"a link of another site's to the page":   {"GET", "/", "", map[string]string{"Sec-Fetch-Site": "cross-site", "Accept": "text/html"}, http.StatusOK},
		"a webhook under the name of a tunnel's": {"POST", hook, "tunnel.example", nil, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := strings.NewReader("{}")
			q, err := http.NewRequestWithContext(t.Context(), c.method, r.base+c.path, body)
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("Content-Type", "application/json")
			for k, v := range c.header {
				q.Header.Set(k, v)
			}
			q.Host = c.host
			resp, err := http.DefaultClient.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if text, _ := io.ReadAll(resp.Body); resp.StatusCode != c.status {
				t.Errorf("%d, want %d: %.200s", resp.StatusCode, c.status, text)
			}
		})
	}

	bob := r.signIn(t, "{}")
	var me console.Me
	if status, text := bob.ask(t, http.MethodGet, "/me", "", &me); status != http.StatusOK || me.Subject != "bob" || !slices.Contains(me.Permissions, "service:admin") {
		t.Errorf("signed in as %+v: %d: %s", me, status, text)
	}
	if status, _ := bob.ask(t, http.MethodGet, "/support/inbox", "", nil); status != http.StatusNotFound {
		t.Errorf("bob sees alice's inbox: %d", status)
	}
	reader := r.signIn(t, `{"subject":"alice","permissions":["service:read"]}`)
	if status, text := reader.ask(t, http.MethodGet, "/support/inbox", "", nil); status != http.StatusOK {
		t.Errorf("alice does not see her inbox: %d: %s", status, text)
	}
	if status, _ := reader.ask(t, http.MethodPost, "/support/channels", `{"provider":"generic-webhook","channel_name":"x"}`, nil); status != http.StatusForbidden {
		t.Errorf("who may read may bind channels: %d", status)
	}
}

// Channels are bound, changed and switched off in the folder's files.
func TestConsoleBindsChannels(t *testing.T) {
	t.Parallel()
	manifests := samples(t)
	r := run(t, dev.Config{Listen: "127.0.0.1:0", DataDir: filepath.Join(folder(t), "data"), Manifests: manifests, Demo: true})
	alice := r.signIn(t, "{}")
	file := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(manifests, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}

	var made console.Channel
	if status, text := alice.ask(t, http.MethodPost, "/support/channels", `{"provider":"generic-webhook","channel_name":"Alarms","external_channel_id":"alarms"}`, &made); status != http.StatusCreated {
		t.Fatalf("%d: %s", status, text)
	}
	if made.Health != "ok" || made.Status != "active" || !strings.HasPrefix(made.WebhookURL, r.base+rest.BasePath+"support/webhook/") {
		t.Errorf("once it is answered, it is %+v", made)
	}
	if text := file("console-" + made.Name + ".yaml"); !strings.HasPrefix(text, "# Made in the console by alice.\n") || !strings.Contains(text, "channelName: Alarms\n  externalChannelID: alarms\n") {
		t.Errorf("it wrote\n%s", text)
	}
	var test console.TestResult
	if status, text := alice.ask(t, http.MethodPost, "/support/channels/"+made.ID+"/test", "", &test); status != http.StatusOK || test.StatusCode != http.StatusAccepted {
		t.Errorf("a test event: %d: %s", status, text)
	}

	var channels []console.Channel
	alice.ask(t, http.MethodGet, "/support/channels", "", &channels)
	if len(channels) != 4 {
		t.Fatalf("%d channels: %+v", len(channels), channels)
	}
	bot := channels[slices.IndexFunc(channels, func(c console.Channel) bool { return c.Provider == "telegram" })]
	was := file("channels.yaml")
	var off console.Channel
	if status, text := alice.ask(t, http.MethodPatch, "/support/channels/"+bot.ID, `{"status":"inactive","channel_name":"Night shift"}`, &off); status != http.StatusOK || off.Status != "inactive" || off.Health != "off" || off.ChannelName != "Night shift" {
		t.Errorf("switched off, it is %+v: %d: %s", off, status, text)
	}
	want := strings.Replace(was, "  name: support-telegram\n", "  name: support-telegram\n  annotations:\n    socialops.dev/changed-by: alice\n", 1)
	want = strings.Replace(want, "channelName: Support Telegram\n  parseMode: HTML\n", "channelName: Night shift\n  parseMode: HTML\n  active: false\n", 1)
	if got := file("channels.yaml"); got != want {
		t.Errorf("the file is now\n%s", got)
	}
	if status, text := alice.ask(t, http.MethodPatch, "/support/channels/"+bot.ID, `{"external_channel_id":"@name"}`, nil); status/100 != 4 || !strings.Contains(text, "for telegram this is a numeric chat id") {
		t.Errorf("a chat that is none: %d: %s", status, text)
	}
	if got := file("channels.yaml"); got != want {
		t.Errorf("what was refused is written:\n%s", got)
	}
	if status, text := alice.ask(t, http.MethodPatch, "/support/channels/"+bot.ID, `{"status":"active"}`, &bot); status != http.StatusOK || bot.Health != "ok" {
		t.Errorf("switched on again, it is %+v: %d: %s", bot, status, text)
	}
}

// The demo's desk goes on turn by turn, thanks whoever answers from the console, and
// a later run takes up where the first one ended.
func TestDemoGoesOn(t *testing.T) {
	t.Parallel()
	data, manifests := filepath.Join(folder(t), "data"), samples(t)
	asked, tick := make(chan time.Duration), make(chan time.Time)
	c := dev.Config{Listen: "127.0.0.1:0", DataDir: data, Manifests: manifests, Demo: true, DemoFor: time.Hour, After: func(d time.Duration) <-chan time.Time {
		asked <- d
		return tick
	}}
	next := func() { // plays a turn, and returns when it is played
		tick <- time.Time{}
		<-asked
	}
	var before int
	for n, turns := range []int{3, desk.Round + 3} {
		r := run(t, c)
		if d := <-asked; d < 5*time.Second || d > 15*time.Second {
			t.Errorf("a turn is waited for %s", d)
		}
		for range 2 {
			next()
		}
		alice := r.signIn(t, "{}")
		list := func(query string) (threads []rest.InboxThread) {
			alice.ask(t, http.MethodGet, "/support/inbox?"+query, "", &threads)
			return threads
		}
		nadia := list("limit=2")
		i := slices.IndexFunc(nadia, func(th rest.InboxThread) bool { return th.Subject == "Nadia Benali" })
		if i < 0 {
			t.Fatalf("run %d: Nadia has not written: %+v", n+1, nadia)
		}
		if status, text := alice.ask(t, http.MethodPost, "/support/threads/"+nadia[i].ID+"/replies", `{"text":"Of course!"}`, nil); status != http.StatusCreated {
			t.Fatalf("%d: %s", status, text)
		}
		sim := regexp.MustCompile(`Telegram simulator at (http://\S+?)\.\n`).FindStringSubmatch(r.out.String())[1]
		awaitSent(t, sim, "Of course!")
		next() // instead of the third turn
		var messages []rest.Message
		alice.ask(t, http.MethodGet, "/support/threads/"+nadia[i].ID+"/messages?order=newest&limit=1", "", &messages)
		if len(messages) != 1 || messages[0].Text != desk.Thanks(0) {
			t.Errorf("run %d: she answers %+v", n+1, messages)
		}
		next()
		b, err := os.ReadFile(filepath.Join(data, "demo.json"))
		if want := `{"runs":` + string(rune('1'+n)) + `,"turns":`; err != nil || !bytes.HasPrefix(b, []byte(want)) {
			t.Errorf("run %d: it notes %s, %v", n+1, b, err)
		}
		var noted struct{ Turns int }
		if err := json.Unmarshal(b, &noted); err != nil || noted.Turns != turns {
			t.Errorf("run %d: %d turns are noted, want %d", n+1, noted.Turns, turns)
		}
		all := list("limit=100&status=open,pending,resolved,archived")
		if n == 1 && len(all) != before {
			t.Errorf("the second run made %d conversations of the first one's %d", len(all), before)
		}
		before = len(all)
		stopped := make(chan struct{})
		go func() { // the desk may be about to ask once more
			select {
			case <-asked:
			case <-stopped:
			}
		}()
		if err := r.stop(); err != nil {
			t.Errorf("stopped, it returned %v", err)
		}
		close(stopped)
	}
}

// awaitSent waits until the simulator has seen a message.
func awaitSent(t *testing.T, sim, text string) {
	t.Helper()
	for late := time.Now().Add(patience); time.Now().Before(late); time.Sleep(10 * time.Millisecond) {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, sim+"/sim/sent", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) {
			return
		}
	}
	t.Fatalf("%q was not delivered", text)
}
