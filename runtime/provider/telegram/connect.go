package telegram

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// allowedUpdates is always sent: leaving the list out keeps the one before, and
// an empty one leaves reactions out.
var allowedUpdates = []string{
	models.AllowedUpdateMessage,
	models.AllowedUpdateEditedMessage,
	models.AllowedUpdateChannelPost,
	models.AllowedUpdateEditedChannelPost,
	models.AllowedUpdateCallbackQuery,
	models.AllowedUpdateMyChatMember,
	models.AllowedUpdateMessageReaction,
}

const maxConnections = 40

// Identify asks whose the token is.
func (p *Provider) Identify(ctx context.Context, secret []byte) (provider.Identity, error) {
	var me models.User
	if err := p.connect(ctx, secret, "getMe", struct{}{}, &me); err != nil {
		return provider.Identity{}, err
	}
	if me.ID == 0 {
		return provider.Identity{}, inbox.Errorf(inbox.CodeUnavailable, "the Bot API did not say whose the bot token is: try again")
	}
	id := provider.Identity{Source: name + ":" + strconv.FormatInt(me.ID, 10), Name: me.FirstName}
	if me.Username != "" {
		id.Name = "@" + me.Username
	}
	return id, nil
}

// Webhook asks where the bot's updates go.
func (p *Provider) Webhook(ctx context.Context, c provider.Credential) (string, error) {
	var info models.WebhookInfo
	if err := p.connect(ctx, c.Secret, "getWebhookInfo", struct{}{}, &info); err != nil {
		return "", err
	}
	return info.URL, nil
}

// SetWebhook sends the bot's updates to w. Those that wait are kept.
func (p *Provider) SetWebhook(ctx context.Context, c provider.Credential, w provider.Webhook) error {
	if !validSecretToken(w.Secret) {
		return inbox.Errorf(inbox.CodeInvalid, "the webhook's secret token must be 1 to 256 of A-Z, a-z, 0-9, _ and -")
	}
	return p.connect(ctx, c.Secret, "setWebhook", &bot.SetWebhookParams{
		URL:            w.URL,
		SecretToken:    w.Secret,
		AllowedUpdates: allowedUpdates,
		MaxConnections: maxConnections,
	}, nil)
}

// DeleteWebhook stops updates. Those that wait are kept.
func (p *Provider) DeleteWebhook(ctx context.Context, c provider.Credential) error {
	return p.connect(ctx, c.Secret, "deleteWebhook", &bot.DeleteWebhookParams{}, nil)
}

// WebhookHash changes whenever SetWebhook would set something else.
func (*Provider) WebhookHash(w provider.Webhook) string {
	secret := sha256.Sum256([]byte(w.Secret))
	h := sha256.New()
	fmt.Fprintf(h, "%q %x %q %d", w.URL, secret, allowedUpdates, maxConnections)
	return hex.EncodeToString(h.Sum(nil))
}

// connect makes a call that may be repeated, and tells a failure as the domain does.
func (p *Provider) connect(ctx context.Context, secret []byte, method string, params, result any) error {
	token, ok := botToken(secret)
	if !ok {
		return inbox.Errorf(inbox.CodeUnproven, "this is no bot token: use the one from @BotFather, such as 123456789:AA…")
	}
	f := p.api.call(ctx, token, method, params, result)
	switch {
	case f == nil:
		return nil
	case f.kind == refused && (f.status == http.StatusUnauthorized || f.status == http.StatusNotFound):
		return inbox.Errorf(inbox.CodeUnproven, "Telegram does not know this bot token (%s): use the one from @BotFather", f.description)
	case f.kind == refused:
		return inbox.Errorf(inbox.CodeUnprocessed, "%s failed: %s", method, f.reason)
	case f.kind == slowDown:
		return inbox.Errorf(inbox.CodeUnavailable, "%s failed: %s: try again after %s", method, f.reason, f.retryAfter)
	}
	return inbox.Errorf(inbox.CodeUnavailable, "%s failed: %s: try again", method, f.reason)
}

func validSecretToken(s string) bool {
	if s == "" || len(s) > 256 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
