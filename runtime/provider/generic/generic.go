// Package generic takes events from anything that can post JSON: the provider
// "generic-webhook". The body is one object:
//
//	{
//	  "event_id": "evt_1001",
//	  "thread_id": "incident_42",
//	  "title": "Incident opened",
//	  "text": "API latency is high",
//	  "user": {"id": "monitor"},
//	  "labels": ["ops", "urgent"]
//	}
//
// No single field is required, but one of text, title, attachments and data must
// be there. A field of the wrong type is refused with its name; null is as good
// as leaving it out; a field that the table does not know is ignored and kept
// with the raw payload.
//
//	event_id     text or whole number, ≤ 512 bytes. A repeat is answered as a duplicate. Without it the
//	             call's Idempotency-Key header identifies the event; without either it is always new.
//	thread_id    text or whole number, ≤ 512 bytes: the conversation. Without it all events of one user are
//	             one conversation, and an event of nobody is a conversation of its own.
//	title        text, ≤ 1000 characters: the thread's subject, if it has none yet.
//	text         text: what the message says. Without it, the title.
//	user         object: who wrote. id (text or whole number, ≤ 512 bytes) is required in it; name and handle
//	             (≤ 1000 characters), url and avatar_url are not.
//	labels       list of ≤ 50 texts of ≤ 100 characters, added to the thread's.
//	priority     "low", "normal", "high" or "urgent": of a new thread; that of a known one is only ever raised.
//	message_id   text or whole number, ≤ 512 bytes: what a later event's parent_id may name.
//	parent_id    text or whole number, ≤ 512 bytes: message_id of the message that this one answers.
//	type         word of a-z, 0-9 and _, ≤ 64 bytes, such as "order_created" ("Order.Created" is understood).
//	             Without it: "text", or "data", or the kind of the first attachment, whichever there is first.
//	url          address of the message at its source.
//	sent_at      time as RFC 3339, or seconds or milliseconds since 1970; timestamp is another name for it.
//	channel      text or whole number, ≤ 512 bytes: what a channel binding may name as its external channel;
//	             source is another name for it.
//	attachments  list of ≤ 50 objects: url (required), name (≤ 1000 characters), mime_type (≤ 255), size in
//	             bytes, kind ("image", "video", "audio", "file", …; without it by the mime_type).
//	data         object of ≤ 64 KiB: structured content that is shown with the message.
//
// Addresses are absolute, http or https, ≤ 4096 bytes. Where two names stand for
// one thing, the first wins; where a field is there twice, the last one does.
package generic

import (
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// Name is the provider's name, and the source of its events' identities.
const Name = "generic-webhook"

const example = `{"thread_id": "incident_42", "text": "API latency is high"}`

// Provider is the generic webhook. It has no state.
type Provider struct{}

// New makes the provider.
func New() Provider { return Provider{} }

// Name is "generic-webhook".
func (Provider) Name() string { return Name }

// Authenticate reports false: a generic call proves itself by API key only.
func (Provider) Authenticate(*provider.Request, []provider.Proof) (provider.Proof, bool) {
	return provider.Proof{}, false
}

// Normalize reads an event. Every event adds a message.
func (Provider) Normalize(r *provider.Request, _ provider.Proof) (inbox.Inbound, error) {
	var e event
	if err := e.read(newReader(r.Body)); err != nil {
		return inbox.Inbound{}, invalid(err)
	}
	if err := e.complete(r.Header); err != nil {
		return inbox.Inbound{}, err
	}
	in := inbox.Inbound{
		Provider: Name,
		Source:   Name,
		EventID:  e.eventID,
		Kind:     inbox.AddMessage,
		Target:   e.channel,
		Thread: inbox.InboundThread{
			ExternalID: e.threadID,
			Subject:    e.title,
			Labels:     e.labels,
			Priority:   e.priority,
		},
		Message: inbox.InboundMessage{
			ExternalID:  e.messageID,
			ParentID:    e.parentID,
			Type:        e.kind,
			Text:        e.text,
			URL:         e.url,
			SentAt:      e.sentAt,
			Attachments: e.attachments,
			Data:        e.data,
		},
		// Whatever the header says, it has just been read as JSON.
		ContentType: "application/json",
		Raw:         r.Body,
	}
	if e.user.id != "" {
		in.Contact = &inbox.InboundContact{
			ExternalID: e.user.id,
			Name:       e.user.name,
			Handle:     e.user.handle,
			URL:        e.user.url,
			AvatarURL:  e.user.avatarURL,
		}
	}
	return in, nil
}

// complete fills in what was left out.
func (e *event) complete(h http.Header) error {
	if strings.TrimSpace(e.text) == "" {
		e.text = e.title
	}
	if e.kind == "" {
		switch {
		case e.text != "":
			e.kind = "text"
		case len(e.data) > 0:
			e.kind = "data"
		case len(e.attachments) > 0:
			e.kind = e.attachments[0].Kind
		}
	}
	if e.text == "" && len(e.data) == 0 && len(e.attachments) == 0 {
		return inbox.Errorf(inbox.CodeInvalid, "the event is empty: want at least one of the fields text, title, attachments and data")
	}
	if e.sentAt.IsZero() {
		e.sentAt = e.timestamp
	}
	if e.channel == "" {
		e.channel = e.source
	}
	return e.identify(h)
}

// identify finds the identities of an event that came without.
func (e *event) identify(h http.Header) error {
	if e.eventID == "" {
		key := h.Get("Idempotency-Key")
		if len(key) > maxID {
			return inbox.Errorf(inbox.CodeInvalid, "header Idempotency-Key: longer than %d bytes", maxID)
		}
		if key != "" {
			e.eventID = "idempotency-key:" + strings.ToValidUTF8(key, "\uFFFD")
		}
	}
	switch {
	case e.threadID != "":
	case e.user.id != "":
		e.threadID = "user:" + e.user.id
	case e.eventID != "":
		e.threadID = "event:" + e.eventID
	default:
		e.threadID = "event:" + rand.Text()
	}
	return nil
}

// invalid makes the error for the sender, which quotes nothing but field names.
func invalid(err error) error {
	if inbox.CodeOf(err) != "" {
		return err
	}
	return inbox.Errorf(inbox.CodeInvalid, "%s", err)
}
