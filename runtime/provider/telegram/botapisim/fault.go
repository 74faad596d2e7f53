package botapisim

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is what is to go wrong with some calls: first those that it hits, then what it does.
type Fault struct {
	Token  string `json:"token"`   // empty: of any bot
	Method string `json:"method"`  // empty: any method; "file" is a download
	ChatID int64  `json:"chat_id"` // 0: any chat
	Skip   int    `json:"skip"`    // calls that it lets by before
	Times  int    `json:"times"`   // calls that it hits; 0: all, until it is removed

	Delay time.Duration `json:"-"` // before all else
	// Hang holds the call until it is released or the caller is gone, then does the rest.
	Hang bool `json:"hang"`
	// Effect has the call take effect all the same, though the caller is not told.
	Effect bool `json:"effect"`
	Drop   Drop `json:"-"`
	// Status answers with an error; without a Description, with Telegram's own for it.
	Status      int    `json:"status"`
	Description string `json:"description"`
	RetryAfter  int    `json:"retry_after"`
	MigrateTo   int64  `json:"migrate_to"`
	Body        string `json:"body"` // answers with exactly this, with Status or 200
}

// Drop is when a connection breaks.
type Drop int

// The places where a connection breaks.
const (
	NoDrop       Drop = iota
	BeforeRead        // the call is never seen
	BeforeAnswer      // it is seen whole, and not answered
	MidAnswer         // the answer breaks off
)

// Injected is a fault at work.
type Injected struct {
	sim      *Sim
	fault    Fault
	mu       sync.Mutex
	matched  int
	hits     int
	hit      chan struct{} // closed by the first hit
	released chan struct{}
	release  sync.Once
}

// Inject puts a fault to work. Of several that match a call, the first one does.
func (s *Sim) Inject(f Fault) *Injected {
	i := &Injected{sim: s, fault: f, hit: make(chan struct{}), released: make(chan struct{})}
	i.fault.Method = strings.ToLower(f.Method)
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*Injected
	if p := s.faults.Load(); p != nil {
		all = slices.Clone(*p)
	}
	all = append(all, i)
	s.faults.Store(&all)
	return i
}

// Remove ends the fault and releases what it holds.
func (i *Injected) Remove() {
	i.Release()
	i.sim.mu.Lock()
	defer i.sim.mu.Unlock()
	if p := i.sim.faults.Load(); p != nil {
		all := slices.DeleteFunc(slices.Clone(*p), func(o *Injected) bool { return o == i })
		i.sim.faults.Store(&all)
	}
}

// ClearFaults removes every fault.
func (s *Sim) ClearFaults() {
	if p := s.faults.Load(); p != nil {
		for _, i := range *p {
			i.Remove()
		}
	}
}

// Release lets go of the calls that hang, now and from now on.
func (i *Injected) Release() { i.release.Do(func() { close(i.released) }) }

// Hits is how many calls it hit.
func (i *Injected) Hits() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.hits
}

// Wait waits until it has hit a call.
func (i *Injected) Wait(ctx context.Context) error {
	select {
	case <-i.hit:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fault finds the fault for a call, nil for none.
func (s *Sim) fault(token, method string, a args) *Injected {
	p := s.faults.Load()
	if p == nil {
		return nil
	}
	for _, i := range *p {
		if i.takes(token, method, a) {
			return i
		}
	}
	return nil
}

func (i *Injected) takes(token, method string, a args) bool {
	f := &i.fault
	if f.Token != "" && f.Token != token || f.Method != "" && f.Method != method ||
		f.ChatID != 0 && f.ChatID != a.int("chat_id") {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.matched++; i.matched <= f.Skip || f.Times > 0 && i.hits >= f.Times {
		return false
	}
	if i.hits++; i.hits == 1 {
		close(i.hit)
	}
	return true
}

// call is one call on its way.
type call struct {
	token, method string
	args          args
	run           func() result
	write         func(http.ResponseWriter, result)
	bytes         func(result) []byte // what write writes after the headers
}

// serve answers a call, unless a fault does.
func (s *Sim) serve(w http.ResponseWriter, r *http.Request, c call) {
	if f := s.fault(c.token, c.method, c.args); f != nil {
		s.fail(w, r, f, c)
		return
	}
	res := c.run()
	s.record.call(c.token, c.method, c.args, res.status, s.o.Now())
	c.write(w, res)
}

// fail answers a call that a fault hit.
func (s *Sim) fail(w http.ResponseWriter, r *http.Request, i *Injected, c call) {
	f := &i.fault
	if f.Drop == BeforeRead {
		hangUp(w, nil)
		return
	}
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
		}
	}
	breaks := f.Drop != NoDrop || f.Status != 0 || f.Body != ""
	res := result{status: http.StatusOK, value: true}
	ran := f.Effect || !breaks && !f.Hang
	if ran {
		res = c.run()
	}
	if f.Hang {
		select {
		case <-i.released:
		case <-r.Context().Done():
		}
	}
	if !ran && !breaks {
		res = c.run()
	}
	status := res.status
	if breaks {
		status = f.Status // 0: not answered
	}
	s.record.call(c.token, c.method, c.args, status, s.o.Now())
	switch {
	case f.Drop == BeforeAnswer:
		hangUp(w, nil)
	case f.Drop == MidAnswer:
		body := c.bytes(res)
		hangUp(w, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			len(body), body[:len(body)/2]))
	case f.Body != "":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(max(f.Status, http.StatusOK))
		_, _ = w.Write([]byte(f.Body))
	case f.Status != 0:
		reply(w, f.result())
	default:
		c.write(w, res)
	}
}

// result is the answer that the fault gives.
func (f *Fault) result() result {
	res := result{status: f.Status, description: f.Description, retryAfter: f.RetryAfter, migrateTo: f.MigrateTo}
	if res.description != "" {
		return res
	}
	switch {
	case f.MigrateTo != 0:
		res.description = "Bad Request: group chat was upgraded to a supergroup chat"
	case f.Status == http.StatusTooManyRequests:
		res.description = "Too Many Requests: retry after " + strconv.Itoa(f.RetryAfter)
	default:
		res.description = http.StatusText(f.Status)
	}
	return res
}

// hangUp breaks the connection, after writing something raw.
func hangUp(w http.ResponseWriter, raw []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2: the server breaks the stream
	}
	if len(raw) > 0 {
		_, _ = conn.Write(raw)
	} else if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // a reset rather than an orderly end
	}
	_ = conn.Close()
}
