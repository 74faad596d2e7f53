package rest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// The inbox is read more often than all else, and a page of it by reflection took a
// third of a request's time. So its shapes write their own JSON: what encoding/json
// would write, byte by byte.

// jsonAppender writes its own JSON.
type jsonAppender interface{ appendJSON(b []byte) []byte }

// ownJSON tells whether the list's items write their own JSON.
func (l List[T]) ownJSON() bool {
	var item T
	_, is := any(&item).(jsonAppender)
	return is
}

func (l List[T]) appendJSON(b []byte) []byte {
	b = append(b, `{"success":`...)
	b = strconv.AppendBool(b, l.Success)
	b = append(b, `,"data":`...)
	if l.Data == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, '[')
		for i := range l.Data {
			if i > 0 {
				b = append(b, ',')
			}
			b = any(&l.Data[i]).(jsonAppender).appendJSON(b)
		}
		b = append(b, ']')
	}
	b = append(b, `,"pagination":`...)
	pagination, _ := json.Marshal(l.Pagination) // numbers and a cursor always have JSON
	return append(append(b, pagination...), '}')
}

func (t *InboxThread) appendJSON(b []byte) []byte {
	b = append(b, '{')
	b = t.appendFields(b)
	if t.Contact != nil {
		b = t.Contact.appendJSON(append(b, `,"contact":`...))
	}
	if t.LastMessage != nil {
		b = t.LastMessage.appendJSON(append(b, `,"last_message":`...))
	}
	return append(b, '}')
}

func (t *Thread) appendJSON(b []byte) []byte {
	return append(t.appendFields(append(b, '{')), '}')
}

func (t *Thread) appendFields(b []byte) []byte {
	b = appendText(append(b, `"id":`...), t.ID)
	b = appendText(append(b, `,"provider":`...), t.Provider)
	b = appendUnlessEmpty(b, `,"channel_id":`, t.ChannelID)
	b = appendUnlessEmpty(b, `,"contact_id":`, t.ContactID)
	b = appendText(append(b, `,"subject":`...), t.Subject)
	b = appendText(append(b, `,"ai_summary":`...), t.AISummary)
	b = appendText(append(b, `,"status":`...), string(t.Status))
	b = appendText(append(b, `,"priority":`...), string(t.Priority))
	if a := t.Assignee; a != nil {
		b = appendText(append(b, `,"assignee":{"id":`...), a.ID)
		b = appendText(append(b, `,"subject":`...), a.Subject)
		b = append(appendText(append(b, `,"name":`...), a.Name), '}')
	}
	b = append(b, `,"labels":`...)
	if t.Labels == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, '[')
		for i, l := range t.Labels {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, l)
		}
		b = append(b, ']')
	}
	b = appendText(append(b, `,"handler":`...), string(t.Handler))
	b = appendObject(append(b, `,"custom_data":`...), t.CustomData)
	b = strconv.AppendInt(append(b, `,"unread_count":`...), int64(t.UnreadCount), 10)
	b = appendTime(append(b, `,"last_message_at":`...), t.LastMessageAt)
	b = appendMoment(b, `,"expires_at":`, t.ExpiresAt)
	return appendTime(append(b, `,"created_at":`...), t.CreatedAt)
}

func (c *Contact) appendJSON(b []byte) []byte {
	b = appendText(append(b, `{"id":`...), c.ID)
	b = appendText(append(b, `,"name":`...), c.Name)
	b = appendUnlessEmpty(b, `,"handle":`, c.Handle)
	b = appendUnlessEmpty(b, `,"url":`, c.URL)
	b = appendUnlessEmpty(b, `,"avatar_url":`, c.AvatarURL)
	b = strconv.AppendBool(append(b, `,"blocked":`...), c.Blocked)
	return append(appendTime(append(b, `,"created_at":`...), c.CreatedAt), '}')
}

func (m *Message) appendJSON(b []byte) []byte {
	b = appendText(append(b, `{"id":`...), m.ID)
	b = appendText(append(b, `,"thread_id":`...), m.ThreadID)
	b = strconv.AppendInt(append(b, `,"seq":`...), m.Seq, 10)
	b = appendText(append(b, `,"direction":`...), string(m.Direction))
	b = appendText(append(b, `,"message_type":`...), m.MessageType)
	b = appendText(append(b, `,"text":`...), m.Text)
	b = appendText(append(b, `,"author":{"kind":`...), m.Author.Kind)
	b = appendUnlessEmpty(b, `,"id":`, m.Author.ID)
	b = append(appendText(append(b, `,"name":`...), m.Author.Name), '}')
	b = appendUnlessEmpty(b, `,"parent_id":`, m.ParentID)
	b = appendText(append(b, `,"origin":`...), string(m.Origin))
	b = appendUnlessEmpty(b, `,"url":`, m.URL)
	b = appendUnlessEmpty(b, `,"group_id":`, m.GroupID)
	if len(m.Data) > 0 {
		b = appendObject(append(b, `,"data":`...), m.Data)
	}
	b = append(b, `,"attachments":`...)
	if len(m.Attachments) == 0 && m.Attachments != nil {
		b = append(b, "[]"...)
	} else {
		b = appendPlain(b, m.Attachments)
	}
	b = appendMoment(b, `,"sent_at":`, m.SentAt)
	b = appendTime(append(b, `,"created_at":`...), m.CreatedAt)
	b = appendMoment(b, `,"edited_at":`, m.EditedAt)
	if d := m.Delivery; d != nil {
		b = appendText(append(b, `,"delivery":{"action_id":`...), d.ActionID)
		b = appendText(append(b, `,"status":`...), string(d.Status))
		b = strconv.AppendInt(append(b, `,"attempts":`...), int64(d.Attempts), 10)
		b = append(appendText(append(b, `,"error":`...), d.Error), '}')
	}
	return append(b, '}')
}

// appendPlain writes what is rare as encoding/json does.
func appendPlain(b []byte, v any) []byte {
	w := bytes.NewBuffer(b)
	_ = plainJSON(w, v) // of texts and numbers only
	return bytes.TrimSuffix(w.Bytes(), []byte{'\n'})
}

func appendUnlessEmpty(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	return appendText(append(b, name...), s)
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

func appendMoment(b []byte, name string, t *time.Time) []byte {
	if t == nil {
		return b
	}
	return appendTime(append(b, name...), *t)
}

// appendObject writes an object of the database's, which is compact but for blanks.
func appendObject(b []byte, o Object) []byte {
	if string(o) == "{}" {
		return append(b, o...)
	}
	return appendPlain(b, o)
}

const hex = "0123456789abcdef"

// appendText quotes a text as encoding/json does without escaping for HTML.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\b':
				b = append(b, '\\', 'b')
			case '\f':
				b = append(b, '\\', 'f')
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(append(b, s[start:i]...), `\ufffd`...)
			start = i + size
		case r == '\u2028', r == '\u2029':
			b = append(append(b, s[start:i]...), '\\', 'u', '2', '0', '2', hex[r&15])
			start = i + size
		}
		i += size
	}
	return append(append(b, s[start:]...), '"')
}

// mostKept bounds the buffers that are kept for the next answer.
const mostKept = 256 << 10

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// withBuffer lends f a buffer.
func withBuffer(f func(b []byte) []byte) {
	p := buffers.Get().(*[]byte)
	*p = f((*p)[:0])
	if cap(*p) <= mostKept {
		buffers.Put(p)
	}
}
