package rest

import (
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// Inbox is one alias's inbox as the calls about it see it, whoever calls. It costs
// little until somebody follows its events.
type Inbox struct {
	*shared
	alias   string
	prefix  string // of the alias's paths, with a slash at its end
	store   inbox.Store
	streams *hub
}

// Streams says how an inbox's events are followed, and by how many.
type Streams struct {
	Every  time.Duration // how often the log is looked at
	Most   int           // streams of the inbox
	Each   int           // streams of one caller; 0: no limit of its own
	Window int           // bytes of rendered events that are kept for streams that are a little behind
	Holder string        // who has too many of them, for the error: "this API key has"
}

// nativeStreams are how callers with an API key follow.
var nativeStreams = Streams{Every: 500 * time.Millisecond, Most: 1000, Each: 16, Window: 8 << 20, Holder: "this API key has"}

func newInbox(s *shared, alias, prefix string, store inbox.Store, streams Streams) *Inbox {
	b := &Inbox{shared: s, alias: alias, prefix: prefix, store: store}
	b.streams = newHub(b, streams)
	return b
}

// NewInbox is an inbox for the calls of [API.AddInbox].
func (a *API) NewInbox(alias string, store inbox.Store, streams Streams) *Inbox {
	own := *a.shared
	own.log = a.log.With("alias", alias)
	return newInbox(&own, alias, a.o.Path+a.inboxPath(alias)+"/", store, streams)
}

// Followed tells whether anybody follows its events.
func (b *Inbox) Followed() bool { return b.streams.followed() }

// EndStreams ends all event streams, so that their clients go elsewhere, and takes no new ones.
func (b *Inbox) EndStreams() { b.streams.close() }

// Close ends the streams and waits for what follows the log. Requests must have ended.
func (b *Inbox) Close() {
	b.streams.close()
	b.streams.wait()
}
