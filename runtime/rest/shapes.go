package rest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/open4x/socialops/runtime/inbox"
)

// Thread is a conversation as callers see it.
type Thread struct {
	ID            string         `json:"id" example:"soth_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	Provider      string         `json:"provider" example:"telegram"`
	ChannelID     string         `json:"channel_id,omitempty" doc:"The channel that it came through; absent when none is bound."`
	ContactID     string         `json:"contact_id,omitempty" doc:"Who wrote; absent when nobody in particular did."`
	Subject       string         `json:"subject"`
	AISummary     string         `json:"ai_summary"`
	Status        inbox.Status   `json:"status" enum:"open,pending,resolved,archived"`
	Priority      inbox.Priority `json:"priority" enum:"low,normal,high,urgent"`
	Assignee      *Agent         `json:"assignee,omitempty" doc:"Who takes care of it; absent when nobody does."`
	Labels        []string       `json:"labels"`
	Handler       inbox.Handler  `json:"handler" enum:"agents,bot" doc:"Who answers for now."`
	CustomData    Object         `json:"custom_data"`
	UnreadCount   int            `json:"unread_count"`
	LastMessageAt time.Time      `json:"last_message_at" doc:"When a message last came or went, by this server's clock."`
	ExpiresAt     *time.Time     `json:"expires_at,omitempty"`
	CreatedAt     time.Time      `json:"created_at"`
}

// InboxThread is a thread with who wrote and what was written last.
type InboxThread struct {
	Thread
	Contact     *Contact `json:"contact,omitempty"`
	LastMessage *Message `json:"last_message,omitempty"`
}

// Object is a JSON object of any content.
type Object json.RawMessage

// MarshalJSON gives the object as it is.
func (o Object) MarshalJSON() ([]byte, error) { return o, nil }

// UnmarshalJSON keeps the object as it is.
func (o *Object) UnmarshalJSON(b []byte) error {
	*o = slices.Clone(b)
	return nil
}

// Schema implements [huma.SchemaProvider].
func (o Object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// Agent is one of those who answer.
type Agent struct {
	ID      string `json:"id" example:"soag_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	Subject string `json:"subject" doc:"OIDC subject."`
	Name    string `json:"name"`
}

// Contact is who wrote.
type Contact struct {
	ID        string    `json:"id" example:"socon_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	Name      string    `json:"name"`
	Handle    string    `json:"handle,omitempty" doc:"Such as a user name."`
	URL       string    `json:"url,omitempty" doc:"Their page at the provider."`
	AvatarURL string    `json:"avatar_url,omitempty"`
	Blocked   bool      `json:"blocked" doc:"Whether they take no messages from us."`
	CreatedAt time.Time `json:"created_at"`
}

// Message is one item of a thread.
type Message struct {
	ID          string          `json:"id" example:"somsg_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	ThreadID    string          `json:"thread_id"`
	Seq         int64           `json:"seq" doc:"Place in the thread, from 1."`
	Direction   inbox.Direction `json:"direction" enum:"inbound,outbound,internal" doc:"An internal message is a note: it never leaves."`
	MessageType string          `json:"message_type" example:"text" doc:"The provider's own word: text, photo, issue_comment, …"`
	Text        string          `json:"text"`
	Author      Author          `json:"author"`
	ParentID    string          `json:"parent_id,omitempty" doc:"The message that this one answers."`
	Origin      inbox.Origin    `json:"origin" enum:"theirs,ours,ours_elsewhere" doc:"Who made it, and whether here or in the provider's own app."`
	URL         string          `json:"url,omitempty" doc:"Its page at the provider."`
	GroupID     string          `json:"group_id,omitempty" doc:"The same for all messages of an album."`
	Data        Object          `json:"data,omitempty" doc:"Small structured content, such as a pressed button."`
	Attachments []Attachment    `json:"attachments"`
	SentAt      *time.Time      `json:"sent_at,omitempty" doc:"The provider's own time."`
	CreatedAt   time.Time       `json:"created_at"`
	EditedAt    *time.Time      `json:"edited_at,omitempty"`
	Delivery    *Delivery       `json:"delivery,omitempty" doc:"How a reply fares."`
}

// Author is who made a message.
type Author struct {
	Kind string `json:"kind" enum:"contact,agent,api_key,system"`
	ID   string `json:"id,omitempty" doc:"Of the contact, agent or API key."`
	Name string `json:"name"`
}

// Delivery is how an outbound message fares.
type Delivery struct {
	ActionID string             `json:"action_id" example:"soact_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	Status   inbox.ActionStatus `json:"status" enum:"pending,processing,awaiting,completed,failed"`
	Attempts int                `json:"attempts"`
	Error    string             `json:"error" doc:"Why it failed; empty otherwise."`
}

// Attachment is a file of a message.
type Attachment struct {
	ID       string                `json:"id" example:"soatt_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	Kind     string                `json:"kind" example:"image"`
	Name     string                `json:"name"`
	MIMEType string                `json:"mime_type"`
	Size     int64                 `json:"size" doc:"Bytes; 0 when unknown."`
	URL      string                `json:"url,omitempty" doc:"Where the file is: at the provider in public, or with this API (a path, which wants the API key)."`
	State    inbox.AttachmentState `json:"state" enum:"linked,remote,stored,failed"`
	Error    string                `json:"error,omitempty" doc:"Why a failed one can't be had."`
}

// Action is a piece of work for the delivery worker.
type Action struct {
	ID         string             `json:"id" example:"soact_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	ActionType inbox.ActionKind   `json:"action_type" enum:"send_reply,fetch_media"`
	Status     inbox.ActionStatus `json:"status" enum:"pending,processing,awaiting,completed,failed"`
	Attempts   int                `json:"attempts"`
	Error      string             `json:"error,omitempty"`
	CreatedAt  time.Time          `json:"created_at"`
}

// object is nil for nothing, however that is written.
func object(raw json.RawMessage) Object {
	if string(raw) == "null" {
		return nil
	}
	return Object(raw)
}

func newThread(t inbox.Thread) Thread {
	out := Thread{
		ID: t.ID.String(), Provider: t.Provider, ChannelID: t.ChannelID.String(), ContactID: t.ContactID.String(),
		Subject: t.Subject, AISummary: t.AISummary, Status: t.Status, Priority: t.Priority, Labels: t.Labels,
		Handler: t.Handler, CustomData: object(t.CustomData), UnreadCount: t.Unread, LastMessageAt: t.LastActivityAt.UTC(),
		ExpiresAt: moment(t.ExpiresAt), CreatedAt: t.CreatedAt.UTC(),
	}
	if t.Assignee != nil {
		out.Assignee = &Agent{ID: t.Assignee.ID.String(), Subject: t.Assignee.Subject, Name: t.Assignee.Name}
	}
	if out.Labels == nil {
		out.Labels = []string{}
	}
	if len(out.CustomData) == 0 {
		out.CustomData = Object("{}")
	}
	return out
}

// ShowThread is how a thread is shown.
func (b *Inbox) ShowThread(t inbox.ThreadView) InboxThread {
	out := InboxThread{Thread: newThread(t.Thread)}
	if c := t.Contact; c != nil {
		out.Contact = &Contact{
			ID: c.ID.String(), Name: c.Name, Handle: c.Handle, URL: c.URL, AvatarURL: c.AvatarURL, Blocked: c.Blocked, CreatedAt: c.CreatedAt.UTC(),
		}
	}
	if t.LastMessage != nil {
		m := b.newMessage(*t.LastMessage)
		out.LastMessage = &m
	}
	return out
}

func (b *Inbox) newMessage(m inbox.Message) Message {
	out := Message{
		ID: m.ID.String(), ThreadID: m.ThreadID.String(), Seq: m.Seq, Direction: m.Direction, MessageType: m.Type, Text: m.Text,
		Author: newAuthor(m.Author), ParentID: m.ParentID.String(), Origin: m.Origin, URL: m.URL, GroupID: groupID(m),
		Data: object(m.Data), Attachments: make([]Attachment, len(m.Attachments)), SentAt: moment(m.SentAt), CreatedAt: m.CreatedAt.UTC(), EditedAt: moment(m.EditedAt),
	}
	for i, a := range m.Attachments {
		out.Attachments[i] = b.newAttachment(a)
	}
	if d := m.Delivery; d != nil {
		out.Delivery = &Delivery{ActionID: d.ActionID.String(), Status: d.Status, Attempts: d.Attempts, Error: d.Error}
	}
	return out
}

func newAuthor(a inbox.Author) Author {
	out := Author{Kind: a.Kind, Name: a.Name}
	switch {
	case !a.ContactID.IsZero():
		out.ID = a.ContactID.String()
	case !a.AgentID.IsZero():
		out.ID = a.AgentID.String()
	case !a.KeyID.IsZero():
		out.ID = a.KeyID.String()
	}
	return out
}

// groupID stands for the provider's own id of an album, which is not shown.
func groupID(m inbox.Message) string {
	if m.GroupID == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(m.ThreadID.String() + "\x00" + m.GroupID))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func (b *Inbox) newAttachment(a inbox.Attachment) Attachment {
	out := Attachment{ID: a.ID.String(), Kind: a.Kind, Name: a.Name, MIMEType: a.MIMEType, Size: a.Size, URL: a.URL, State: a.State, Error: a.Error}
	if a.State == inbox.AttachmentRemote || a.State == inbox.AttachmentStored {
		out.URL = b.prefix + "attachments/" + out.ID
	}
	return out
}

func newAction(a *inbox.Action) *Action {
	if a == nil {
		return nil
	}
	return &Action{ID: a.ID.String(), ActionType: a.Kind, Status: a.Status, Attempts: a.Attempts, Error: a.Error, CreatedAt: a.CreatedAt.UTC()}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
