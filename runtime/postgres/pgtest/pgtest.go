// Package pgtest gives each test a migrated database of its own on one private
// Postgres for the whole package, so that tests run in parallel on the real thing.
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
//	func TestX(t *testing.T) {
//		t.Parallel()
//		db := pgtest.New(t)
//		tenant := db.Instance(t)
//		…
//	}
package pgtest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
)

const template = "socialops_template"

var (
	server   *privatepg.Server
	sequence atomic.Int64
	creating sync.Mutex // CREATE DATABASE from one template does not run twice at once
)

// Main starts the package's Postgres, runs the tests and stops it, also when one
// panics. m is a [testing.M], or what wraps one to start something else besides.
func Main(m interface{ Run() int }) {
	os.Exit(run(m))
}

func run(m interface{ Run() int }) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var err error
	server, err = privatepg.Start(ctx, privatepg.Options{Ephemeral: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the tests' Postgres:", err)
		return 1
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the tests' Postgres:", err)
		}
	}()
	if err := prepare(ctx, server, template); err != nil {
		fmt.Fprintln(os.Stderr, "preparing the tests' Postgres:", err)
		return 1
	}
	return m.Run()
}

func prepare(ctx context.Context, s *privatepg.Server, database string) error {
	conn, err := pgx.Connect(ctx, s.DSN(privatepg.Superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, sql := range []string{
		"CREATE ROLE owner LOGIN CREATEROLE",
		"CREATE DATABASE " + database + " OWNER owner",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	if err := postgres.Migrate(ctx, s.DSN("owner", database), slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "CREATE ROLE worker LOGIN IN ROLE socialops_worker"); err != nil {
		return fmt.Errorf("making the worker's role: %w", err)
	}
	if _, err := conn.Exec(ctx, "CREATE ROLE console LOGIN IN ROLE socialops_console"); err != nil {
		return fmt.Errorf("making the console's role: %w", err)
	}
	return nil
}

// Database is one test's own.
type Database struct {
	Name   string
	Server *privatepg.Server
	Owner  *pgxpool.Pool // as the role that owns the schema, as the operator is
}

// New makes a database for the test and drops it afterwards. The package's
// TestMain must be [Main].
func New(t testing.TB) *Database {
	t.Helper()
	if server == nil {
		t.Fatal("the package's TestMain must call pgtest.Main")
	}
	name := fmt.Sprintf("test_%d", sequence.Add(1))
	admin(t, server, "CREATE DATABASE "+name+" TEMPLATE "+template+" OWNER owner")
	d := &Database{Name: name, Server: server}
	d.Owner = d.Pool(t, "owner")
	t.Cleanup(func() { admin(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	// The database's own grants are not copied from the template.
	if _, err := d.Owner.Exec(t.Context(), "REVOKE ALL ON DATABASE "+name+" FROM PUBLIC; GRANT CONNECT ON DATABASE "+name+" TO socialops_runtime, socialops_worker, socialops_console"); err != nil {
		t.Fatal(err)
	}
	return d
}

// NewServer makes a Postgres of the test's own, durable as in production, for
// tests that kill or restart it.
func NewServer(t testing.TB) *Database {
	t.Helper()
	s, err := privatepg.Start(t.Context(), privatepg.Options{Ephemeral: true, Settings: map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := prepare(t.Context(), s, "socialops"); err != nil {
		t.Fatal(err)
	}
	d := &Database{Name: "socialops", Server: s}
	d.Owner = d.Pool(t, "owner")
	return d
}

func admin(t testing.TB, s *privatepg.Server, sql string) {
	t.Helper()
	creating.Lock()
	defer creating.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN(privatepg.Superuser, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// DSN is where a role finds the database.
func (d *Database) DSN(role string) string { return d.Server.DSN(role, d.Name) }

// Pool opens the database as a role, for the test's time.
func (d *Database) Pool(t testing.TB, role string) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Open(context.Background(), d.DSN(role), postgres.MaxConns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// Worker opens the database as the worker.
func (d *Database) Worker(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return d.Pool(t, "worker")
}

// Console opens the database as the console.
func (d *Database) Console(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return d.Pool(t, "console")
}

// Tenant is an instance with a role of its own.
type Tenant struct {
	inbox.Instance
	Role string
	Pool *pgxpool.Pool // as the tenant's role
	Key  string        // an API key with both scopes

	// Generic, Telegram and GitHub are channels that take everything of their provider.
	Generic, Telegram, GitHub inbox.ChannelID
	// Account is the telegram-bot account behind Telegram; its source is TelegramSource.
	Account        inbox.AccountID
	TelegramSource string
}

// Instance adds an instance, as runtime/project would: role, key, and a channel of each provider.
func (d *Database) Instance(t testing.TB, change ...func(*inbox.Instance)) *Tenant {
	t.Helper()
	now := time.Now()
	n := sequence.Add(1)
	in := inbox.Instance{
		ID: inbox.NewID[inbox.InstanceID](now), Alias: fmt.Sprintf("alias-%d", n), Owner: "owner-1",
		Providers: []string{"generic-webhook", "telegram", "github"}, BillingAccount: "acme", BillingMode: inbox.BillingTrack,
		InboundPrice: 200, ReplyPrice: 500, BodyLimit: 25 << 20,
	}
	for _, c := range change {
		c(&in)
	}
	ten := &Tenant{
		Instance: in, Role: "so_test_" + strings.ReplaceAll(in.ID.UUID(), "-", ""), Key: "sk_" + in.ID.UUID(),
		Generic: inbox.NewID[inbox.ChannelID](now), Telegram: inbox.NewID[inbox.ChannelID](now), GitHub: inbox.NewID[inbox.ChannelID](now),
		Account: inbox.NewID[inbox.AccountID](now), TelegramSource: fmt.Sprintf("telegram:%d", 100000+n),
	}
	hash := sha256.Sum256([]byte(ten.Key))
	b := &pgx.Batch{}
	b.Queue(`INSERT INTO instance (id, install_id, namespace, name, uid, generation, alias, owner, providers, billing_account, billing_mode,
		inbound_price, reply_price, rate_limit, body_limit, suspended)
		VALUES ($1, $1, 'test', $2, 'uid', 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		in.ID, in.Alias, in.Owner, in.Providers, in.BillingAccount, string(in.BillingMode), int64(in.InboundPrice), int64(in.ReplyPrice),
		in.RateLimit, in.BodyLimit, in.Suspended)
	b.Queue(`INSERT INTO instance_role VALUES ($1, $2)`, ten.Role, in.ID)
	b.Queue(`INSERT INTO account (id, install_id, namespace, name, kind, owner, source, credential, key_id, fingerprint)
		VALUES ($1, $2, 'test', $3, 'telegram-bot', $4, $5, 'sealed', 'key', 'print')`, ten.Account, in.ID, in.Alias+"-bot", in.Owner, ten.TelegramSource)
	for _, c := range []struct {
		id       inbox.ChannelID
		provider string
		account  any
		source   string
	}{{ten.Generic, "generic-webhook", nil, ""}, {ten.Telegram, "telegram", ten.Account, ten.TelegramSource}, {ten.GitHub, "github", nil, ""}} {
		b.Queue(`INSERT INTO channel (instance_id, id, provider, name, account_id, source) VALUES ($1, $2, $3, $3, $4, $5)`,
			in.ID, c.id, c.provider, c.account, c.source)
	}
	b.Queue(`INSERT INTO api_key (instance_id, id, hash, hint, name, scopes, origin) VALUES ($1, $2, $3, $4, 'test', '{socialops:read,socialops:write}', 'manifest')`,
		in.ID, inbox.NewID[inbox.KeyID](now), hash[:], ten.Key[len(ten.Key)-4:])
	if err := d.Owner.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatalf("adding an instance: %v", err)
	}
	admin(t, d.Server, "CREATE ROLE "+ten.Role+" LOGIN IN ROLE socialops_runtime")
	ten.Pool = d.Pool(t, ten.Role)
	return ten
}
