package inbox

import "iter"

// Retention says for how many days an instance keeps things; 0: for good.
type Retention struct {
	ThreadDays     int // a resolved or archived thread, from its last activity on
	RawPayloadDays int // an event's original payload
	EventDays      int // an entry of the event log
}

// Removed counts the rows that were removed.
type Removed struct {
	Threads     int64
	Messages    int64
	RawPayloads int64
	Attachments int64
	Actions     int64
	Contacts    int64
	Events      int64
}

// Add counts more.
func (r *Removed) Add(more Removed) {
	r.Threads += more.Threads
	r.Messages += more.Messages
	r.RawPayloads += more.RawPayloads
	r.Attachments += more.Attachments
	r.Actions += more.Actions
	r.Contacts += more.Contacts
	r.Events += more.Events
}

// Kinds lists how many rows of each kind were removed.
func (r Removed) Kinds() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		_ = yield("thread", r.Threads) && yield("message", r.Messages) && yield("raw_payload", r.RawPayloads) && yield("attachment", r.Attachments) &&
			yield("action", r.Actions) && yield("contact", r.Contacts) && yield("event", r.Events)
	}
}
