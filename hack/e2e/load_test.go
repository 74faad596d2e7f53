package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// careless is an inbox that acknowledges every event and may lose, repeat or refuse the third.
type careless struct {
	mu                   sync.Mutex
	lose, repeat, refuse bool
	seen                 map[string]bool
	stored               map[string][]message // by thread
	enough               chan struct{}        // closed once some events are stored
}

func (c *careless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	path := strings.Split(r.URL.Path, "/")
	if r.Method == http.MethodGet {
		var page struct {
			Data []message `json:"data"`
		}
		if path[len(path)-1] == "messages" {
			page.Data = c.stored[path[len(path)-2]]
		}
		_ = json.NewEncoder(w).Encode(page)
		return
	}
	var e event
	_ = json.NewDecoder(r.Body).Decode(&e)
	if !c.seen[e.EventID] {
		c.seen[e.EventID] = true
		third := len(c.seen) == 3
		if third && c.refuse {
			c.refuse = false // the next time it is taken
			delete(c.seen, e.EventID)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		m := message{ID: "somsg_" + e.EventID, Direction: "inbound", Text: e.Text}
		if !third || !c.lose {
			c.stored[e.ThreadID] = append(c.stored[e.ThreadID], m)
		}
		if third && c.repeat {
			m.ID += "_again"
			c.stored[e.ThreadID] = append(c.stored[e.ThreadID], m)
		}
		if len(c.seen) == 10 {
			close(c.enough)
		}
	}
	_ = json.NewEncoder(w).Encode(accepted{Status: "accepted", ThreadID: e.ThreadID, MessageID: "somsg_" + e.EventID})
}

// What the load proves with is itself proven to notice.
func TestLoadNotices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inbox                  *careless
		wantBroken, wantUnkept string
	}{
		"nothing":               {&careless{}, "", ""},
		"a lost event":          {&careless{lose: true}, "", "1 of "},
		"an event stored twice": {&careless{repeat: true}, "", "is stored twice"},
		"a failed call":         {&careless{refuse: true}, "1 of ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := c.inbox
			srv.seen, srv.stored, srv.enough = map[string]bool{}, map[string][]message{}, make(chan struct{})
			server := httptest.NewServer(srv)
			t.Cleanup(server.Close)
			in := inboxAt(server.Client(), server.URL, "a", "sk_x")
			l := startLoad(t.Context(), "test", 400, in)
			select {
			case <-srv.enough:
			case <-time.After(time.Minute):
				t.Error("no events came")
			}
			l.end()
			check := func(what string, err error, want string) {
				if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %v, want %q", what, err, want)
				}
			}
			check("unbroken", l.unbroken(), c.wantBroken)
			check("kept", l.kept(t.Context(), in), c.wantUnkept)
		})
	}
}
