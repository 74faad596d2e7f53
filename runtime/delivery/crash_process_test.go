//go:build long

package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/delivery"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/telegram"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
	"github.com/open4x/socialops/runtime/seal"
)

// A worker that is killed must be a process. It is this test binary, started again
// with its orders in the environment.
const ordersVariable = "SOCIALOPS_TEST_WORKER"

type orders struct {
	Database, Telegram string
	Paces              telegram.Paces
	SendDeadline       time.Duration
}

func init() {
	text, ok := os.LookupEnv(ordersVariable)
	if !ok {
		return
	}
	if err := work(text); err != nil {
		fmt.Fprintln(os.Stderr, "the worker failed:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// work is the worker's process. It ends in order when its input does, so also when the test dies.
func work(text string) error {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	key, err := seal.NewKey(make([]byte, seal.KeySize))
	if err != nil {
		return err
	}
	pool, err := postgres.Open(ctx, o.Database, 4)
	if err != nil {
		return err
	}
	defer pool.Close()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	worker, err := delivery.New(delivery.Options{
		Queue:     postgres.NewQueue(pool),
		Providers: provider.NewRegistry(telegram.New(telegram.Options{APIURL: o.Telegram, SendTimeout: o.SendDeadline, Paces: &o.Paces})),
		Keys:      []*seal.Key{key}, SendDeadline: o.SendDeadline, Log: log,
		Listen: func(ctx context.Context, wake func()) {
			if err := postgres.Listen(ctx, o.Database, log, wake); err != nil {
				log.ErrorContext(ctx, "not listening", "error", err)
			}
		},
	})
	if err != nil {
		return err
	}
	return worker.Run(ctx)
}

// crashes is a world whose workers are processes that send to a simulator.
type crashes struct {
	*world
	sim     *botapisim.Sim
	paces   telegram.Paces
	workers int
	// caught are the replies whose send was under way when their worker was killed.
	caught map[inbox.ActionID]bool
}

func newCrashes(t *testing.T, paces telegram.Paces) *crashes {
	t.Helper()
	sim, err := botapisim.Start(botapisim.Options{AnyBot: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	return &crashes{world: newWorld(t), sim: sim, paces: paces, caught: map[inbox.ActionID]bool{}}
}

// process is a worker.
type process struct {
	*exec.Cmd
	c     *crashes
	name  string
	input io.Closer
	ended bool
}

// start starts a worker and waits until it is connected. A lease is 4 s then.
func (c *crashes) start(t *testing.T) *process {
	t.Helper()
	text, err := json.Marshal(orders{Database: c.DSN("worker"), Telegram: c.sim.URL(), Paces: c.paces, SendDeadline: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	c.workers++
	p := &process{Cmd: exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0]), c: c, name: fmt.Sprintf("crash-%d", c.workers)}
	p.Env = append(os.Environ(), ordersVariable+"="+string(text), "PGAPPNAME="+p.name)
	p.Stdout, p.Stderr = t.Output(), t.Output()
	if p.input, err = p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !p.ended {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	c.until(t, "the worker to connect", func() bool { return p.connections(t) > 0 })
	return p
}

func (p *process) connections(t *testing.T) int {
	t.Helper()
	return scan[int](t, p.c.Owner, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1`, p.name)
}

// kill kills the worker at once.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
	p.ended = true
}

// remains waits until Postgres has ended what a killed worker had begun, and notes
// the sends that it had under way.
func (p *process) remains(t *testing.T) (caught int) {
	t.Helper()
	p.c.until(t, "a killed worker's connections to end", func() bool { return p.connections(t) == 0 })
	ids := scan[[]inbox.ActionID](t, p.c.Owner, `SELECT coalesce(array_agg(id), '{}') FROM action WHERE status = 'processing' AND started_at IS NOT NULL`)
	for _, id := range ids {
		if !p.c.caught[id] { // else of a worker killed before, whose lease still runs
			p.c.caught[id] = true
			caught++
		}
	}
	if caught > delivery.MaxSends {
		t.Errorf("%d sends were under way, at most %d may be", caught, delivery.MaxSends)
	}
	return caught
}

// stop ends the worker in order.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.input.Close()
	if err := p.Wait(); err != nil {
		t.Errorf("a worker that was stopped: %v", err)
	}
	p.ended = true
}

func (c *crashes) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

func (c *crashes) count(t *testing.T, where string) int {
	t.Helper()
	return scan[int](t, c.Owner, "SELECT count(*) FROM action WHERE "+where)
}

// within bounds a wait for the simulator.
func within(t *testing.T, wait func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := wait(ctx); err != nil {
		t.Fatal(err)
	}
}

// queued is a reply with the parts that it is sent as. Each part's text is its own.
type queued struct {
	*thread
	action inbox.ActionID
	parts  []string
}

// long queues a reply of some parts.
func (th *thread) long(t *testing.T, parts int) queued {
	t.Helper()
	q := queued{thread: th}
	for i := range parts {
		text := fmt.Sprintf("%s reply %d part %d ", th.chat, th.seq+1, i)
		if i < parts-1 { // so long that the next part is another message
			text += strings.Repeat("x", 4090-len(text)) + "\n\n"
		}
		q.parts = append(q.parts, text)
	}
	q.action = th.reply(t, strings.Join(q.parts, ""))
	return q
}

// check checks what must hold of replies after any crash, and returns those of unknown outcome.
func (c *crashes) check(t *testing.T, replies []queued) (unknown []queued) {
	t.Helper()
	at := map[string][]int{} // of each text, when it was sent
	for i, m := range c.sim.Sent() {
		key := fmt.Sprintf("telegram:%d/%d/%s", m.BotID, m.ChatID, strings.TrimSpace(m.Text))
		at[key] = append(at[key], i)
	}
	tenants := map[*tenant]bool{}
	last := map[*thread]int{}
	for _, q := range replies {
		tenants[q.ten] = true
		s := q.ten.state(t, q.action)
		paid := scan[int64](t, c.Owner, `SELECT coalesce(sum(amount), 0) FROM ledger WHERE instance_id = $1 AND reference LIKE '%:' || $2::uuid || ':%'`, q.ten.ID, q.action)
		price := int64(0)
		switch {
		case s.Status == inbox.ActionCompleted:
			price = -int64(q.ten.ReplyPrice)
		case s.Status == inbox.ActionFailed && s.Error == inbox.ErrOutcomeUnknown && c.caught[q.action]:
			unknown = append(unknown, q)
		default:
			t.Errorf("%s: %+v, caught by a kill: %t", q.parts[0][:20], s, c.caught[q.action])
		}
		if paid != price {
			t.Errorf("%s is %s and cost %d, want %d", q.parts[0][:20], s.Status, paid, price)
		}
		for i, part := range q.parts {
			key := q.source + "/" + q.chat + "/" + strings.TrimSpace(part)
			seen := at[key]
			delete(at, key)
			if len(seen) > 1 || len(seen) == 0 && s.Status == inbox.ActionCompleted {
				t.Errorf("%s: part %d was seen %d times, and it is %s", q.parts[0][:20], i, len(seen), s.Status)
			}
			if len(seen) > 0 {
				if seen[0] < last[q.thread] {
					t.Errorf("%s: part %d overtook what was queued before it", q.parts[0][:20], i)
				}
				last[q.thread] = seen[0]
			}
		}
	}
	for key := range at {
		t.Errorf("sent what nobody wrote: %.60q", key)
	}
	c.balanced(t)
	for ten := range tenants {
		pgtest.Consistent(t, c.Owner, ten.ID)
	}
	return unknown
}
