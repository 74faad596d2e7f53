//go:build long && linux

package badday

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

const largeBody = 24 << 20

// largeEvent is an event of about 24 MB, most of it its text or a field that nobody reads.
func largeEvent(id string, padding []byte, said bool) (io.Reader, int64) {
	head := fmt.Sprintf(`{"event_id":%q,"thread_id":"large","text":%q,"padding":"`, id, id)
	if said {
		head = fmt.Sprintf(`{"event_id":%q,"thread_id":"large","text":"%s `, id, id)
	}
	return io.MultiReader(strings.NewReader(head), bytes.NewReader(padding), strings.NewReader(`"}`)), int64(len(head) + len(padding) + 2)
}

// sendLarge sends a large event, with its length told beforehand or not.
func sendLarge(ctx context.Context, c *client, s *sent, padding []byte, said, sized bool) (answer, error) {
	body, size := largeEvent(s.id, padding, said)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/webhook/generic-webhook", io.NopCloser(body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("X-API-Key", c.key)
	r.Header.Set("Content-Type", "application/json")
	if sized {
		r.ContentLength = size
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode < 300 {
		s.status = resp.StatusCode
		err = json.Unmarshal(text, &s.WebhookAnswer)
	}
	return answer{resp, text}, err
}

func manyLargeBodies(t *testing.T, db *pgtest.Database) {
	ten := db.Instance(t)
	s := serve(t, db, ten)
	c := s.client(t, ten)
	noise := make([]byte, largeBody/4*3)
	_, _ = rand.Read(noise) // does not compress, as a picture would not
	padding := []byte(base64.StdEncoding.EncodeToString(noise))
	small := c.event(http.StatusAccepted, "small", "thread")
	idle := s.peak()

	events := make([]sent, connections)
	var calls sync.WaitGroup
	var mu sync.Mutex
	tally := map[string]int{}
	for i := range events {
		events[i].id = fmt.Sprint("large-", i)
		calls.Go(func() {
			a, err := sendLarge(t.Context(), c, &events[i], padding, i%2 == 0, i%4 < 2)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				tally[fmt.Sprint("broken off: ", err)]++
			case a.StatusCode == http.StatusServiceUnavailable && a.Header.Get("Retry-After") == "":
				t.Errorf("a 503 without Retry-After: %s", a.body)
			default:
				tally[http.StatusText(a.StatusCode)]++
				if a.StatusCode != http.StatusAccepted && a.StatusCode != http.StatusServiceUnavailable {
					t.Errorf("%d: %s", a.StatusCode, a.body)
				}
			}
		})
	}
	calls.Wait()
	peak := s.peak()
	t.Logf("%v; at most %d MB, idle %d MB", tally, peak>>20, idle>>20)
	if bound := memoryBound(); peak > bound {
		t.Errorf("the runtime took %d MB for %d bodies of %d MB, want at most %d", peak>>20, connections, largeBody>>20, bound>>20)
	}
	if tally["Accepted"] == 0 {
		t.Error("none was taken")
	}
	// Whoever was refused comes again, and gets in.
	again := 0
	for i := range events {
		if e := &events[i]; e.status == 0 && again < 3 {
			again++
			until(t, "a large body is taken once there is room", func() bool {
				_, err := sendLarge(t.Context(), c, e, padding, again%2 == 0, again == 2)
				return err == nil && e.status != 0
			})
		}
	}
	stored(t, db, ten, append(events, sent{id: "small", status: http.StatusAccepted, tries: 1, WebhookAnswer: small}))
}

// memoryBound has room for two bodies under way with all that is made of them, and
// not for ten. The race detector keeps a shadow of several times the memory.
func memoryBound() int64 {
	if raced {
		return 2 << 30
	}
	return 512 << 20
}
