package botapisim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-telegram/bot/models"
)

// bot is one bot's view: its chats, its webhook, and the updates that wait.
type bot struct {
	sim *Sim
	Bot
	id int64

	mu    sync.Mutex
	chats map[int64]*chat
	sends window // of all chats

	hook       webhook
	lastUpdate int64
	resumed    int64 // messages that each chat had before
	pending    []*Delivery
	wake       chan struct{} // holds a token when there is something to post
	posting    bool
}

// chat is one chat.
type chat struct {
	models.Chat
	lastMessage int64
	blocked     string // why the bot may not write: Telegram's words
	migratedTo  int64
	sends       window
}

func newBot(s *Sim, b Bot) *bot {
	return &bot{sim: s, Bot: b, id: botID(b.Token), chats: map[int64]*chat{}, wake: make(chan struct{}, 1)}
}

// chat finds a chat or makes it. b.mu is held.
func (b *bot) chat(id int64) *chat {
	c := b.chats[id]
	if c == nil {
		c = &chat{Chat: models.Chat{ID: id, Type: models.ChatTypePrivate}, lastMessage: b.resumed}
		switch {
		case id < -1000000000000:
			c.Type = models.ChatTypeSupergroup
		case id < 0:
			c.Type = models.ChatTypeGroup
		}
		b.chats[id] = c
	}
	return c
}

func (b *bot) user() models.User {
	return models.User{ID: b.id, IsBot: true, FirstName: b.Name, Username: b.Username}
}

func (b *bot) getMe(args) result {
	return done(struct {
		models.User
		CanJoinGroups bool `json:"can_join_groups"`
	}{b.user(), true})
}

// maxText bounds a message's text, in UTF-16 units once its markup is parsed.
const maxText = 4096

func (b *bot) sendMessage(a args) result {
	now := b.sim.o.Now()
	text, raw := a["text"], a["text"]
	switch {
	case !utf8.ValidString(raw):
		return failed(http.StatusBadRequest, "Bad Request: strings must be encoded in UTF-8")
	case raw == "":
		return failed(http.StatusBadRequest, "Bad Request: message text is empty")
	}
	if mode := a["parse_mode"]; mode != "" {
		var err error
		if text, err = parse(raw, mode); err != nil {
			return failed(http.StatusBadRequest, "Bad Request: "+err.Error())
		}
	}
	if blank(text) {
		return failed(http.StatusBadRequest, "Bad Request: text must be non-empty")
	}
	if utf16Len(text) > maxText {
		return failed(http.StatusBadRequest, "Bad Request: message is too long")
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	c, refused := b.destination(a["chat_id"])
	if c == nil {
		return refused
	}
	replyTo, refused := c.replyTo(a["reply_parameters"])
	if refused.status != 0 {
		return refused
	}
	if l := b.sim.o.Limits; l != nil {
		if wait := l.take(now, &b.sends, &c.sends, c.ID); wait > 0 {
			return result{
				status:      http.StatusTooManyRequests,
				description: "Too Many Requests: retry after " + strconv.Itoa(wait),
				retryAfter:  wait,
			}
		}
	}
	c.lastMessage++
	thread := a.int("message_thread_id")
	b.sim.record.send(Sent{
		BotID: b.id, ChatID: c.ID, ThreadID: thread, MessageID: c.lastMessage, ReplyTo: replyTo,
		Text: text, Raw: raw, ParseMode: a["parse_mode"], At: now,
	})
	return done(sentMessage{
		MessageID: c.lastMessage, ThreadID: thread, IsTopic: thread != 0,
		From: b.user(), Chat: c.Chat, Date: now.Unix(), Text: text,
	})
}

type sentMessage struct {
	MessageID int64       `json:"message_id"`
	ThreadID  int64       `json:"message_thread_id,omitempty"`
	IsTopic   bool        `json:"is_topic_message,omitempty"`
	From      models.User `json:"from"`
	Chat      models.Chat `json:"chat"`
	Date      int64       `json:"date"`
	Text      string      `json:"text"`
}

// destination finds the chat to write to, or tells why not. b.mu is held.
func (b *bot) destination(chatID string) (*chat, result) {
	if chatID == "" {
		return nil, failed(http.StatusBadRequest, "Bad Request: chat_id is empty")
	}
	notFound := failed(http.StatusBadRequest, "Bad Request: chat not found")
	var c *chat
	id, err := strconv.ParseInt(chatID, 10, 64)
	if err != nil {
		username := strings.TrimPrefix(chatID, "@")
		for _, known := range b.chats {
			if strings.EqualFold(known.Username, username) {
				c = known
			}
		}
	} else if c = b.chats[id]; c == nil && !b.sim.o.KnownChatsOnly && id != 0 {
		c = b.chat(id)
	}
	switch {
	case c == nil:
		return nil, notFound
	case c.migratedTo != 0:
		return nil, result{
			status:      http.StatusBadRequest,
			description: "Bad Request: group chat was upgraded to a supergroup chat",
			migrateTo:   c.migratedTo,
		}
	case c.blocked != "":
		return nil, failed(http.StatusForbidden, c.blocked)
	}
	return c, result{}
}

// replyTo reads reply_parameters.
func (c *chat) replyTo(parameters string) (int64, result) {
	if parameters == "" {
		return 0, result{}
	}
	var p struct {
		MessageID int64 `json:"message_id"`
		Anyway    bool  `json:"allow_sending_without_reply"`
	}
	if json.Unmarshal([]byte(parameters), &p) != nil {
		return 0, failed(http.StatusBadRequest, "Bad Request: can't parse reply parameters JSON object")
	}
	switch {
	case p.MessageID > 0 && p.MessageID <= c.lastMessage:
		return p.MessageID, result{}
	case p.Anyway:
		return 0, result{}
	}
	return 0, failed(http.StatusBadRequest, "Bad Request: message to be replied not found")
}

// Limits are what Telegram allows to be sent.
type Limits struct {
	PerSecond      int           // of one bot, in any second
	PrivateSpacing time.Duration // between two messages to one person
	GroupPerMinute int           // to one group, in any minute
}

// TelegramLimits are those that Telegram documents. Messages to one person may
// come a tenth closer than a second, as the way there is not equally long for all.
var TelegramLimits = Limits{PerSecond: 30, PrivateSpacing: 900 * time.Millisecond, GroupPerMinute: 20}

// take counts a message if it is allowed, else tells how many seconds to wait.
func (l *Limits) take(now time.Time, all, one *window, chatID int64) int {
	wait := all.wait(now, l.PerSecond, time.Second)
	if chatID < 0 {
		wait = max(wait, one.wait(now, l.GroupPerMinute, time.Minute))
	} else {
		wait = max(wait, one.wait(now, 1, l.PrivateSpacing))
	}
	if wait > 0 {
		return int((wait + time.Second - 1) / time.Second)
	}
	all.add(now)
	one.add(now)
	return 0
}

// window remembers when the last messages were sent.
type window struct{ times []time.Time }

// wait is how long until one more is allowed where most are in any period.
func (w *window) wait(now time.Time, most int, period time.Duration) time.Duration {
	if most <= 0 || period <= 0 || len(w.times) < most {
		return 0
	}
	return w.times[len(w.times)-most].Add(period).Sub(now)
}

func (w *window) add(now time.Time) {
	const kept = 64
	if len(w.times) >= 2*kept {
		w.times = append(w.times[:0], w.times[len(w.times)-kept:]...)
	}
	w.times = append(w.times, now)
}
