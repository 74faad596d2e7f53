package telegram

import (
	"strconv"
	"strings"
)

// address is a conversation at Telegram. As an external thread id it reads
// "<chat>", "<chat>:<topic>" for a forum's topic, and "<chat>:dm<topic>" for one
// person's topic in a channel's direct messages.
type address struct {
	chat   int64
	topic  int64
	direct bool
}

func (a address) String() string {
	b := strconv.AppendInt(make([]byte, 0, 32), a.chat, 10)
	if a.topic != 0 {
		b = append(b, ':')
		if a.direct {
			b = append(b, "dm"...)
		}
		b = strconv.AppendInt(b, a.topic, 10)
	}
	return string(b)
}

func parseAddress(s string) (address, bool) {
	chat, topic, hasTopic := strings.Cut(s, ":")
	var a address
	var err error
	if a.chat, err = strconv.ParseInt(chat, 10, 64); err != nil || a.chat == 0 {
		return address{}, false
	}
	if hasTopic {
		topic, a.direct = strings.CutPrefix(topic, "dm")
		if a.topic, err = strconv.ParseInt(topic, 10, 64); err != nil || a.topic <= 0 {
			return address{}, false
		}
	}
	return a, true
}

// messageID is a message's external id. A message id is unique inside its chat
// only, and 0 stands for one that has none, such as a scheduled send's.
func messageID(chat, id int64) string {
	if chat == 0 || id == 0 {
		return ""
	}
	b := strconv.AppendInt(make([]byte, 0, 32), chat, 10)
	b = append(b, ':')
	return string(strconv.AppendInt(b, id, 10))
}

// parseMessageID reads an external message id. Others, such as a pressed
// button's, are no message that could be answered.
func parseMessageID(s string) (chat, id int64, ok bool) {
	c, m, found := strings.Cut(s, ":")
	if !found {
		return 0, 0, false
	}
	chat, err1 := strconv.ParseInt(c, 10, 64)
	id, err2 := strconv.ParseInt(m, 10, 64)
	return chat, id, err1 == nil && err2 == nil && id > 0
}
