package botapisim

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Sent is a message that took effect.
type Sent struct {
	BotID     int64     `json:"bot_id"`
	ChatID    int64     `json:"chat_id"`
	ThreadID  int64     `json:"message_thread_id,omitempty"`
	MessageID int64     `json:"message_id"`
	ReplyTo   int64     `json:"reply_to,omitempty"`
	Text      string    `json:"text"` // as it is seen, without markup
	Raw       string    `json:"raw"`  // as it was sent
	ParseMode string    `json:"parse_mode,omitempty"`
	At        time.Time `json:"at"`
}

// Call is a call that was seen whole, whether it took effect or not.
type Call struct {
	BotID  int64
	Method string // in lower case
	Args   map[string]string
	Status int // 0: not answered
	At     time.Time
}

type record struct {
	countOnly bool
	mu        sync.Mutex
	sent      []Sent
	calls     []Call
	sends     int
	refusals  int
	times     map[int64][]int64 // of each bot's sends, in nanoseconds
	waiters   map[chan struct{}]int
}

func (r *record) send(m Sent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sends++
	if r.times == nil {
		r.times = map[int64][]int64{}
	}
	r.times[m.BotID] = append(r.times[m.BotID], m.At.UnixNano())
	if !r.countOnly {
		r.sent = append(r.sent, m)
	}
	for w, n := range r.waiters {
		if r.sends >= n {
			close(w)
			delete(r.waiters, w)
		}
	}
}

func (r *record) call(token, method string, a args, status int, at time.Time) {
	if r.countOnly && status == 200 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if status != 200 {
		r.refusals++
	}
	if !r.countOnly {
		r.calls = append(r.calls, Call{BotID: botID(token), Method: method, Args: a, Status: status, At: at})
	}
}

// Sent lists the messages that took effect, in order.
func (s *Sim) Sent() []Sent {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return slices.Clone(s.record.sent)
}

// SentTo lists a chat's messages.
func (s *Sim) SentTo(chatID int64) []Sent {
	return slices.DeleteFunc(s.Sent(), func(m Sent) bool { return m.ChatID != chatID })
}

// Calls lists the calls of a method, in the order of their answers; all calls for "".
func (s *Sim) Calls(method string) []Call {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	var calls []Call
	for _, c := range s.record.calls {
		if method == "" || c.Method == method {
			calls = append(calls, c)
		}
	}
	return calls
}

// Count is how many messages took effect.
func (s *Sim) Count() int {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return s.record.sends
}

// Refusals is how many calls were not answered with a result.
func (s *Sim) Refusals() int {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return s.record.refusals
}

// WaitSent waits until n messages in all took effect.
func (s *Sim) WaitSent(ctx context.Context, n int) error {
	r := &s.record
	r.mu.Lock()
	if r.sends >= n {
		r.mu.Unlock()
		return nil
	}
	w := make(chan struct{})
	if r.waiters == nil {
		r.waiters = map[chan struct{}]int{}
	}
	r.waiters[w] = n
	r.mu.Unlock()
	select {
	case <-w:
		return nil
	case <-ctx.Done():
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.waiters, w)
		return ctx.Err()
	}
}

// MaxRate is the most messages that a bot sent in any stretch of time of a length.
func (s *Sim) MaxRate(token string, period time.Duration) int {
	s.record.mu.Lock()
	times := slices.Clone(s.record.times[botID(token)])
	s.record.mu.Unlock()
	slices.Sort(times)
	most, from := 0, 0
	for i, t := range times {
		for t-times[from] >= int64(period) {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// Reset forgets what was recorded. Chats, webhooks and faults stay.
func (s *Sim) Reset() {
	r := &s.record
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent, r.calls, r.times, r.sends, r.refusals = nil, nil, nil, 0, 0
}
