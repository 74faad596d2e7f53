package telegram

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// Deliver sends one part. Markup that Telegram can't parse is a refusal without
// effect, so the same part then goes out as plain text at once.
func (p *Provider) Deliver(ctx context.Context, c provider.Credential, part provider.Reply) inbox.Outcome {
	refuse := func(reason string) inbox.Outcome { return inbox.Outcome{Kind: inbox.Refused, Reason: reason} }
	to, ok := parseAddress(part.ThreadExternalID)
	if !ok {
		return refuse("the thread is no Telegram chat")
	}
	token, ok := botToken(c.Secret)
	if !ok {
		return refuse("the connected account holds no bot token: put the one from @BotFather into it")
	}
	if blank(part.Text) {
		return refuse("Telegram takes no message without text")
	}
	ctx, cancel := context.WithTimeout(ctx, p.api.timeout) // both sends share it
	defer cancel()

	m := &bot.SendMessageParams{
		ChatID:    to.chat,
		Text:      part.Text,
		ParseMode: models.ParseMode(part.ParseMode),
	}
	if to.direct {
		m.DirectMessagesTopicID = int(to.topic)
	} else {
		m.MessageThreadID = int(to.topic)
	}
	if chat, id, ok := parseMessageID(part.ParentExternalID); ok && chat == to.chat {
		m.ReplyParameters = &models.ReplyParameters{MessageID: int(id), AllowSendingWithoutReply: true}
	}

	sent, f := p.send(ctx, token, m)
	if f != nil && m.ParseMode != "" && badMarkup(f) {
		m.Text, m.ParseMode = plainText(part.Text, part.ParseMode), ""
		if blank(m.Text) {
			return refuse(f.reason)
		}
		sent, f = p.send(ctx, token, m)
	}
	if f == nil {
		return inbox.Outcome{Kind: inbox.Delivered, ExternalID: sent}
	}
	return outcome(f, to)
}

// send sends a message and returns its external id.
func (p *Provider) send(ctx context.Context, token string, m *bot.SendMessageParams) (string, *failure) {
	var result json.RawMessage
	if f := p.api.call(ctx, token, "sendMessage", m, &result); f != nil {
		return "", f
	}
	var sent struct {
		ID   int64 `json:"message_id"`
		Chat struct {
			ID int64 `json:"id"`
		} `json:"chat"`
	}
	_ = json.Unmarshal(result, &sent) // Telegram has the message even if it doesn't say which: it said ok
	return messageID(sent.Chat.ID, sent.ID), nil
}

// outcome classifies a failed send to a conversation.
func outcome(f *failure, to address) inbox.Outcome {
	switch {
	case f.kind == notSent:
		return inbox.Outcome{Kind: inbox.Later, Reason: f.reason}
	case f.kind == slowDown:
		return inbox.Outcome{Kind: inbox.Later, RetryAfter: f.retryAfter, Reason: f.reason}
	case f.kind == refused && f.migrateTo != 0:
		to.chat = f.migrateTo
		return inbox.Outcome{Kind: inbox.Later, MigratedTo: to.String(), Reason: f.reason}
	case f.kind == refused && (f.status == http.StatusUnauthorized || f.status == http.StatusNotFound):
		return inbox.Outcome{Kind: inbox.Refused, Reason: f.reason + ": is the bot token still valid?"}
	case f.kind == refused:
		return inbox.Outcome{Kind: inbox.Refused, Reason: f.reason}
	}
	return inbox.Outcome{Kind: inbox.Unknown, Reason: f.reason}
}

// badMarkup tells whether Telegram refused a message for its formatting alone.
func badMarkup(f *failure) bool {
	if f.kind != refused || f.status != http.StatusBadRequest {
		return false
	}
	d := strings.ToLower(f.description)
	return strings.Contains(d, "can't parse entities") || strings.Contains(d, "entities_too_long") ||
		strings.Contains(d, "entities too long")
}
