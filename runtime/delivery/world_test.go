package delivery_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/billing"
	"github.com/open4x/socialops/runtime/delivery"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/seal"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// world is a database with tenants, as the worker finds it.
type world struct {
	*pgtest.Database
	key   *seal.Key
	queue *postgres.Queue
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return worldOf(t, pgtest.New(t))
}

func worldOf(t testing.TB, db *pgtest.Database) *world {
	t.Helper()
	key, err := seal.NewKey(make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return &world{Database: db, key: key, queue: postgres.NewQueue(db.Worker(t))}
}

// tenant adds an instance whose bot has a token.
func (w *world) tenant(t testing.TB, change ...func(*inbox.Instance)) *tenant {
	t.Helper()
	ten := &tenant{Tenant: w.Instance(t, change...), w: w}
	ten.bot(t, ten.Account, ten.TelegramSource)
	return ten
}

type tenant struct {
	*pgtest.Tenant
	w *world
}

// bot seals a token into an account.
func (ten *tenant) bot(t testing.TB, account inbox.AccountID, source string) {
	t.Helper()
	sealed := ten.w.key.Seal([]byte(tokenOf(source)), "account/"+account.UUID()+"/credential")
	ten.w.exec(t, `UPDATE account SET credential = $2, key_id = $3 WHERE id = $1`, account, sealed, ten.w.key.ID())
}

// tokenOf is the token of a source "telegram:<id>".
func tokenOf(source string) string { return source[len("telegram:"):] + ":secret-of-a-bot" }

func (w *world) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := w.Owner.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func scan[T any](t testing.TB, pool *pgxpool.Pool, sql string, args ...any) (v T) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// thread is a conversation to write to.
type thread struct {
	ten    *tenant
	id     inbox.ThreadID
	chat   string
	source string
	seq    int
}

// thread adds the conversation with a chat, by default at the tenant's Telegram bot.
func (ten *tenant) thread(t testing.TB, chat string) *thread {
	t.Helper()
	return ten.threadAt(t, "telegram", ten.TelegramSource, &ten.Telegram, chat)
}

func (ten *tenant) threadAt(t testing.TB, provider, source string, channel *inbox.ChannelID, chat string) *thread {
	t.Helper()
	th := &thread{ten: ten, id: inbox.NewID[inbox.ThreadID](time.Now()), chat: chat, source: source}
	var bound any
	if channel != nil {
		bound = *channel
	}
	b := &pgx.Batch{}
	contact := inbox.NewID[inbox.ContactID](time.Now())
	b.Queue(`INSERT INTO contact (instance_id, id, source, external_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, ten.ID, contact, source, chat)
	b.Queue(`INSERT INTO thread (instance_id, id, source, external_id, provider, target, channel_id, contact_id)
		SELECT $1, $2, $3, $4, $5, $4, $6, id FROM contact WHERE instance_id = $1 AND source = $3 AND external_id = $4`,
		ten.ID, th.id, source, chat, provider, bound)
	b.Queue(`INSERT INTO thread_state (instance_id, thread_id, provider) VALUES ($1, $2, $3)`, ten.ID, th.id, provider)
	if err := ten.w.Owner.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatalf("adding a thread: %v", err)
	}
	return th
}

// prepare adds an outbound message, and queue the action that delivers it.
func (th *thread) prepare(t testing.TB, text string) inbox.MessageID {
	t.Helper()
	th.seq++
	id := inbox.NewID[inbox.MessageID](time.Now())
	b := &pgx.Batch{}
	b.Queue(`UPDATE thread_state SET message_seq = $3 WHERE instance_id = $1 AND thread_id = $2`, th.ten.ID, th.id, th.seq)
	b.Queue(`INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, text, author_kind)
		VALUES ($1, $2, $3, $4, $5, 'outbound', 'ours', $6, 'api_key')`, th.ten.ID, id, th.id, th.seq, th.source, text)
	if err := th.ten.Pool.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatalf("adding a message: %v", err)
	}
	return id
}

func (th *thread) queue(t testing.TB, message inbox.MessageID) inbox.ActionID {
	t.Helper()
	id := inbox.NewID[inbox.ActionID](time.Now())
	if _, err := th.ten.Pool.Exec(t.Context(), `INSERT INTO action (instance_id, id, kind, thread_id, message_id, thread_seq, lane)
		SELECT instance_id, $2, 'send_reply', thread_id, id, seq, $4 FROM message WHERE instance_id = $1 AND id = $3`,
		th.ten.ID, id, message, inbox.LaneName(inbox.SendReply, th.source)); err != nil {
		t.Fatalf("queueing a reply: %v", err)
	}
	return id
}

// reply queues a reply, as a runtime would.
func (th *thread) reply(t testing.TB, text string) inbox.ActionID {
	t.Helper()
	return th.queue(t, th.prepare(t, text))
}

func parseAction(t testing.TB, id string) inbox.ActionID {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(raw) != 16 {
		t.Fatalf("%q is no id: %v", id, err)
	}
	return inbox.ActionID(raw)
}

// state is what can be seen of an action.
type state struct {
	Status   inbox.ActionStatus
	Attempts int
	Error    string
	External string // id of its message
	Balance  inbox.MicroUSD
}

func (ten *tenant) state(t testing.TB, id inbox.ActionID) (s state) {
	t.Helper()
	err := ten.w.Owner.QueryRow(t.Context(), `
		SELECT a.status, a.attempts, a.error, coalesce(m.external_id, ''), b.amount
		  FROM action a JOIN balance b ON b.instance_id = a.instance_id
		  LEFT JOIN message m ON m.instance_id = a.instance_id AND m.id = a.message_id
		 WHERE a.instance_id = $1 AND a.id = $2`, ten.ID, id).Scan(&s.Status, &s.Attempts, &s.Error, &s.External, &s.Balance)
	if err != nil {
		t.Fatalf("reading an action: %v", err)
	}
	return s
}

// waitFor looks at the database, which tells nobody, until something is so.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// until waits for an action to have a status.
func (ten *tenant) until(t testing.TB, id inbox.ActionID, want ...inbox.ActionStatus) (s state) {
	t.Helper()
	waitFor(t, fmt.Sprintf("action %s to be %s", id, want), func() bool {
		s = ten.state(t, id)
		return slices.Contains(want, s.Status)
	})
	return s
}

// settled waits until no action of any tenant is on its way.
func (w *world) settled(t testing.TB) {
	t.Helper()
	waitFor(t, "every action to be settled", func() bool {
		return scan[int](t, w.Owner, `SELECT count(*) FROM action WHERE status IN ('pending', 'processing')`) == 0
	})
}

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }

// balanced checks the books.
func (w *world) balanced(t testing.TB) {
	t.Helper()
	books, err := postgres.Books(t.Context(), w.Owner)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range billing.Check(books) {
		t.Error(p)
	}
}

// audit is what the log says of an action.
func (ten *tenant) audit(t testing.TB, id inbox.ActionID) []string {
	t.Helper()
	return scan[[]string](t, ten.w.Owner, `
		SELECT array_agg(status || coalesce(': ' || detail, '') || ' by ' || actor ORDER BY seq) FROM event WHERE instance_id = $1 AND action_id = $2`, ten.ID, id)
}

// run starts a worker; the function that it returns stops it and waits for it. A test that
// does not call it has it called at its end.
func (w *world) run(t testing.TB, p provider.Provider, change ...func(*delivery.Options)) (stop func()) {
	t.Helper()
	o := delivery.Options{
		Queue: w.queue, Providers: provider.NewRegistry(p), Keys: w.keys(), SendDeadline: 5 * time.Second,
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&o)
	}
	worker, err := delivery.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(2 * patience):
			t.Error("the worker did not stop")
		}
	})
	t.Cleanup(stop)
	return stop
}

// fake is a provider whose answers a test gives. Parts are the lines of a text.
type fake struct {
	deliver func(ctx context.Context, c provider.Credential, part provider.Reply) inbox.Outcome
	pace    func(thread string) provider.Pace
	media   func(ctx context.Context, ref string) (provider.Media, inbox.Outcome)

	mu   sync.Mutex
	sent []sent
}

// sent is one call of Deliver.
type sent struct {
	provider.Reply
	at time.Time
}

func (f *fake) Name() string        { return "telegram" }
func (f *fake) AccountKind() string { return "telegram-bot" }

func (f *fake) Authenticate(*provider.Request, []provider.Proof) (provider.Proof, bool) {
	return provider.Proof{}, false
}

func (f *fake) Normalize(*provider.Request, provider.Proof) (inbox.Inbound, error) {
	return inbox.Inbound{}, provider.Ignored{Reason: "fake"}
}

func (f *fake) Parts(r provider.Reply) []provider.Reply {
	var parts []provider.Reply
	for line := range strings.SplitSeq(r.Text, "\n") {
		part := r
		part.Text = line
		parts = append(parts, part)
	}
	return parts
}

func (f *fake) Deliver(ctx context.Context, c provider.Credential, part provider.Reply) inbox.Outcome {
	f.mu.Lock()
	f.sent = append(f.sent, sent{part, time.Now()})
	n := len(f.sent)
	f.mu.Unlock()
	if f.deliver != nil {
		return f.deliver(ctx, c, part)
	}
	return delivered(n)
}

func delivered(n int) inbox.Outcome {
	return inbox.Outcome{Kind: inbox.Delivered, ExternalID: "m" + strconv.Itoa(n)}
}

func (f *fake) Pace(thread string) provider.Pace {
	if f.pace == nil {
		return provider.Pace{}
	}
	return f.pace(thread)
}

func (f *fake) FetchMedia(ctx context.Context, _ provider.Credential, ref string) (provider.Media, inbox.Outcome) {
	return f.media(ctx, ref)
}

// byChat answers each conversation in its own way.
func byChat(answers map[string]func(n int) inbox.Outcome) *fake {
	var mu sync.Mutex
	counts := map[string]int{}
	return &fake{deliver: func(_ context.Context, _ provider.Credential, part provider.Reply) inbox.Outcome {
		mu.Lock()
		counts[part.ThreadExternalID]++
		n := counts[part.ThreadExternalID]
		mu.Unlock()
		if answer := answers[part.ThreadExternalID]; answer != nil {
			return answer(n)
		}
		return inbox.Outcome{Kind: inbox.Delivered, ExternalID: part.ThreadExternalID + ":" + strconv.Itoa(n)}
	}}
}

// to are the texts sent to a conversation.
func (f *fake) to(chat string) []string {
	var texts []string
	for _, s := range f.calls() {
		if s.ThreadExternalID == chat {
			texts = append(texts, s.Text)
		}
	}
	return texts
}

// calls are what was sent so far.
func (f *fake) calls() []sent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]sent(nil), f.sent...)
}

// texts are the texts sent so far.
func (f *fake) texts() []string {
	var texts []string
	for _, s := range f.calls() {
		texts = append(texts, s.Text)
	}
	return texts
}

// attachment adds a file that the provider holds, and the action that fetches it.
func (th *thread) attachment(t testing.TB, ref string) (inbox.AttachmentID, inbox.ActionID) {
	t.Helper()
	th.seq++
	now := time.Now()
	message, attachment, action := inbox.NewID[inbox.MessageID](now), inbox.NewID[inbox.AttachmentID](now), inbox.NewID[inbox.ActionID](now)
	payload, err := json.Marshal(inbox.MediaPayload{AttachmentID: attachment})
	if err != nil {
		t.Fatal(err)
	}
	b := &pgx.Batch{}
	b.Queue(`INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, author_kind)
		VALUES ($1, $2, $3, $4, $5, 'inbound', 'theirs', 'contact')`, th.ten.ID, message, th.id, th.seq, th.source)
	b.Queue(`INSERT INTO attachment (instance_id, id, message_id, position, kind, ref, state) VALUES ($1, $2, $3, 0, 'file', $4, 'remote')`,
		th.ten.ID, attachment, message, ref)
	b.Queue(`INSERT INTO action (instance_id, id, kind, thread_id, message_id, lane, payload) VALUES ($1, $2, 'fetch_media', $3, $4, $5, $6)`,
		th.ten.ID, action, th.id, message, inbox.LaneName(inbox.FetchMedia, th.source), payload)
	if err := th.ten.Pool.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatalf("adding an attachment: %v", err)
	}
	return attachment, action
}

// chatName names conversations.
func chatName(n int) string { return strconv.Itoa(1000 + n) }

func (w *world) keys() []*seal.Key { return []*seal.Key{w.key} }
