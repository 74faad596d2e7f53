package rest

import (
	"context"
	"log/slog"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// Permission is what a caller needs for a call.
type Permission int

// The permissions. What a caller has to hold for one is the API's own matter: see [APIOptions].
const (
	Nothing Permission = iota // anybody may call
	Read
	Write
	Admin
)

// Caller is who makes a call.
type Caller interface {
	// Actor is who the event log says that it was.
	Actor() string
	// Author is by whom is what they write.
	Author() inbox.Author
	// Name tells callers of an inbox apart: their idempotency keys, and how many streams they have.
	Name() string
	// Welcome tells whether their stream may go on. It is asked at each heartbeat.
	Welcome(ctx context.Context) bool
	// Until is when their stream ends by itself; the zero time: never.
	Until() time.Time
	// Attr names them in the log.
	Attr() slog.Attr
}

// Call is one request, let in.
type Call struct {
	Caller
	*Inbox // nil when it is about none
}
