//go:build long && linux

package badday

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
	"github.com/open4x/socialops/runtime/rest"
)

const salesInstance = `apiVersion: socialops.dev/v1alpha1
kind: SocialOpsInstance
metadata:
  name: sales
spec:
  alias: sales
  owner: bob
`

// binding is a ChannelBinding of the samples' instance. Lines are further fields of its spec.
func binding(name, provider string, lines ...string) string {
	spec := ""
	for _, line := range lines {
		spec += "  " + line + "\n"
	}
	return fmt.Sprintf("apiVersion: socialops.dev/v1alpha1\nkind: ChannelBinding\nmetadata:\n  name: %s\nspec:\n  instanceRef:\n    name: support\n  provider: %s\n  channelName: %[1]s\n%[3]s",
		name, provider, spec)
}

// TestManifestsChange edits the folder of a dev mode that runs.
func TestManifestsChange(t *testing.T) {
	t.Parallel()
	sim, err := botapisim.Start(botapisim.Options{AnyBot: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	folder := copySamples(t)
	file := func(name string) string { return filepath.Join(folder, name) }
	write(t, file("sales.yaml"), salesInstance)
	write(t, file("broken.yaml"), "kind: [")
	write(t, file("channels.yaml"), binding("events", "generic-webhook")+"---\n"+
		binding("bot", "telegram", "connectedAccountRef:", "  name: support-bot")+"---\n"+
		binding("mistyped", "generic-webhook", "externalChanelID: x"))
	d := startDev(t, options{}, filepath.Join(newFolder(t), "data"), freeAddress(t), folder, "--telegram-api-url", sim.URL())
	support, sales := d.client("support"), d.client("sales")

	// What is wrong is told, and spoils nothing else.
	d.awaitLog(`a manifest is refused.*broken\.yaml`)
	d.awaitLog(`a manifest is refused.*channels\.yaml.*externalChanelID`)
	was := support.event(http.StatusAccepted, "evt_1", "incident")

	// Two aliases of one process are two inboxes.
	sales.event(http.StatusAccepted, "evt_1", "incident")
	for alias, key := range map[string]string{"sales": support.key, "support": sales.key} {
		c := newClient(t, "http://"+d.address+rest.BasePath+alias, key)
		c.call(http.MethodGet, "/threads", "").refused(t, http.StatusUnauthorized)
		c.call(http.MethodPost, "/webhook/generic-webhook", genericEvent("evt_2", "incident")).refused(t, http.StatusUnauthorized)
	}
	sales.call(http.MethodGet, "/threads/"+was.ThreadID, "").refused(t, http.StatusNotFound)
	nobody := newClient(t, "http://"+d.address+rest.BasePath+"nobody", support.key)
	nobody.call(http.MethodGet, "/threads", "").refused(t, http.StatusNotFound)

	rebind(t, d, sim, folder, was)

	// A manifest that goes takes its alias along, and not the data.
	if err := os.Remove(file("sales.yaml")); err != nil {
		t.Fatal(err)
	}
	until(t, "the alias is gone", func() bool {
		return sales.call(http.MethodGet, "/threads", "").StatusCode == http.StatusNotFound
	})
	write(t, file("sales.yaml"), salesInstance)
	until(t, "the alias is back", func() bool { return sales.call(http.MethodGet, "/threads", "").StatusCode == http.StatusOK })
	if n := len(get[rest.List[rest.Thread]](sales, "/threads").Data); n != 1 {
		t.Errorf("the alias came back with %d threads, want 1", n)
	}
	sales.event(http.StatusOK, "evt_1", "incident")

	// What was broken is taken in once it is whole.
	write(t, file("broken.yaml"), strings.NewReplacer("sales", "press").Replace(salesInstance))
	until(t, "the new alias is served", func() bool {
		_, err := os.Stat(filepath.Join(d.data, "keys", "press"))
		return err == nil && d.client("press").call(http.MethodGet, "/threads", "").StatusCode == http.StatusOK
	})
	d.consistent("support")
	d.consistent("sales")
	d.stop()
	_, secret, _ := sim.Webhook(sampleToken)
	d.quiet(support.key, sales.key, sampleToken, sampleSecret, secret)
}

// rebind binds channels anew between an event and its repeat. Identities hold no
// channel, so the repeat is still one, and conversations go on.
func rebind(t *testing.T, d *devMode, sim *botapisim.Sim, folder string, was rest.WebhookAnswer) {
	t.Helper()
	c := d.client("support")
	url, secret, _ := sim.Webhook(sampleToken)
	if want := c.base + "/webhook/telegram"; url != want || secret == "" {
		t.Fatalf("the bot's webhook is %q, want %q", url, want)
	}
	update := func(id, message int) string {
		return fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"date":1700000000,"chat":{"id":4711,"type":"private","first_name":"Jane"},"from":{"id":4711,"is_bot":false,"first_name":"Jane","last_name":"Doe"},"text":"my order has not come"}}`, id, message)
	}
	telegram := func(status, id, message int) (a rest.WebhookAnswer) {
		t.Helper()
		anonymous := newClient(t, c.base, "")
		anonymous.call(http.MethodPost, "/webhook/telegram", update(id, message), "X-Telegram-Bot-Api-Secret-Token: "+secret).decode(t, status, &a)
		return a
	}
	said := telegram(http.StatusAccepted, 1001, 1)
	channel := func(thread string) string {
		return get[rest.Envelope[rest.InboxThread]](c, "/threads/"+thread).Data.ChannelID
	}
	oldEvents, oldBot := channel(was.ThreadID), channel(said.ThreadID)

	write(t, filepath.Join(folder, "channels.yaml"), binding("events-anew", "generic-webhook")+"---\n"+
		binding("jane", "telegram", `externalChannelID: "4711"`, "connectedAccountRef:", "  name: support-bot"))
	n := 0
	until(t, "new events take the new channels", func() bool {
		n++
		if a := c.event(http.StatusAccepted, fmt.Sprint("more-", n), "incident"); a.ThreadID != was.ThreadID {
			t.Fatalf("an event of the same conversation went to %+v, want %s", a, was.ThreadID)
		}
		if a := telegram(http.StatusAccepted, 1001+n, 1+n); a.ThreadID != said.ThreadID {
			t.Fatalf("a message of the same chat went to %+v, want %s", a, said.ThreadID)
		}
		return channel(was.ThreadID) != oldEvents && channel(said.ThreadID) != oldBot
	})
	if a := c.event(http.StatusOK, "evt_1", "incident"); a.Status != "duplicate" || a.ThreadID != was.ThreadID || a.MessageID != was.MessageID {
		t.Errorf("the repeat through another channel: %+v, after %+v", a, was)
	}
	if a := telegram(http.StatusOK, 1001, 1); a.Status != "duplicate" || a.ThreadID != said.ThreadID || a.MessageID != said.MessageID {
		t.Errorf("the repeat through another binding of the bot: %+v, after %+v", a, said)
	}
	owner := d.owner()
	for table, want := range map[string]int{"thread": 2, "contact": 2, "message": 2 * (n + 1), "ledger": 2 * (n + 1)} {
		var rows int
		err := owner.QueryRow(t.Context(), `SELECT count(*) FROM `+table+` x JOIN instance i ON i.id = x.instance_id WHERE i.alias = 'support'`).Scan(&rows)
		if err != nil || rows != want {
			t.Errorf("%d rows in %s, want %d: %v", rows, table, want, err)
		}
	}
	owner.Close()
}
