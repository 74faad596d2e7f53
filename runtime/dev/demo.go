package dev

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/go-telegram/bot/models"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/dev/manifests"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
	"github.com/open4x/socialops/runtime/rest"
)

//go:embed demo_issue.json
var demoIssue []byte

// demoEvent is the specification's own example.
const demoEvent = `{"event_id":"evt_1001","thread_id":"incident_42","title":"Incident opened","text":"API latency is high","user":{"id":"monitor"},"labels":["ops","urgent"],"priority":"high"}`

var jane = models.User{ID: 4711, FirstName: "Jane", LastName: "Doe", Username: "janedoe", LanguageCode: "en"}

const demoReply = "Thanks, we are checking this now."

// demoPatience bounds each step: on a machine where one takes longer, something is wrong.
const demoPatience = 15 * time.Second

// demo plays an inbox's life against a Telegram simulator: an event of each
// provider comes in, a reply goes out. A second run finds the first one's rows:
// the same events are duplicates.
type demo struct {
	sim    *botapisim.Sim
	client *http.Client
	clock  atomic.Pointer[time.Time] // of the simulator, while the past is played; nil: now
}

func (d *demo) now() time.Time {
	if t := d.clock.Load(); t != nil {
		return *t
	}
	return time.Now()
}

func newDemo(c *Config) (*demo, error) {
	d := &demo{client: &http.Client{Timeout: demoPatience}}
	if c.TelegramAPIURL != "" {
		return d, nil // somebody else's simulator: there are no people in it to play
	}
	sim, err := botapisim.Start(botapisim.Options{AnyBot: true, Control: true, Now: d.now})
	if err != nil {
		return nil, fmt.Errorf("starting the Telegram simulator: %w", err)
	}
	d.sim, c.TelegramAPIURL = sim, sim.URL()
	return d, nil
}

func (d *demo) close() {
	if d.sim != nil {
		d.sim.Close()
	}
}

// stage is what the demo found in the manifests to play with.
type stage struct {
	alias    string
	owner    string
	base     string
	key      string
	botToken string
	secret   string // of the GitHub webhook
	thread   string // the customer's
}

func (d *demo) run(ctx context.Context, p *process) error {
	s, err := d.stage(p)
	if err != nil {
		return fmt.Errorf("the demo can't be played: %w", err)
	}
	var pl *player
	p.sayf("SocialOps is at %s, with the inbox %q and a Telegram simulator at %s.\n\n", p.PublicURL, s.alias, p.TelegramAPIURL)
	for _, step := range []struct {
		what string
		do   func(context.Context, *process, *stage) (string, error)
	}{
		{"generic-webhook: somebody's monitoring posts JSON", d.generic},
		{"telegram: a customer writes to the bot", d.customer},
		{"github: a webhook tells of an issue", d.issue},
		{"a reply is queued, and the worker delivers it", d.reply},
		{"a small support desk has had three weeks", func(ctx context.Context, p *process, s *stage) (said string, err error) {
			if pl, err = d.newPlayer(p, s); err != nil {
				return "", err
			}
			return pl.past(ctx)
		}},
	} {
		said, err := step.do(ctx, p, s)
		if err != nil {
			return fmt.Errorf("demo: %s: %w", step.what, err)
		}
		p.sayf("  ✓ %-52s %s\n", step.what, said)
	}
	if err := d.showInbox(ctx, p, s); err != nil {
		return fmt.Errorf("demo: showing the inbox: %w", err)
	}
	p.sayf("\nGo on with:\n%s", p.examples(s.alias))
	p.invite()
	return pl.live(ctx)
}

// stage finds the first inbox that is served, its key and its accounts' secrets.
func (d *demo) stage(p *process) (*stage, error) {
	aliases := p.tenants.aliases()
	if len(aliases) == 0 {
		return nil, fmt.Errorf("%s holds no SocialOpsInstance that is ready", p.Manifests)
	}
	s := &stage{alias: aliases[0], base: p.PublicURL + rest.BasePath + aliases[0]}
	b, err := os.ReadFile(KeyFile(p.DataDir, s.alias))
	if err != nil {
		return nil, fmt.Errorf("reading the inbox's key: %w", err)
	}
	s.key = strings.TrimSpace(string(b))
	set, _ := p.projector.inForce()
	for _, i := range set.Instances {
		if i.Spec.Alias == s.alias {
			s.owner = i.Spec.Owner
		}
	}
	for _, secret := range set.Secrets {
		switch v1alpha1.AccountKind(secret.Labels[v1alpha1.LabelConnectedAccount]) {
		case v1alpha1.AccountTelegramBot:
			s.botToken = content(secret, v1alpha1.KeyTelegramToken)
		case v1alpha1.AccountGitHubWebhook:
			s.secret = content(secret, v1alpha1.KeyGitHubSecret)
		}
	}
	if s.botToken == "" || s.secret == "" || d.sim == nil {
		return nil, errors.New("it needs the accounts of config/samples and the bundled simulator (leave out --telegram-api-url)")
	}
	return s, nil
}

func content(s *manifests.Secret, key string) string { return strings.TrimSpace(string(s.Data[key])) }

func (d *demo) generic(ctx context.Context, _ *process, s *stage) (string, error) {
	return d.post(ctx, s.base+"/webhook/generic-webhook", []byte(demoEvent), map[string]string{"X-API-Key": s.key})
}

func (d *demo) issue(ctx context.Context, _ *process, s *stage) (string, error) {
	return d.post(ctx, s.base+"/webhook/github", demoIssue, githubHeaders(s.secret, "issues", "72d3162e-cc78-11e3-81ab-4c9367dc0958", demoIssue))
}

// customer has a person write to the bot; the simulator posts it as Telegram would.
func (d *demo) customer(ctx context.Context, _ *process, s *stage) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	status, answer, err := d.sim.UserSays(s.botToken, botapisim.Private(jane), jane, "Hello, my order has not come. Can you help? 📦").Wait(ctx)
	if err != nil {
		return "", fmt.Errorf("waiting for the webhook's answer: %w", err)
	}
	if status == 0 {
		return "", errors.New("the bot's webhook is not registered with the simulator; the log says why")
	}
	r, err := readReceipt(status, answer)
	s.thread = r.ThreadID
	return r.String(), err
}

func (d *demo) reply(ctx context.Context, _ *process, s *stage) (string, error) {
	thread := "/threads/" + s.thread
	var queued struct {
		Data struct{ Message struct{ ID string } }
	}
	body, _ := json.Marshal(map[string]string{"text": demoReply}) // a map of texts always has JSON
	answered, err := d.call(ctx, http.MethodPost, s.base+thread+"/replies", body, map[string]string{"X-API-Key": s.key, "Idempotency-Key": "demo-reply"}, &queued)
	if err != nil {
		return "", err
	}
	began := time.Now()
	for {
		var messages struct {
			Data []struct {
				ID       string
				Delivery *struct{ Status, Error string }
			}
		}
		if err := d.get(ctx, s, thread+"/messages?limit=100", &messages); err != nil {
			return "", err
		}
		for _, m := range messages.Data {
			if m.ID != queued.Data.Message.ID || m.Delivery == nil {
				continue
			}
			switch m.Delivery.Status {
			case "completed":
				if answered.Get("Idempotency-Replayed") == "true" {
					return "delivered by an earlier run: its Idempotency-Key is known", nil
				}
				return fmt.Sprintf("delivered to the simulator in %d ms", time.Since(began).Milliseconds()), nil
			case "failed":
				return "", fmt.Errorf("the delivery failed: %s", m.Delivery.Error)
			}
		}
		if time.Since(began) > demoPatience {
			return "", errors.New("the reply is still not delivered")
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err() //nolint:wrapcheck // stopped by the person at the keyboard
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (d *demo) showInbox(ctx context.Context, p *process, s *stage) error {
	var list struct {
		Data []struct {
			ID, Provider, Status, Priority, Subject string
			Unread                                  int `json:"unread_count"`
			Contact                                 *struct{ Name string }
			LastMessage                             *struct{ Text, Direction string } `json:"last_message"`
		}
	}
	if err := d.get(ctx, s, "/inbox?limit=6", &list); err != nil {
		return err
	}
	p.sayf("\n")
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "PROVIDER\tSTATUS\tPRIORITY\tUNREAD\tCONTACT\tSUBJECT\tLAST MESSAGE")
	for _, t := range list.Data {
		contact, last := "", ""
		if t.Contact != nil {
			contact = t.Contact.Name
		}
		if t.LastMessage != nil {
			last = cut(t.LastMessage.Text, 40)
			if t.LastMessage.Direction == "outbound" {
				last = "→ " + last
			}
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", t.Provider, t.Status, t.Priority, t.Unread, contact, cut(t.Subject, 32), last)
	}
	return w.Flush() //nolint:wrapcheck // the writer's own error
}

// cut shortens a text to one line of at most n characters.
func cut(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
