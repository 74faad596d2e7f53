package console

import (
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

// idleFor is how long an inbox that nobody asks for, or follows, is kept open. It is
// longer than any call may take.
const idleFor = 5 * time.Minute

// streams are how people follow an inbox. What comes in must be seen within half a
// second. A person has no limit of their own, as all who work on an inbox come with
// its owner's subject.
var streams = rest.Streams{Every: 150 * time.Millisecond, Most: 2500, Window: 2 << 20}

// opened is an inbox that was asked for lately.
type opened struct {
	*rest.Inbox
	alias string
	used  time.Time
}

// open is the inbox of an instance, with the streams that others follow.
func (s *Server) open(in *inbox.OwnedInstance, desk inbox.Desk) *rest.Inbox {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.inboxes[in.ID]
	if o != nil && o.alias == in.Alias {
		o.used = now
		return o.Inbox
	}
	for id, other := range s.inboxes {
		if now.Sub(other.used) > idleFor && !other.Followed() {
			other.Close()
			delete(s.inboxes, id)
		}
	}
	if o != nil {
		o.EndStreams() // the alias was renamed: paths have changed
	}
	o = &opened{Inbox: s.api.NewInbox(in.Alias, desk, streams), alias: in.Alias, used: now}
	if s.ending {
		o.EndStreams()
	}
	s.inboxes[in.ID] = o
	return o.Inbox
}

// EndStreams ends all event streams, so that their clients go elsewhere, and takes no
// new ones. It is for the beginning of a shutdown: see [http.Server.RegisterOnShutdown].
func (s *Server) EndStreams() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
	for _, o := range s.inboxes {
		o.EndStreams()
	}
}

// Close ends the streams and waits for what goes on beside requests. Requests must have ended.
func (s *Server) Close() {
	s.EndStreams()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.inboxes {
		o.Close()
	}
	s.client.CloseIdleConnections()
}
