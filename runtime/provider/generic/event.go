package generic

import (
	"strconv"
	"strings"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// event is a body as it was sent: the fields of the package comment's table.
type event struct {
	eventID     string
	threadID    string
	title       string
	text        string
	user        user
	labels      []string
	priority    inbox.Priority
	messageID   string
	parentID    string
	kind        string // field type
	url         string
	sentAt      time.Time
	timestamp   time.Time
	channel     string
	source      string
	attachments []inbox.InboundAttachment
	data        map[string]any
}

type user struct {
	id, name, handle, url, avatarURL string
}

// read reads the whole body, which must be one object and nothing else.
func (e *event) read(r *reader) error {
	switch c := r.peek(); {
	case c == 0 && r.i == len(r.b):
		return inbox.Errorf(inbox.CodeInvalid, "the body is empty: want a JSON object such as %s", example)
	case c != '{':
		if err := r.skip(); err != nil {
			return r.noJSON(err)
		}
		return inbox.Errorf(inbox.CodeInvalid, "the body is %s: want a JSON object such as %s", kindOf(c), example)
	}
	if err := r.object(func(key []byte) error { return e.field(r, key) }); err != nil {
		return err
	}
	if r.peek(); r.i < len(r.b) {
		return r.bad("something follows the object: send one event a call")
	}
	return nil
}

// noJSON explains a body that does not even begin as JSON.
func (r *reader) noJSON(err error) error {
	if r.i == 0 {
		return inbox.Errorf(inbox.CodeInvalid, "the body is not JSON: want an object such as %s", example)
	}
	return err
}

func (e *event) field(r *reader, key []byte) (err error) {
	switch string(key) {
	case "event_id":
		e.eventID, err = r.id()
	case "thread_id":
		e.threadID, err = r.id()
	case "title":
		e.title, err = r.line(maxName)
	case "text":
		e.text, err = r.str()
	case "user":
		err = e.user.read(r)
	case "labels":
		e.labels, err = r.labels()
	case "priority":
		e.priority, err = r.priority()
	case "message_id":
		e.messageID, err = r.id()
	case "parent_id":
		e.parentID, err = r.id()
	case "type":
		e.kind, err = r.word()
	case "url":
		e.url, err = r.link()
	case "sent_at":
		e.sentAt, err = r.time()
	case "timestamp":
		e.timestamp, err = r.time()
	case "channel":
		e.channel, err = r.id()
	case "source":
		e.source, err = r.id()
	case "attachments":
		e.attachments, err = r.attachments()
	case "data":
		e.data, err = r.data()
	default:
		return r.skip()
	}
	if err != nil {
		return within(string(key), err)
	}
	return nil
}

func (u *user) read(r *reader) error {
	*u = user{}
	switch r.peek() {
	case '{':
	case 'n':
		return r.literal("null")
	default:
		return r.mismatch(`an object such as {"id": "monitor"}`)
	}
	err := r.object(func(key []byte) (err error) {
		switch string(key) {
		case "id":
			u.id, err = r.id()
		case "name":
			u.name, err = r.line(maxName)
		case "handle":
			u.handle, err = r.line(maxName)
		case "url":
			u.url, err = r.link()
		case "avatar_url":
			u.avatarURL, err = r.link()
		default:
			return r.skip()
		}
		if err != nil {
			return within(string(key), err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if u.id == "" && *u != (user{}) {
		return &fieldError{field: "id", what: "missing: it tells one user from another, whatever they are called"}
	}
	return nil
}

func (r *reader) attachments() ([]inbox.InboundAttachment, error) {
	switch r.peek() {
	case '[':
	case 'n':
		return nil, r.literal("null")
	default:
		return nil, r.mismatch("a list of objects")
	}
	var files []inbox.InboundAttachment
	err := r.list(func(i int) error {
		if i == maxAttachments {
			return fieldErrorf("more than %d attachments", maxAttachments)
		}
		file, err := r.attachment()
		if err != nil {
			return within("["+strconv.Itoa(i)+"]", err)
		}
		files = append(files, file)
		return nil
	})
	return files, err
}

func (r *reader) attachment() (file inbox.InboundAttachment, err error) {
	if r.peek() != '{' {
		return file, r.mismatch(`an object such as {"url": "https://…"}`)
	}
	err = r.object(func(key []byte) (err error) {
		switch string(key) {
		case "url":
			file.URL, err = r.link()
		case "name":
			file.Name, err = r.line(maxName)
		case "mime_type":
			file.MIMEType, err = r.line(maxMIMEType)
		case "size":
			file.Size, err = r.size()
		case "kind":
			file.Kind, err = r.word()
		default:
			return r.skip()
		}
		if err != nil {
			return within(string(key), err)
		}
		return nil
	})
	if err != nil {
		return file, err
	}
	if file.URL == "" {
		return file, &fieldError{field: "url", what: "missing: want the file's address, which begins with https:// or http://"}
	}
	if file.Kind == "" {
		file.Kind = fileKind(file.MIMEType)
	}
	return file, nil
}

// size reads a number of bytes.
func (r *reader) size() (int64, error) {
	switch c := r.peek(); {
	case c == 'n':
		return 0, r.literal("null")
	case c == '-', '0' <= c && c <= '9':
		digits, err := r.number()
		if err != nil {
			return 0, err
		}
		size, err := strconv.ParseInt(string(digits), 10, 64)
		if err != nil || size < 0 {
			return 0, fieldErrorf("want a whole number of bytes")
		}
		return size, nil
	default:
		return 0, r.mismatch("a number of bytes")
	}
}

func fileKind(mimeType string) string {
	for _, kind := range []string{"image", "video", "audio"} {
		if strings.HasPrefix(mimeType, kind+"/") {
			return kind
		}
	}
	return "file"
}
