package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// tenantRights is all that a tenant's role may do to each table. A table that is
// not here fails the test: whoever adds one decides, and says it here.
var tenantRights = map[string]string{
	"account":            "",
	"account_proof":      "SELECT",
	"action":             "SELECT INSERT(id,instance_id,kind,lane,message_id,payload,thread_id,thread_seq)",
	"action_part":        "SELECT",
	"agent":              "SELECT INSERT",
	"api_key":            "SELECT",
	"attachment":         "SELECT INSERT UPDATE(state)",
	"attachment_content": "SELECT",
	"balance":            "SELECT",
	"canned_text":        "",
	"channel":            "SELECT",
	"contact":            "SELECT INSERT UPDATE(avatar_url,blocked_at,handle,name,url)",
	"event":              "SELECT",
	"event_counter":      "",
	"event_receipt":      "SELECT INSERT",
	"goose_db_version":   "",
	"idempotency":        "SELECT INSERT DELETE",
	"instance":           "SELECT",
	"instance_role":      "SELECT",
	"ledger":             "SELECT",
	"message":            "SELECT INSERT UPDATE(data,edited_at,text,type)",
	"pace":               "",
	"raw_payload":        "INSERT",
	"removed_message":    "SELECT",
	"saved_view":         "",
	"thread":             "SELECT INSERT UPDATE(ai_summary,channel_id,contact_id,custom_data,external_id,handler,subject,target)",
	"thread_label":       "SELECT DELETE INSERT(instance_id,label,last_activity_at,status,thread_id)",
	"thread_state":       "SELECT INSERT UPDATE(assignee_id,expires_at,last_activity_at,last_message_id,message_seq,priority,status,unread)",
}

// tenantFunctions are the functions that a tenant's role may call.
var tenantFunctions = []string{"ingest_event", "oldest_binary", "requeue_action", "schema_version", "search_threads"}

func TestTenantRightsOverTheCatalogue(t *testing.T) {
	t.Parallel()
	rightsOverTheCatalogue(t, pgtest.New(t), "socialops_runtime", tenantRights, tenantFunctions)
}

// rightsOverTheCatalogue compares all that a group may do with what it should.
func rightsOverTheCatalogue(t *testing.T, db *pgtest.Database, group string, want map[string]string, wantFunctions []string) {
	t.Helper()
	const rights = `
SELECT c.relname, c.relrowsecurity,
       EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND $1::regrole = ANY (p.polroles)),
       concat_ws(' ',
         (SELECT string_agg(p, ' ' ORDER BY array_position('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}', p))
            FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p WHERE has_table_privilege($1, c.oid, p)),
         (SELECT string_agg(columns, ' ' ORDER BY columns) FROM (
            SELECT p || '(' || string_agg(a.attname, ',' ORDER BY a.attname) || ')' AS columns
              FROM unnest('{SELECT,INSERT,UPDATE}'::text[]) p JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE NOT has_table_privilege($1, c.oid, p) AND has_column_privilege($1, c.oid, a.attnum, p)
             GROUP BY p) x))
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1`
	rows, err := db.Owner.Query(t.Context(), rights, group)
	if err != nil {
		t.Fatal(err)
	}
	var table, granted string
	var rls, policy bool
	seen := map[string]bool{}
	if _, err := pgx.ForEachRow(rows, []any{&table, &rls, &policy, &granted}, func() error {
		seen[table] = true
		should, known := want[table]
		switch {
		case !known:
			t.Errorf("table %s is new: say what %s may do to it (now: %q)", table, group, granted)
		case granted != should:
			t.Errorf("%s may do %q to %s, want %q", group, granted, table, should)
		}
		if granted != "" && (!rls || !policy) {
			t.Errorf("%s is open to %s without row-level security and a policy of theirs", table, group)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for table := range want {
		if !seen[table] {
			t.Errorf("%s is to have rights to %s, which is not there", group, table)
		}
	}
	rows, err = db.Owner.Query(t.Context(), `SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
		AND has_function_privilege($1, p.oid, 'EXECUTE')
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') ORDER BY 1`, group)
	if err != nil {
		t.Fatal(err)
	}
	functions, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(functions, wantFunctions) {
		t.Errorf("%s may call %v, want %v", group, functions, wantFunctions)
	}
	// What runs with its owner's rights looks nowhere but where its owner meant.
	if loose := count(t, db, `SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
		AND NOT coalesce(proconfig, '{}') @> '{"search_path=public, pg_temp"}'`); loose > 0 {
		t.Errorf("%d functions run with their owner's rights and the caller's search_path", loose)
	}
}

// furnish gives a tenant a row in every table.
func furnish(t *testing.T, db *pgtest.Database, ten *pgtest.Tenant) inbox.Receipt {
	t.Helper()
	s := store(t, ten)
	in := generic("event", "thread", "text")
	in.Thread.Labels = []string{"label"}
	in.Message.Attachments = []inbox.InboundAttachment{{Kind: "file", Ref: "ref"}}
	r := ingest(t, s, ten, in)
	for _, sql := range []string{
		`INSERT INTO agent (instance_id, id, subject) VALUES ($1, gen_random_uuid(), 'sub')`,
		`INSERT INTO action (instance_id, id, kind, thread_id, message_id, thread_seq, lane, status, settled_at) SELECT instance_id, gen_random_uuid(), 'send_reply', thread_id, id, seq, source, 'failed', now() FROM message WHERE instance_id = $1`,
		`INSERT INTO action_part (instance_id, action_id, part) SELECT instance_id, id, 0 FROM action WHERE instance_id = $1`,
		`INSERT INTO attachment_content SELECT instance_id, id, 'x' FROM attachment WHERE instance_id = $1`,
		`INSERT INTO pace VALUES ($1, 'k', now())`,
		`INSERT INTO idempotency (instance_id, caller, route, key, body_hash, result) VALUES ($1, 'c', 'r', 'k', 'h', '{}')`,
		`INSERT INTO account_proof (instance_id, account_id, provider, source) SELECT $1, account_id, provider, source FROM channel WHERE instance_id = $1 AND account_id IS NOT NULL`,
		`INSERT INTO ledger VALUES ($1, 'credit:1', 'credit', 1000)`,
		`INSERT INTO removed_message VALUES ($1, gen_random_uuid(), gen_random_uuid())`,
		`INSERT INTO canned_text (instance_id, id, name, text) VALUES ($1, gen_random_uuid(), 'n', 't')`,
		`INSERT INTO saved_view (instance_id, id, agent_id, name, query) SELECT $1, gen_random_uuid(), id, 'n', 'q' FROM agent WHERE instance_id = $1`,
	} {
		if _, err := db.Owner.Exec(t.Context(), sql, ten.ID); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	return r
}

// Every table, by the catalogue: of another tenant's rows a tenant reads none, writes none, and adds none.
func TestTenantReachesNobodyElsesRows(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, b := db.Instance(t), db.Instance(t)
	furnish(t, db, a)
	furnish(t, db, b)
	for table, rights := range tenantRights {
		if table == "goose_db_version" {
			continue
		}
		column := "instance_id"
		switch table {
		case "instance":
			column = "id"
		case "account":
			column = "install_id" // the tests' installs hold one instance each
		}
		if n := count(t, db, fmt.Sprintf(`SELECT count(*) FROM %s WHERE %s = $1`, table, column), b.ID); n == 0 {
			t.Errorf("%s: the test gives tenant b no row, so it proves nothing", table)
		}
		snapshot := fmt.Sprintf(`SELECT md5(coalesce(string_agg(x::text, ',' ORDER BY x::text), '')) FROM %s x WHERE %s = $1`, table, column)
		before := text(t, db, snapshot, b.ID)
		if strings.Contains(rights, "SELECT") {
			var others int
			if err := a.Pool.QueryRow(t.Context(), fmt.Sprintf(`SELECT count(*) FROM %s WHERE %s <> $1`, table, column), a.ID).Scan(&others); err != nil || others != 0 {
				t.Errorf("%s: tenant a reads %d rows of others, %v", table, others, err)
			}
		}
		for _, sql := range []string{
			fmt.Sprintf(`DELETE FROM %s WHERE %s = '%s'`, table, column, b.ID.UUID()),
			fmt.Sprintf(`UPDATE %[1]s SET %[2]s = '%[3]s' WHERE %[2]s = '%[4]s'`, table, column, a.ID.UUID(), b.ID.UUID()),
			fmt.Sprintf(`UPDATE %[1]s SET %[2]s = '%[3]s'`, table, column, b.ID.UUID()),
			fmt.Sprintf(`TRUNCATE %s`, table),
		} {
			_, _ = a.Pool.Exec(t.Context(), sql) // refused, or no row is in reach: the snapshot tells
		}
		if after := text(t, db, snapshot, b.ID); after != before {
			t.Errorf("%s: tenant a changed tenant b's rows", table)
		}
		if strings.Contains(rights, "INSERT") {
			if err := insertFor(t, db, a, table, b.ID); err == nil {
				t.Errorf("%s: tenant a added a row for tenant b", table)
			}
		}
	}
}

func text(t *testing.T, db *pgtest.Database, sql string, args ...any) string {
	t.Helper()
	var s string
	if err := db.Owner.QueryRow(t.Context(), sql, args...).Scan(&s); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return s
}

// insertFor tries, as tenant a, to insert a row that names the other instance and
// would be valid if it were the other's own.
func insertFor(t *testing.T, db *pgtest.Database, a *pgtest.Tenant, table string, other inbox.InstanceID) error {
	t.Helper()
	values := map[string]string{
		"action":        `(instance_id, id, kind, thread_id, message_id, lane) SELECT '%[1]s', gen_random_uuid(), 'send_reply', '%[2]s', '%[3]s', 'x'`,
		"agent":         `(instance_id, id, subject) SELECT '%[1]s', gen_random_uuid(), 'evil'`,
		"attachment":    `(instance_id, id, message_id, position, kind, state) SELECT '%[1]s', gen_random_uuid(), '%[3]s', 9, 'file', 'linked'`,
		"contact":       `(instance_id, id, source, external_id) SELECT '%[1]s', gen_random_uuid(), 's', 'evil'`,
		"event_receipt": `(instance_id, key) SELECT '%[1]s', gen_random_uuid()`,
		"idempotency":   `(instance_id, caller, route, key, body_hash, result) SELECT '%[1]s', 'evil', 'r', 'k', 'h', '{}'`,
		"message":       `(instance_id, id, thread_id, seq, source, direction, origin, author_kind) SELECT '%[1]s', gen_random_uuid(), '%[2]s', 99, 's', 'inbound', 'theirs', 'system'`,
		"raw_payload":   `(instance_id, message_id, id, body) SELECT '%[1]s', '%[3]s', gen_random_uuid(), 'x'`,
		"thread":        `(instance_id, id, source, external_id, provider) SELECT '%[1]s', gen_random_uuid(), 's', 'evil', 'p'`,
		"thread_label":  `(instance_id, thread_id, label, status, last_activity_at) SELECT '%[1]s', '%[2]s', 'evil', 'open', now()`,
		"thread_state":  `(instance_id, thread_id, provider) SELECT '%[1]s', '%[4]s', 'p'`,
	}
	row, ok := values[table]
	if !ok {
		t.Fatalf("%s takes rows of tenants: give insertFor one to try", table)
	}
	thread := text(t, db, `SELECT id::text FROM thread WHERE instance_id = $1`, other)
	message := text(t, db, `SELECT id::text FROM message WHERE instance_id = $1`, other)
	bare := text(t, db, `INSERT INTO thread (instance_id, id, source, external_id, provider) VALUES ($1, gen_random_uuid(), 's', gen_random_uuid()::text, 'p') RETURNING id::text`, other)
	sql := `INSERT INTO ` + table + ` ` + row
	for i, v := range []string{other.UUID(), thread, message, bare} {
		sql = strings.ReplaceAll(sql, fmt.Sprintf("%%[%d]s", i+1), v)
	}
	_, err := a.Pool.Exec(t.Context(), sql)
	if err != nil && !strings.Contains(err.Error(), "row-level security") {
		t.Errorf("%s: refused, but not for whose it is: %v", table, err)
	}
	// It is a valid row otherwise: its own tenant may insert it.
	if _, own := db.Owner.Exec(t.Context(), sql); own != nil {
		t.Errorf("%s: the row that the test tries would not be valid anyway: %v", table, own)
	}
	return err
}

func TestTenantCanNotForge(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, b := db.Instance(t), db.Instance(t)
	furnish(t, db, a)
	furnish(t, db, b)
	for what, sql := range map[string]string{
		"a credit":                   `INSERT INTO ledger (instance_id, reference, kind, amount) VALUES ('{a}', 'credit:forged', 'credit', 1000000)`,
		"a cheap charge":             `INSERT INTO ledger (instance_id, reference, kind, amount) VALUES ('{a}', 'inbound:forged', 'inbound', 0)`,
		"the balance":                `UPDATE balance SET amount = 1000000`,
		"the price":                  `UPDATE instance SET inbound_price = 0`,
		"the billing mode":           `UPDATE instance SET billing_mode = 'Off'`,
		"an event":                   `INSERT INTO event (instance_id, seq, type, actor) VALUES ('{a}', 999, 'message.created', 'forger')`,
		"the log's past":             `DELETE FROM event`,
		"the log's counter":          `UPDATE event_counter SET seq = 0`,
		"places in the log":          `SELECT next_events('{a}', 10)`,
		"a completed action":         `UPDATE action SET status = 'completed', settled_at = now()`,
		"an action born completed":   `INSERT INTO action (instance_id, id, kind, thread_id, message_id, lane, status, settled_at) SELECT instance_id, gen_random_uuid(), 'send_reply', thread_id, id, 'x', 'completed', now() FROM message`,
		"an action already tried":    `INSERT INTO action (instance_id, id, kind, thread_id, message_id, lane, attempts) SELECT instance_id, gen_random_uuid(), 'send_reply', thread_id, id, 'x', 9 FROM message`,
		"a delivered part":           `INSERT INTO action_part (instance_id, action_id, part) SELECT instance_id, id, 7 FROM action`,
		"an account":                 `INSERT INTO account (id, install_id, namespace, name, kind, owner, credential, key_id, fingerprint) VALUES (gen_random_uuid(), '{a}', 'n', 'n', 'k', 'o', 'c', 'k', 'f')`,
		"another's account":          `UPDATE channel SET account_id = (SELECT account_id FROM channel WHERE instance_id = '{b}' LIMIT 1)`,
		"a channel":                  `INSERT INTO channel (instance_id, id, provider, name) VALUES ('{a}', gen_random_uuid(), 'telegram', 'evil')`,
		"a proof":                    `UPDATE account_proof SET token_hash = sha256('x')`,
		"a key":                      `INSERT INTO api_key (instance_id, id, hash, hint, name, scopes, origin) VALUES ('{a}', gen_random_uuid(), sha256('x'), 'x', 'x', '{socialops:read}', 'api')`,
		"another's role":             `UPDATE instance_role SET instance_id = '{b}'`,
		"a role of its own":          `INSERT INTO instance_role VALUES ('evil', '{b}')`,
		"the past of a message":      `DELETE FROM message`,
		"a thread's end":             `DELETE FROM thread`,
		"a raw payload's end":        `DELETE FROM raw_payload`,
		"a look at raw payloads":     `SELECT body FROM raw_payload`,
		"a look at credentials":      `SELECT credential FROM account`,
		"a receipt's end":            `DELETE FROM event_receipt`,
		"the worker's role":          `SET ROLE socialops_worker`,
		"the owner's role":           `SET ROLE owner`,
		"another tenant's role":      `SET ROLE {roleb}`,
		"another's session":          `SET SESSION AUTHORIZATION {roleb}`,
		"triggers switched off":      `ALTER TABLE message DISABLE TRIGGER ALL`,
		"triggers as a replica":      `SET session_replication_role = replica`,
		"row security switched off":  `ALTER TABLE message DISABLE ROW LEVEL SECURITY`,
		"a table":                    `CREATE TABLE evil (x int)`,
		"a temporary table":          `CREATE TEMP TABLE message (x int)`,
		"a function":                 `CREATE FUNCTION actor2() RETURNS text LANGUAGE sql AS 'SELECT 1::text'`,
		"a schema":                   `CREATE SCHEMA evil`,
		"a file":                     `COPY message TO '/tmp/evil'`,
		"a program":                  `COPY message TO PROGRAM 'true'`,
		"a bulk load":                `COPY message FROM '/dev/null'`,
		"passwords":                  `SELECT rolpassword FROM pg_authid`,
		"a thread's expiry":          `SELECT expire_threads('{a}', 1)`,
		"a thread's removal":         `SELECT remove_threads('{a}', ARRAY(SELECT id FROM thread), 1)`,
		"the log's expiry":           `SELECT expire_events('{a}', 0, 1)`,
		"how long things are kept":   `UPDATE instance SET event_days = 1`,
		"a message's removal":        `INSERT INTO removed_message VALUES ('{a}', gen_random_uuid(), gen_random_uuid())`,
		"a requeue for somebody":     `SELECT 1 / requeue_action('{b}', (SELECT id FROM action LIMIT 1))::int`,
		"an inbound message as ours": `INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, author_kind) SELECT instance_id, gen_random_uuid(), thread_id, 50, source, 'inbound', 'ours', 'system' FROM message LIMIT 1`,
		"another's thread":           `INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, author_kind) VALUES ('{a}', gen_random_uuid(), '{threadb}', 50, 's', 'inbound', 'theirs', 'system')`,
		"another's contact":          `UPDATE thread SET contact_id = '{contactb}'`,
		"another's channel":          `UPDATE thread SET channel_id = '{channelb}'`,
		"another's agent":            `UPDATE thread_state SET assignee_id = '{agentb}'`,
		"another's message":          `INSERT INTO action (instance_id, id, kind, thread_id, message_id, lane) VALUES ('{a}', gen_random_uuid(), 'send_reply', '{threadb}', '{messageb}', 'x')`,
	} {
		sql = strings.NewReplacer("{a}", a.ID.UUID(), "{b}", b.ID.UUID(), "{roleb}", b.Role,
			"{threadb}", text(t, db, `SELECT id::text FROM thread WHERE instance_id = $1`, b.ID),
			"{contactb}", text(t, db, `SELECT id::text FROM contact WHERE instance_id = $1`, b.ID),
			"{messageb}", text(t, db, `SELECT id::text FROM message WHERE instance_id = $1`, b.ID),
			"{agentb}", text(t, db, `SELECT id::text FROM agent WHERE instance_id = $1`, b.ID),
			"{channelb}", b.Generic.UUID()).Replace(sql)
		if tag, err := a.Pool.Exec(t.Context(), sql); err == nil {
			t.Errorf("a tenant can forge %s: %s (%s)", what, sql, tag)
		}
	}
	consistent(t, db, a)
	consistent(t, db, b)
}

// Settings that SQL can set do not move a tenant into another's rows.
func TestSettingsDoNotMoveTenants(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, b := db.Instance(t), db.Instance(t)
	furnish(t, db, b)
	conn, err := a.Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, setting := range []string{"socialops.instance_id", "role", "search_path", "row_security"} {
		_, _ = conn.Exec(t.Context(), `SELECT set_config($1, $2, false)`, setting, map[string]string{"role": b.Role, "search_path": "pg_temp, public", "row_security": "off"}[setting]+b.ID.UUID())
	}
	_, _ = conn.Exec(t.Context(), `SET row_security = off`)
	var n int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM public.thread`).Scan(&n); err == nil && n != 0 {
		t.Errorf("%d threads of another tenant", n)
	}
}

// A message that a tenant inserts by hand is charged and logged like any other.
func TestNoChargeCanBeSkipped(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := db.Instance(t)
	r := ingest(t, store(t, a), a, generic("e", "t", "x"))
	for i, origin := range []string{"theirs", "ours_elsewhere"} {
		direction := map[string]string{"theirs": "inbound", "ours_elsewhere": "outbound"}[origin]
		if _, err := a.Pool.Exec(t.Context(), `INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, author_kind) VALUES ($1, gen_random_uuid(), $2, $3, 's', $4, $5, 'system')`,
			a.ID, r.ThreadID, 2+i, direction, origin); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, db, `SELECT amount FROM balance WHERE instance_id = $1`, a.ID); n != -600 {
		t.Errorf("balance %d, want -600", n)
	}
	if n := count(t, db, `SELECT count(*) FROM event WHERE type = 'message.created'`); n != 3 {
		t.Errorf("%d events, want 3", n)
	}
}

func TestLedgerAndLogAreAppendOnly(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	ingest(t, store(t, ten), ten, generic("e", "t", "x"))
	for _, sql := range []string{`UPDATE ledger SET amount = 0`, `DELETE FROM ledger`, `UPDATE event SET actor = 'x'`} {
		if _, err := db.Owner.Exec(t.Context(), sql); err == nil {
			t.Errorf("even the owner could %s", sql)
		}
	}
}
