//go:build long && linux

package badday

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

// server is a `socialops runtime` that serves an instance.
type server struct {
	*process
	address, health string
	args            []string
	o               options
}

// serve starts the runtime of an instance and waits until it serves.
func serve(t testing.TB, db *pgtest.Database, ten *pgtest.Tenant, args ...string) *server {
	t.Helper()
	s := &server{address: freeAddress(t), health: freeAddress(t), o: options{env: []string{"DATABASE_URL=" + db.DSN(ten.Role)}}}
	s.args = append([]string{"runtime", "--alias", ten.Alias, "--listen", s.address, "--health-listen", s.health}, args...)
	s.again(t)
	return s
}

// again starts the process anew where it was.
func (s *server) again(t testing.TB) {
	t.Helper()
	s.process = start(t, s.o, s.args...)
	s.awaitLog(`msg=serving `)
}

func (s *server) client(t testing.TB, ten *pgtest.Tenant) *client {
	return newClient(t, "http://"+s.address+rest.BasePath+ten.Alias, ten.Key)
}

// TestRuntime are bad days of the runtime on a Postgres that has none.
func TestRuntime(t *testing.T) {
	t.Parallel()
	db := pgtest.NewServer(t)
	for name, test := range map[string]func(*testing.T, *pgtest.Database){
		"killed under load":            killedUnderLoad,
		"stopped under load":           stoppedUnderLoad,
		"one event from many at once":  oneEventFromMany,
		"many large bodies at once":    manyLargeBodies,
		"an exhausted balance":         exhaustedBalance,
		"many migrations at once":      manyMigrations,
		"a database that is too old":   oldSchema,
		"another alias's role":         foreignRole,
		"no database when it starts":   databaseComesLater,
		"a port that is taken already": takenPort,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, db)
		})
	}
}

func killedUnderLoad(t *testing.T, db *pgtest.Database) {
	ten := db.Instance(t)
	s := serve(t, db, ten)
	c := s.client(t, ten)
	l := startLoad(t.Context(), c, "killed", 4000)
	for _, acked := range []int{500, 1500, 2500} {
		l.awaitAcked(acked)
		s.kill()
		s.again(t)
	}
	events := l.wait()
	for _, e := range events {
		if e.status == 0 {
			t.Fatalf("event %s was never answered", e.id)
		}
	}
	t.Logf("%d calls broke off", l.broken.Load())
	stored(t, db, ten, events)
	repeated(c, events)
	stored(t, db, ten, events)
	if n := count(t, db, `SELECT amount FROM balance WHERE instance_id = $1`, ten.ID); n != -200*int64(len(events)) {
		t.Errorf("the balance is %d after %d events of 200", n, len(events))
	}
}

// count reads one number as the schema's owner.
func count(t testing.TB, db *pgtest.Database, sql string, args ...any) (n int64) {
	t.Helper()
	if err := db.Owner.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func stoppedUnderLoad(t *testing.T, db *pgtest.Database) {
	ten := db.Instance(t)
	s := serve(t, db, ten, "--drain", "500ms")
	c := s.client(t, ten)
	stream, err := c.http.Do(request(t, c, "/events"))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	read := make(chan string, 1)
	go func() { read <- drained(stream.Body) }()
	health := newClient(t, "http://"+s.health, "")

	// A call that is half way in when the end begins.
	line, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	body := genericEvent("half", "half-thread")
	fmt.Fprintf(line, "POST %s%s/webhook/generic-webhook HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		rest.BasePath, ten.Alias, ten.Key, len(body), body[:20])

	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	l := startLoad(ctx, c, "stopped", 1_000_000)
	l.awaitAcked(1000)
	s.signal(syscall.SIGTERM)
	until(t, "/readyz refuses while the runtime still serves", func() bool {
		a, err := health.send(t.Context(), http.MethodGet, "/readyz", nil)
		return err == nil && a.StatusCode == http.StatusServiceUnavailable
	})
	s.awaitLog(`msg=draining`)
	if _, err := io.WriteString(line, body[20:]); err != nil {
		t.Error(err)
	}
	if status := s.wait(); status != 0 {
		t.Errorf("the runtime ended with status %d", status)
	}
	giveUp()
	if got := drained(line); !strings.HasPrefix(got, "HTTP/1.1 202 ") {
		t.Errorf("the call that was half way in was answered %q", got)
	}
	if text := <-read; !strings.Contains(text, "event: message.created") || !strings.HasSuffix(text, ": going away, connect again\n\n") {
		t.Errorf("the stream ended with %q", text[max(0, len(text)-200):])
	}
	events := append(l.wait(), sent{id: "half"})
	stored(t, db, ten, events)
	if n := count(t, db, `SELECT count(*) FROM message WHERE instance_id = $1 AND text = 'half'`, ten.ID); n != 1 {
		t.Errorf("the event that was half way in is there %d times", n)
	}
}

func request(t testing.TB, c *client, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-API-Key", c.key)
	return r
}

func oneEventFromMany(t *testing.T, db *pgtest.Database) {
	ten := db.Instance(t)
	pods := []*client{serve(t, db, ten).client(t, ten), serve(t, db, ten).client(t, ten)}
	for round := range 5 {
		id := fmt.Sprint("same-", round)
		answers := make([]answer, connections)
		var ready, calls sync.WaitGroup
		ready.Add(1)
		for i := range connections {
			calls.Go(func() {
				ready.Wait()
				var err error
				if answers[i], err = pods[i%2].send(t.Context(), http.MethodPost, "/webhook/generic-webhook", strings.NewReader(genericEvent(id, "thread"))); err != nil {
					t.Error(err)
				}
			})
		}
		ready.Done()
		calls.Wait()
		if t.Failed() {
			return
		}
		var one rest.WebhookAnswer
		first := 0
		for _, a := range answers {
			var got rest.WebhookAnswer
			status, want := http.StatusOK, "duplicate"
			if a.StatusCode == http.StatusAccepted {
				status, want = http.StatusAccepted, "accepted"
				first++
			}
			a.decode(t, status, &got)
			if one.MessageID == "" {
				one = got
			}
			if got.Status != want || got.MessageID != one.MessageID || got.ThreadID != one.ThreadID || got.MessageID == "" {
				t.Errorf("%s: %d %+v, and another %+v", id, a.StatusCode, got, one)
			}
		}
		if first != 1 {
			t.Errorf("%s: %d answers say that they were the first", id, first)
		}
	}
	for what, want := range map[string]int64{"message": 5, "ledger": 5, "thread": 1, "contact": 1} {
		if n := count(t, db, `SELECT count(*) FROM `+what+` WHERE instance_id = $1`, ten.ID); n != want {
			t.Errorf("%d rows in %s, want %d", n, what, want)
		}
	}
	pgtest.Consistent(t, db.Owner, ten.ID)
}

func exhaustedBalance(t *testing.T, db *pgtest.Database) {
	ten := db.Instance(t, func(i *inbox.Instance) { i.BillingMode = inbox.BillingEnforce })
	owner := options{env: []string{"DATABASE_URL=" + db.DSN("owner")}}
	credit := func(usd, reference, want string) {
		t.Helper()
		p, status := command(t, owner, "credit", ten.Alias, usd, "--reference", reference)
		if status != 0 || !strings.Contains(p.out.String(), want) {
			t.Errorf("credit ended with %d and said %q, want %q", status, p.out, want)
		}
	}
	credit("0.005", "first", "the balance is 0.005 USD")
	credit("0.005", "first", "was credited before, so nothing was added; the balance is 0.005 USD")
	c := serve(t, db, ten).client(t, ten)
	var mu sync.Mutex
	statuses := map[string]int{}
	post := func() {
		var calls sync.WaitGroup
		for i := range 40 {
			calls.Go(func() {
				id := fmt.Sprint("paid-", i)
				a, err := c.send(t.Context(), http.MethodPost, "/webhook/generic-webhook", strings.NewReader(genericEvent(id, "thread")))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				statuses[id] = a.StatusCode
			})
		}
		calls.Wait()
	}
	tally := func() map[int]int {
		n := map[int]int{}
		for _, status := range statuses {
			n[status]++
		}
		return n
	}
	post()
	if n := tally(); n[http.StatusAccepted] != 25 || n[http.StatusPaymentRequired] != 15 {
		t.Errorf("5,000 micro-USD paid for events of 200 as %v, want 25 accepted and 15 unpaid", n)
	}
	if e := c.call(http.MethodPost, "/webhook/generic-webhook", genericEvent("unpaid", "thread")).refused(t, http.StatusPaymentRequired); e.Code != inbox.CodeUnpaid {
		t.Errorf("the code of an unpaid event is %s", e.Code)
	}
	post() // the balance is exhausted, and what was paid for stays taken
	if n := tally(); n[http.StatusOK] != 25 || n[http.StatusPaymentRequired] != 15 {
		t.Errorf("the repeats were answered %v, want 25 duplicates and 15 unpaid", n)
	}
	credit("1", "second", "the balance is 1 USD")
	post()
	if n := tally(); n[http.StatusOK] != 25 || n[http.StatusAccepted] != 15 {
		t.Errorf("after the credit the events were answered %v, want 25 duplicates and 15 accepted", n)
	}
	pgtest.Consistent(t, db.Owner, ten.ID)
	if p, status := command(t, owner, "ledger", "check"); status != 0 || !strings.Contains(p.out.String(), ten.Alias) {
		t.Errorf("ledger check ended with %d: %s%s", status, p.out, p.log)
	}
}
