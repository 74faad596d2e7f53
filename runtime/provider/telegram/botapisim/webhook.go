package botapisim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-telegram/bot/models"
)

// webhook is where a bot's updates go.
type webhook struct {
	url            string
	secret         string
	allowed        []string // nil: never set
	maxConnections int
	lastError      string
	lastErrorAt    time.Time
}

// onRequest are the kinds of updates that Telegram sends only when asked for.
var onRequest = []string{models.AllowedUpdateChatMember, models.AllowedUpdateMessageReaction, models.AllowedUpdateMessageReactionCount}

func (h *webhook) wants(kind string) bool {
	if len(h.allowed) == 0 {
		return !slices.Contains(onRequest, kind)
	}
	return slices.Contains(h.allowed, kind)
}

func (b *bot) setWebhook(a args) result {
	if a["url"] == "" {
		return b.deleteWebhook(a)
	}
	u, err := url.Parse(a["url"])
	switch {
	case err != nil || u.Host == "":
		return failed(http.StatusBadRequest, "Bad Request: invalid webhook URL specified")
	case u.Scheme != "https" && (b.sim.o.HTTPSOnly || u.Scheme != "http"):
		return failed(http.StatusBadRequest, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
	}
	secret := a["secret_token"]
	if len(secret) > 256 {
		return failed(http.StatusBadRequest, "Bad Request: secret token is too long")
	}
	unallowed := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-'
	}
	if strings.ContainsFunc(secret, unallowed) {
		return failed(http.StatusBadRequest, "Bad Request: secret token contains unallowed characters")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	allowed := b.hook.allowed // leaving the list out keeps the one before
	if list, ok := a["allowed_updates"]; ok {
		allowed = nil
		if json.Unmarshal([]byte(list), &allowed) != nil {
			return failed(http.StatusBadRequest, "Bad Request: can't parse allowed updates JSON object")
		}
	}
	most := int(a.int("max_connections"))
	if most <= 0 || most > 100 {
		most = 40
	}
	b.dropPending(a)
	b.hook = webhook{url: a["url"], secret: secret, allowed: allowed, maxConnections: most}
	b.wakeUp()
	return result{status: http.StatusOK, value: true, description: "Webhook was set"}
}

func (b *bot) deleteWebhook(a args) result {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropPending(a)
	b.hook = webhook{allowed: b.hook.allowed}
	return done(true)
}

// dropPending forgets the updates that wait, when asked to. b.mu is held.
func (b *bot) dropPending(a args) {
	if a["drop_pending_updates"] != "true" && a["drop_pending_updates"] != "True" {
		return
	}
	for _, d := range b.pending {
		d.end(0, nil)
	}
	b.pending = nil
}

func (b *bot) getWebhookInfo(args) result {
	b.mu.Lock()
	defer b.mu.Unlock()
	info := models.WebhookInfo{
		URL:                b.hook.url,
		PendingUpdateCount: len(b.pending),
		LastErrorMessage:   b.hook.lastError,
		MaxConnections:     b.hook.maxConnections,
		AllowedUpdates:     b.hook.allowed,
	}
	if !b.hook.lastErrorAt.IsZero() {
		info.LastErrorDate = int(b.hook.lastErrorAt.Unix())
	}
	return done(info)
}

// Delivery is an update on its way to the webhook.
type Delivery struct {
	UpdateID int64
	Body     []byte // as it is posted
	done     chan struct{}
	status   int
	answer   []byte
}

// Wait waits until the webhook took the update and returns its answer. The
// status is 0 for an update that the webhook did not ask for or that was dropped.
func (d *Delivery) Wait(ctx context.Context) (status int, answer []byte, err error) {
	select {
	case <-d.done:
		return d.status, d.answer, nil
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	}
}

func (d *Delivery) end(status int, answer []byte) {
	d.status, d.answer = status, answer
	close(d.done)
}

// enqueue gives an update its id and has it posted. b.mu is held.
func (b *bot) enqueue(u *models.Update, kind string) *Delivery {
	d := &Delivery{done: make(chan struct{})}
	if !b.hook.wants(kind) {
		d.end(0, nil)
		return d
	}
	b.lastUpdate++
	u.ID = 700000000 + b.lastUpdate
	body, err := json.Marshal(u)
	if err != nil {
		panic("botapisim: an update that is none: " + err.Error())
	}
	d.UpdateID, d.Body = u.ID, body
	b.pending = append(b.pending, d)
	b.wakeUp()
	return d
}

// wakeUp sees to it that pending updates are posted. b.mu is held.
func (b *bot) wakeUp() {
	if len(b.pending) == 0 || b.hook.url == "" {
		return
	}
	if !b.posting {
		b.posting = true
		b.sim.start(b.post)
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// post posts updates in order until the simulator ends.
func (b *bot) post() {
	delay := b.sim.o.RetryDelay
	for {
		b.mu.Lock()
		var d *Delivery
		hook := b.hook
		if len(b.pending) > 0 && hook.url != "" {
			d = b.pending[0]
		}
		b.mu.Unlock()
		var again <-chan time.Time
		if d != nil {
			status, answer, err := b.postOne(hook, d)
			b.mu.Lock()
			if err == nil {
				if len(b.pending) > 0 && b.pending[0] == d { // else it was dropped meanwhile
					b.pending = b.pending[1:]
					d.end(status, answer)
				}
				b.hook.lastError, b.hook.lastErrorAt = "", time.Time{}
			} else {
				b.hook.lastError, b.hook.lastErrorAt = err.Error(), b.sim.o.Now()
			}
			b.mu.Unlock()
			if err == nil {
				delay = b.sim.o.RetryDelay
				continue
			}
			again = time.After(delay)
			delay = min(2*delay, 64*b.sim.o.RetryDelay)
		}
		select {
		case <-b.sim.ctx.Done():
			return
		case <-again:
		case <-b.wake:
		}
	}
}

// postOne posts one update as Telegram does. Any answer but a 2xx is an error.
func (b *bot) postOne(hook webhook, d *Delivery) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(b.sim.ctx, http.MethodPost, hook.url, bytes.NewReader(d.Body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if hook.secret != "" {
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", hook.secret)
	}
	resp, err := b.sim.o.WebhookClient.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("Connection failed: %w", err) //nolint:staticcheck // Telegram's words
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && (resp.StatusCode < 200 || resp.StatusCode > 299) {
		err = fmt.Errorf("Wrong response from the webhook: %s", resp.Status) //nolint:staticcheck // Telegram's words
	}
	return resp.StatusCode, answer, err
}
