package telegram

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-telegram/bot/models"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// Normalize reads an update. What makes no message here is an
// [provider.Ignored], so that Telegram, which repeats whatever is not answered
// with a 2xx, lets go of it.
func (*Provider) Normalize(r *provider.Request, account provider.Proof) (inbox.Inbound, error) {
	var u update
	if err := json.Unmarshal(r.Body, &u); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return inbox.Inbound{}, inbox.Errorf(inbox.CodeInvalid,
				"the body is not a Telegram update: %s has the wrong type", wrong.Field)
		}
		return inbox.Inbound{}, inbox.Errorf(inbox.CodeInvalid,
			"the body is not a Telegram update: send the update's JSON object as Telegram does")
	}
	if u.ID == nil {
		return inbox.Inbound{}, inbox.Errorf(inbox.CodeInvalid, "the body is not a Telegram update: update_id is missing")
	}
	in := inbox.Inbound{
		Provider:    name,
		Source:      account.Source,
		EventID:     "update:" + strconv.FormatInt(*u.ID, 10),
		ContentType: r.Header.Get("Content-Type"),
		Raw:         r.Body,
	}
	if in.Source == "" {
		in.Source = name
	}
	var err error
	switch {
	case u.Message != nil:
		err = u.Message.normalize(&in, inbox.AddMessage, r.Body, "message")
	case u.EditedMessage != nil:
		err = u.EditedMessage.normalize(&in, inbox.EditMessage, r.Body, "edited_message")
	case u.ChannelPost != nil:
		err = u.ChannelPost.normalize(&in, inbox.AddMessage, r.Body, "channel_post")
	case u.EditedChannelPost != nil:
		err = u.EditedChannelPost.normalize(&in, inbox.EditMessage, r.Body, "edited_channel_post")
	case u.CallbackQuery != nil:
		err = u.CallbackQuery.normalize(&in)
	case u.MyChatMember != nil:
		err = u.MyChatMember.normalize(&in)
	case u.MessageReaction != nil:
		err = u.MessageReaction.normalize(&in)
	default:
		err = provider.Ignored{Reason: "unsupported update: " + kindOfUpdate(r.Body)}
	}
	if err != nil {
		return inbox.Inbound{}, err
	}
	return in, nil
}

func missing(field string) error {
	return inbox.Errorf(inbox.CodeInvalid, "the body is not a Telegram update: %s is missing", field)
}

// normalize makes a message or an edit of one, or a migration. body and field
// are where m stands in the update, to look up what m does not decode.
func (m *message) normalize(in *inbox.Inbound, kind inbox.InboundKind, body []byte, field string) error {
	if m.Chat.ID == 0 {
		return missing(field + ".chat.id")
	}
	if m.MigrateTo != 0 || m.MigrateFrom != 0 {
		m.migration(in)
		return nil
	}
	in.Kind = kind
	in.Target = strconv.FormatInt(m.Chat.ID, 10)
	in.Thread = inbox.InboundThread{ExternalID: m.address().String(), Subject: m.subject()}
	in.Contact = m.author()
	in.Message = inbox.InboundMessage{
		ExternalID: messageID(m.Chat.ID, m.ID),
		ParentID:   m.parent(),
		GroupID:    m.MediaGroupID,
		URL:        m.url(),
		SentAt:     unixTime(m.Date),
	}
	if !m.content(&in.Message) {
		kind, known := uncommonKind(body, field)
		if known || kind == "" {
			return provider.Ignored{Reason: strings.TrimSuffix("service message: "+kind, ": ")}
		}
		// A kind of content that Telegram added since: a person should see that something came.
		in.Message.Type = kind
	}
	m.context(&in.Message)
	return nil
}

// address is the conversation. A message_thread_id without is_topic_message is a
// thread of answers in an ordinary group, no conversation of its own.
func (m *message) address() address {
	a := address{chat: m.Chat.ID}
	switch {
	case m.DirectMessagesTopic != nil && m.DirectMessagesTopic.TopicID > 0:
		a.topic, a.direct = m.DirectMessagesTopic.TopicID, true
	case m.IsTopicMessage && m.ThreadID > 0:
		a.topic = m.ThreadID
	}
	return a
}

func (m *message) subject() string {
	s := chatName(&m.Chat)
	if m.IsTopicMessage && m.ReplyTo != nil && m.ReplyTo.TopicCreated != nil && m.ReplyTo.TopicCreated.Name != "" {
		s += ": " + m.ReplyTo.TopicCreated.Name
	}
	return s
}

// author is who wrote: the chat on whose behalf it was, for an anonymous
// administrator, a channel's post or what a group got from its channel.
func (m *message) author() *inbox.InboundContact {
	switch {
	case m.SenderChat != nil && m.SenderChat.ID != 0:
		return chatContact(m.SenderChat)
	case m.From != nil && m.From.ID != 0:
		return userContact(m.From)
	}
	return nil
}

// parent is the message that this one answers. In a topic, what answers nothing
// says that it answers the topic's first message.
func (m *message) parent() string {
	if m.ReplyTo == nil || m.IsTopicMessage && m.ReplyTo.ID == m.ThreadID {
		return ""
	}
	return messageID(m.Chat.ID, m.ReplyTo.ID)
}

// url is the message's page. Only public groups and channels have one that does
// not show the chat's id.
func (m *message) url() string {
	if m.Chat.Username == "" || m.ID == 0 ||
		m.Chat.Type != models.ChatTypeSupergroup && m.Chat.Type != models.ChatTypeChannel {
		return ""
	}
	return "https://t.me/" + m.Chat.Username + "/" + strconv.FormatInt(m.ID, 10)
}

// migration says that a group became a supergroup. Telegram tells it twice, once
// in the old chat and once in the new one; both make the same event but for its id.
func (m *message) migration(in *inbox.Inbound) {
	from, to := m.Chat.ID, m.MigrateTo
	if m.MigrateFrom != 0 {
		from, to = m.MigrateFrom, m.Chat.ID
	}
	in.Kind = inbox.MigrateThread
	in.Target = strconv.FormatInt(from, 10)
	in.Thread = inbox.InboundThread{ExternalID: in.Target}
	in.MigratedTarget = strconv.FormatInt(to, 10)
	in.MigratedTo = in.MigratedTarget
}

// normalize makes a message of a pressed button.
func (q *callbackQuery) normalize(in *inbox.Inbound) error {
	if q.ID == "" {
		return missing("callback_query.id")
	}
	m := q.Message
	if m == nil {
		return provider.Ignored{Reason: "callback query of an inline message"}
	}
	if m.Chat.ID == 0 {
		return missing("callback_query.message.chat.id")
	}
	data := q.Data
	if data == "" {
		data = q.GameShortName
	}
	in.Kind = inbox.AddMessage
	in.Target = strconv.FormatInt(m.Chat.ID, 10)
	in.Thread = inbox.InboundThread{ExternalID: m.address().String(), Subject: m.subject()}
	in.Contact = userContact(&q.From)
	in.Message = inbox.InboundMessage{
		ExternalID: "callback:" + q.ID,
		ParentID:   messageID(m.Chat.ID, m.ID),
		Type:       "callback_query",
		Text:       data,
		Data:       map[string]any{"data": data},
	}
	if m.ReplyMarkup != nil {
		for _, row := range m.ReplyMarkup.Rows {
			for _, button := range row {
				if button.Data == q.Data && q.Data != "" && button.Text != "" {
					in.Message.Text = button.Text
				}
			}
		}
	}
	return nil
}

// normalize tells that a person blocked the bot or takes its messages again.
func (c *memberUpdate) normalize(in *inbox.Inbound) error {
	if c.Chat.ID == 0 {
		return missing("my_chat_member.chat.id")
	}
	if c.Chat.Type != models.ChatTypePrivate {
		return provider.Ignored{Reason: "membership in a group or channel"}
	}
	switch c.New.Status {
	case models.ChatMemberTypeBanned:
		in.Kind = inbox.BlockContact
	case models.ChatMemberTypeMember:
		in.Kind = inbox.AllowContact
	default:
		return provider.Ignored{Reason: "membership unchanged"}
	}
	in.Target = strconv.FormatInt(c.Chat.ID, 10)
	in.Thread = inbox.InboundThread{ExternalID: in.Target, Subject: chatName(&c.Chat)}
	if c.From.ID != 0 {
		in.Contact = userContact(&c.From)
	} else {
		in.Contact = chatContact(&c.Chat)
	}
	return nil
}

// normalize tells what someone's reactions to a message are now. Telegram does
// not say in which topic the message is: its external id finds it.
func (u *reactionUpdate) normalize(in *inbox.Inbound) error {
	if u.Chat.ID == 0 {
		return missing("message_reaction.chat.id")
	}
	if u.MessageID <= 0 {
		return missing("message_reaction.message_id")
	}
	in.Kind = inbox.React
	in.Target = strconv.FormatInt(u.Chat.ID, 10)
	in.Thread = inbox.InboundThread{ExternalID: in.Target, Subject: chatName(&u.Chat)}
	switch {
	case u.User != nil && u.User.ID != 0:
		in.Contact = userContact(u.User)
	case u.ActorChat != nil && u.ActorChat.ID != 0:
		in.Contact = chatContact(u.ActorChat)
	}
	in.Message = inbox.InboundMessage{
		ExternalID: messageID(u.Chat.ID, u.MessageID),
		Type:       "message_reaction",
		SentAt:     unixTime(u.Date),
	}
	for _, r := range u.New {
		switch {
		case r.Emoji != "":
			in.Message.Reaction = append(in.Message.Reaction, r.Emoji)
		case r.CustomEmojiID != "":
			in.Message.Reaction = append(in.Message.Reaction, "custom_emoji:"+r.CustomEmojiID)
		case r.Type == "paid":
			in.Message.Reaction = append(in.Message.Reaction, "⭐")
		}
	}
	return nil
}

func userContact(u *models.User) *inbox.InboundContact {
	return contact(u.ID, personName(u.FirstName, u.LastName), u.Username)
}

func chatContact(c *models.Chat) *inbox.InboundContact {
	return contact(c.ID, chatName(c), c.Username)
}

func contact(id int64, name, handle string) *inbox.InboundContact {
	if id == 0 {
		return nil
	}
	c := &inbox.InboundContact{ExternalID: strconv.FormatInt(id, 10), Name: name, Handle: handle}
	if handle != "" {
		c.URL = "https://t.me/" + handle
	}
	return c
}

func chatName(c *models.Chat) string {
	if c.Title != "" {
		return c.Title
	}
	if n := personName(c.FirstName, c.LastName); n != "" {
		return n
	}
	return c.Username
}

func personName(first, last string) string {
	if first == "" || last == "" {
		return first + last
	}
	return first + " " + last
}

func unixTime(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
