//go:build bench

package delivery_test

import (
	"fmt"
	"os"
	"runtime/pprof"
	"strconv"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/delivery"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/telegram"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// seedReplies queues n replies to chats of bots of one instance, evenly.
func (ten *tenant) seedReplies(t testing.TB, n, bots, chats int) {
	t.Helper()
	for b := range bots {
		source := fmt.Sprintf("telegram:%d", 900000+b)
		account, channel := inbox.NewID[inbox.AccountID](time.Now()), inbox.NewID[inbox.ChannelID](time.Now())
		ten.w.exec(t, `INSERT INTO account (id, install_id, namespace, name, kind, owner, source, credential, key_id, fingerprint)
			VALUES ($1, $2, 'bench', $3, 'telegram-bot', 'o', $3, '', '', '')`, account, ten.ID, source)
		ten.bot(t, account, source)
		ten.w.exec(t, `INSERT INTO channel (instance_id, id, provider, name, account_id, source) VALUES ($1, $2, 'telegram', $4, $3, $4)`, ten.ID, channel, account, source)
		ten.w.exec(t, `INSERT INTO thread (instance_id, id, source, external_id, provider, target, channel_id)
			SELECT $1, gen_random_uuid(), $2, (1000 + n)::text, 'telegram', (1000 + n)::text, $3 FROM generate_series(1, $4::int) n`, ten.ID, source, channel, chats/bots)
	}
	// Ids in the order of their making, as UUIDv7 are.
	ten.w.exec(t, `CREATE SEQUENCE made`)
	ten.w.exec(t, `CREATE FUNCTION uuid7(bigint) RETURNS uuid LANGUAGE sql AS $$
		SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint + nextval('made')), 12, '0') || '7' || substr(md5(random()::text), 14, 3) ||
		        '8' || substr(md5(random()::text), 18, 15))::uuid $$`)
	ten.w.exec(t, `INSERT INTO thread_state (instance_id, thread_id, provider) SELECT instance_id, id, provider FROM thread WHERE instance_id = $1`, ten.ID)
	ten.w.exec(t, `INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, text, author_kind)
		SELECT instance_id, uuid7(n), id, n, source, 'outbound', 'ours', 'Thanks, we are checking this now.', 'api_key'
		  FROM thread, generate_series(1, $2::int) n WHERE instance_id = $1`, ten.ID, n/chats)
	ten.w.exec(t, `INSERT INTO action (instance_id, id, kind, thread_id, message_id, thread_seq, lane)
		SELECT instance_id, uuid7(seq), 'send_reply', thread_id, id, seq, source FROM message WHERE instance_id = $1 ORDER BY seq, thread_id`, ten.ID)
	ten.w.exec(t, `ANALYZE`)
}

func envInt(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

func BenchmarkDelivery(b *testing.B) {
	n, bots, chats := envInt("REPLIES", 20000), envInt("BOTS", 10), envInt("CHATS", 5000)
	for b.Loop() {
		b.StopTimer()
		w := worldOf(b, pgtest.NewServer(b))
		ten := w.tenant(b)
		ten.seedReplies(b, n, bots, chats)
		super := w.Pool(b, "postgres")
		if _, err := super.Exec(b.Context(), "CHECKPOINT"); err != nil {
			b.Fatal(err)
		}
		var p provider.Provider = &fake{}
		wait := func() error { return nil }
		if os.Getenv("FAKE") == "" {
			sim, err := botapisim.Start(botapisim.Options{AnyBot: true, CountOnly: true})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(sim.Close)
			p = telegram.New(telegram.Options{APIURL: sim.URL(), Paces: &telegram.Paces{}})
			wait = func() error { return sim.WaitSent(b.Context(), n) }
		}
		b.StartTimer()
		if path := os.Getenv("PROFILE"); path != "" {
			f, _ := os.Create(path)
			_ = pprof.StartCPUProfile(f)
		}
		began := time.Now()
		stop := w.run(b, p, func(o *delivery.Options) { o.Log = nil })
		if err := wait(); err != nil {
			b.Fatal(err)
		}
		for scan[int](b, w.Owner, `SELECT count(*) FROM (SELECT FROM action WHERE status IN ('pending', 'processing') LIMIT 1) a`) > 0 {
			time.Sleep(20 * time.Millisecond)
		}
		took := time.Since(began)
		pprof.StopCPUProfile()
		b.StopTimer()
		stop()
		b.ReportMetric(float64(n)/took.Seconds(), "replies/s")
		w.balanced(b)
		b.StartTimer()
	}
}
