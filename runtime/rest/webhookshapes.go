package rest

import "time"

// These describe the webhook in the document. The provider reads the body, and
// webhook.go writes the answer; neither goes through here.

// GenericEvent is an event of generic-webhook.
type GenericEvent struct {
	_           struct{}            `additionalProperties:"true"`
	EventID     string              `json:"event_id,omitempty" doc:"Tells a repeat. Without it the header Idempotency-Key does; without both every call is a new event. A text or a whole number, as all ids."`
	ThreadID    string              `json:"thread_id,omitempty" doc:"Which conversation it belongs to. Without it: the user's; without a user the event is a conversation of its own."`
	Title       string              `json:"title,omitempty" maxLength:"1000" doc:"Subject of a new conversation; the text, when there is none."`
	Text        string              `json:"text,omitempty" doc:"What is said. One of text, title, attachments and data is needed."`
	User        *GenericUser        `json:"user,omitempty" doc:"Who wrote."`
	Labels      []string            `json:"labels,omitempty" maxItems:"50" doc:"Are added to the conversation's."`
	Priority    string              `json:"priority,omitempty" enum:"low,normal,high,urgent" doc:"Of a new conversation; that of a known one is only ever raised."`
	MessageID   string              `json:"message_id,omitempty" doc:"What a later event's parent_id may name."`
	ParentID    string              `json:"parent_id,omitempty" doc:"message_id of the message that this one answers."`
	Type        string              `json:"type,omitempty" maxLength:"64" doc:"A word such as order_created."`
	URL         string              `json:"url,omitempty" doc:"The message's page at its source."`
	SentAt      *time.Time          `json:"sent_at,omitempty" doc:"Its own time: RFC 3339, or seconds or milliseconds since 1970."`
	Channel     string              `json:"channel,omitempty" doc:"What a channel binding may name as its external channel."`
	Attachments []GenericAttachment `json:"attachments,omitempty" maxItems:"50"`
	Data        map[string]any      `json:"data,omitempty" doc:"Structured content, at most 64 KiB, shown with the message."`
}

// GenericUser is who wrote a generic event.
type GenericUser struct {
	_         struct{} `additionalProperties:"true"`
	ID        string   `json:"id"`
	Name      string   `json:"name,omitempty"`
	Handle    string   `json:"handle,omitempty"`
	URL       string   `json:"url,omitempty"`
	AvatarURL string   `json:"avatar_url,omitempty"`
}

// GenericAttachment is a file of a generic event, at a public address.
type GenericAttachment struct {
	_        struct{} `additionalProperties:"true"`
	URL      string   `json:"url"`
	Name     string   `json:"name,omitempty"`
	MIMEType string   `json:"mime_type,omitempty"`
	Size     int64    `json:"size,omitempty" doc:"Bytes."`
	Kind     string   `json:"kind,omitempty" doc:"image, video, audio, file, …; without it by the mime_type."`
}

// WebhookAnswer is what a webhook call gets.
type WebhookAnswer struct {
	Status    string `json:"status" enum:"accepted,duplicate,ignored"`
	Provider  string `json:"provider" example:"generic-webhook"`
	ThreadID  string `json:"thread_id,omitempty" example:"soth_01kc0w3v2pf0bvd9m4v9wq7x5e" doc:"Of an accepted event, or of the event that this one repeats. Absent when it concerned no thread."`
	MessageID string `json:"message_id,omitempty" example:"somsg_01kc0w3v2pf0bvd9m4v9wq7x5e" doc:"As thread_id."`
	Reason    string `json:"reason,omitempty" doc:"Why an event was ignored."`
}
