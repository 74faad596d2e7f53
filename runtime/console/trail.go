package console

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

// TrailEntry is one row of the audit trail.
type TrailEntry struct {
	Seq           int64           `json:"seq"`
	At            time.Time       `json:"at"`
	Type          inbox.EventType `json:"type"`
	Actor         string          `json:"actor" doc:"Who did it: agent:soag_…, key:sokey_…, sub: and a member of staff's subject, admin, worker, retention, provider or system."`
	ActorName     string          `json:"actor_name" doc:"What that one is called; the actor itself where nobody knows."`
	ThreadID      string          `json:"thread_id,omitempty"`
	ThreadSubject string          `json:"thread_subject,omitempty" doc:"As it is now; absent when the thread is gone."`
	MessageID     string          `json:"message_id,omitempty"`
	ActionID      string          `json:"action_id,omitempty"`
	ContactID     string          `json:"contact_id,omitempty"`
	ChannelID     string          `json:"channel_id,omitempty"`
	KeyID         string          `json:"key_id,omitempty"`
	Changed       []string        `json:"changed,omitempty" doc:"Names of the fields that changed."`
	Status        string          `json:"status,omitempty" doc:"Of an action, or what a thread's status became."`
	Detail        string          `json:"detail,omitempty" doc:"Why an action failed or has to wait; the reference of a credit."`
}

func (s *Server) addTrail() {
	handle(s, rest.Operation{
		ID: "list-audit", Method: http.MethodGet, Path: "/{alias}/audit", Need: rest.Read, Tag: "Audit",
		Summary: "The audit trail", Text: "What changed and who did it, newest first; never what was written. An inbox may keep it for some days only.", Answer: "A page of the trail.",
	}, s.trail)
}

func (s *Server) trail(ctx context.Context, p *person, in *struct {
	ThreadID string          `query:"thread_id" maxLength:"64"`
	Actor    string          `query:"actor" maxLength:"300" doc:"As actor in the answer."`
	Type     inbox.EventType `query:"type" enum:"message.created,message.updated,message.deleted,thread.updated,thread.deleted,contact.updated,contact.deleted,action.updated,channel.created,channel.updated,key.created,key.revoked,credit.granted,raw.shown"`
	People   bool            `query:"people" doc:"Leave out what providers, the worker and the system did."`
	rest.CursorInput
},
) (*rest.Reply[rest.List[TrailEntry]], error) {
	f := inbox.TrailFilter{Actor: in.Actor, Type: in.Type, People: in.People}
	if err := f.ThreadID.UnmarshalText([]byte(in.ThreadID)); err != nil {
		return nil, fieldError(inbox.CodeInvalid, "query.thread_id", "%s", err)
	}
	people := "all"
	if in.People {
		people = "people"
	}
	w, err := s.open(&p.in, p.desk).NewWalk(rest.ListTrail, in.CursorInput, in.ThreadID, in.Actor, string(in.Type), people)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	events, err := p.desk.Trail(ctx, f, w.Page)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	names, err := p.actorNames(ctx, events)
	if err != nil {
		return nil, err
	}
	subjects, err := p.threadSubjects(ctx, events)
	if err != nil {
		return nil, err
	}
	return rest.Paged(w, events, func(e inbox.Event) TrailEntry {
		return TrailEntry{
			Seq: e.Seq, At: e.At.UTC(), Type: e.Type, Actor: e.Actor, ActorName: names[e.Actor], ThreadID: e.ThreadID.String(), ThreadSubject: subjects[e.ThreadID],
			MessageID: e.MessageID.String(), ActionID: e.ActionID.String(), ContactID: e.ContactID.String(), ChannelID: e.ChannelID.String(), KeyID: e.KeyID.String(),
			Changed: e.Changed, Status: cmp.Or(string(e.Status), string(e.ThreadStatus)), Detail: e.Detail,
		}
	}, func(e inbox.Event) (inbox.Position, string) { return inbox.Position{Seq: e.Seq}, "" }), nil
}

// actorNames are what those who did something are called.
func (p *person) actorNames(ctx context.Context, events []inbox.Event) (map[string]string, error) {
	names, agents, keys := map[string]string{}, false, false
	for _, e := range events {
		names[e.Actor] = strings.TrimPrefix(e.Actor, "sub:")
		agents = agents || strings.HasPrefix(e.Actor, "agent:")
		keys = keys || strings.HasPrefix(e.Actor, "key:")
	}
	know := func(actor, name string) {
		if _, asked := names[actor]; asked && name != "" {
			names[actor] = name
		}
	}
	if agents {
		all, err := p.desk.Agents(ctx)
		if err != nil {
			return nil, err //nolint:wrapcheck // says what to do
		}
		for _, a := range all {
			know("agent:"+a.ID.String(), a.Subject)
			know("agent:"+a.ID.String(), a.Name)
		}
	}
	if keys {
		all, err := p.desk.Keys(ctx)
		if err != nil {
			return nil, err //nolint:wrapcheck // says what to do
		}
		for _, k := range all {
			know("key:"+k.ID.String(), k.Name)
		}
	}
	return names, nil
}

func (p *person) threadSubjects(ctx context.Context, events []inbox.Event) (map[inbox.ThreadID]string, error) {
	subjects := map[inbox.ThreadID]string{}
	var ids []inbox.ThreadID
	for _, e := range events {
		if _, seen := subjects[e.ThreadID]; !seen && !e.ThreadID.IsZero() {
			subjects[e.ThreadID] = ""
			ids = append(ids, e.ThreadID)
		}
	}
	if len(ids) == 0 {
		return subjects, nil
	}
	threads, err := p.desk.ThreadsByID(ctx, ids)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	for _, t := range threads {
		subjects[t.ID] = t.Subject
	}
	return subjects, nil
}
