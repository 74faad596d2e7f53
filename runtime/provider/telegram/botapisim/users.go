package botapisim

import (
	"slices"
	"strconv"

	"github.com/go-telegram/bot/models"
)

// Private is a person's private chat with a bot.
func Private(u models.User) models.Chat {
	return models.Chat{
		ID: u.ID, Type: models.ChatTypePrivate,
		FirstName: u.FirstName, LastName: u.LastName, Username: u.Username,
	}
}

// Resume has a bot go on as if it had sent n updates already and every chat had n
// messages, for who remembers an earlier simulator: the same ids would be repeats.
func (s *Sim) Resume(token string, n int64) {
	b := s.bot(token)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lastUpdate, b.resumed = max(b.lastUpdate, n), n
	for _, c := range b.chats {
		c.lastMessage = max(c.lastMessage, n)
	}
}

// Update sends a bot any update. Its id is given here; the chat and message ids
// that it names are known from then on.
func (s *Sim) Update(token string, kind string, u *models.Update) *Delivery {
	return s.update(token, kind, func(*bot) *models.Update { return u })
}

func (s *Sim) update(token, kind string, build func(*bot) *models.Update) *Delivery {
	b := s.bot(token)
	if b == nil {
		panic("botapisim: no bot has this token: add it first")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	u := build(b)
	for _, m := range []*models.Message{u.Message, u.EditedMessage, u.ChannelPost, u.EditedChannelPost} {
		if m != nil {
			c := b.chat(m.Chat.ID)
			c.Chat = m.Chat
			c.lastMessage = max(c.lastMessage, int64(m.ID))
		}
	}
	return b.enqueue(u, kind)
}

// message makes a message with the chat's next id. b.mu is held.
func (b *bot) message(in models.Chat, from models.User) *models.Message {
	c := b.chat(in.ID)
	c.lastMessage++
	return &models.Message{ID: int(c.lastMessage), Chat: in, From: &from, Date: int(b.sim.o.Now().Unix())}
}

// UserSays has someone write a text in a chat.
func (s *Sim) UserSays(token string, in models.Chat, from models.User, text string) *Delivery {
	return s.update(token, models.AllowedUpdateMessage, func(b *bot) *models.Update {
		m := b.message(in, from)
		m.Text = text
		return &models.Update{Message: m}
	})
}

// UserEdits has someone change a message of theirs.
func (s *Sim) UserEdits(token string, in models.Chat, from models.User, messageID int64, text string) *Delivery {
	return s.update(token, models.AllowedUpdateEditedMessage, func(b *bot) *models.Update {
		now := int(b.sim.o.Now().Unix())
		return &models.Update{EditedMessage: &models.Message{
			ID: int(messageID), Chat: in, From: &from, Date: now, EditDate: now, Text: text,
		}}
	})
}

// UserSendsFile has someone send a document.
func (s *Sim) UserSendsFile(token string, in models.Chat, from models.User, f File, caption string) *Delivery {
	ref := s.AddFile(f)
	return s.update(token, models.AllowedUpdateMessage, func(b *bot) *models.Update {
		m := b.message(in, from)
		m.Caption = caption
		m.Document = &models.Document{
			FileID: ref, FileUniqueID: "u" + ref, FileName: f.Name, MimeType: f.MIMEType, FileSize: int64(len(f.Content)),
		}
		return &models.Update{Message: m}
	})
}

// UserPresses has someone press a button under a message of the bot.
func (s *Sim) UserPresses(token string, in models.Chat, from models.User, messageID int64, button, data string) *Delivery {
	return s.update(token, models.AllowedUpdateCallbackQuery, func(b *bot) *models.Update {
		me := b.user()
		return &models.Update{CallbackQuery: &models.CallbackQuery{
			ID: strconv.FormatInt(1000000+b.lastUpdate, 10), From: from, Data: data, ChatInstance: "1",
			Message: models.MaybeInaccessibleMessage{Message: &models.Message{
				ID: int(messageID), Chat: in, From: &me, Date: int(b.sim.o.Now().Unix()), Text: "…",
				ReplyMarkup: &models.InlineKeyboardMarkup{
					InlineKeyboard: [][]models.InlineKeyboardButton{{{Text: button, CallbackData: data}}},
				},
			}},
		}}
	})
}

// UserReacts has someone set their reaction to a message, none for "".
func (s *Sim) UserReacts(token string, in models.Chat, from models.User, messageID int64, emoji string) *Delivery {
	return s.update(token, models.AllowedUpdateMessageReaction, func(b *bot) *models.Update {
		u := &models.MessageReactionUpdated{
			Chat: in, MessageID: int(messageID), User: &from, Date: int(b.sim.o.Now().Unix()),
			OldReaction: []models.ReactionType{}, NewReaction: []models.ReactionType{},
		}
		if emoji != "" {
			u.NewReaction = append(u.NewReaction, models.ReactionType{
				Type: models.ReactionTypeTypeEmoji, ReactionTypeEmoji: &models.ReactionTypeEmoji{Emoji: emoji},
			})
		}
		return &models.Update{MessageReaction: u}
	})
}

// UserBlocks has someone block the bot: what is sent to them is refused from then on.
func (s *Sim) UserBlocks(token string, u models.User) *Delivery {
	return s.membership(token, u, "Forbidden: bot was blocked by the user")
}

// UserUnblocks takes a block back.
func (s *Sim) UserUnblocks(token string, u models.User) *Delivery { return s.membership(token, u, "") }

func (s *Sim) membership(token string, u models.User, blocked string) *Delivery {
	return s.update(token, models.AllowedUpdateMyChatMember, func(b *bot) *models.Update {
		b.chat(u.ID).blocked = blocked
		me := b.user()
		member := models.ChatMember{Type: models.ChatMemberTypeMember, Member: &models.ChatMemberMember{User: &me}}
		banned := models.ChatMember{Type: models.ChatMemberTypeBanned, Banned: &models.ChatMemberBanned{User: &me}}
		was, is := banned, member
		if blocked != "" {
			was, is = member, banned
		}
		return &models.Update{MyChatMember: &models.ChatMemberUpdated{
			Chat: Private(u), From: u, Date: int(b.sim.o.Now().Unix()), OldChatMember: was, NewChatMember: is,
		}}
	})
}

// GroupMigrates turns a group into a supergroup: both chats tell it, and what is
// sent to the old one is refused with the new one's id from then on.
func (s *Sim) GroupMigrates(token string, group models.Chat, to int64) [2]*Delivery {
	super := group
	super.ID, super.Type = to, models.ChatTypeSupergroup
	told := s.update(token, models.AllowedUpdateMessage, func(b *bot) *models.Update {
		b.chat(group.ID).migratedTo = to
		m := b.message(group, models.User{ID: 1087968824, IsBot: true, FirstName: "Group", Username: "GroupAnonymousBot"})
		m.SenderChat, m.MigrateToChatID = &super, to
		return &models.Update{Message: m}
	})
	return [2]*Delivery{told, s.update(token, models.AllowedUpdateMessage, func(b *bot) *models.Update {
		m := b.message(super, models.User{ID: 1087968824, IsBot: true, FirstName: "Group", Username: "GroupAnonymousBot"})
		m.SenderChat, m.MigrateFromChatID = &super, group.ID
		return &models.Update{Message: m}
	})}
}

// Pending is how many updates of a bot its webhook has not taken yet.
func (s *Sim) Pending(token string) int {
	b := s.bot(token)
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.pending)
}

// Webhook is where a bot's updates go, and with which secret token and kinds.
func (s *Sim) Webhook(token string) (url, secret string, allowed []string) {
	b := s.bot(token)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hook.url, b.hook.secret, slices.Clone(b.hook.allowed)
}
