package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// consoleRights is all that the console's role may do to each table.
var consoleRights = map[string]string{
	"account":       "SELECT(created_at,display_name,id,identified_at,install_id,kind,name,namespace,owner,removed_at,source)",
	"account_proof": "",
	"action":        "SELECT INSERT(id,instance_id,kind,lane,message_id,payload,thread_id,thread_seq)",
	"action_part":   "",
	"agent":         "SELECT INSERT(id,instance_id,name,subject) UPDATE(name)",
	"api_key": "INSERT(created_at,expires_at,hash,hint,id,instance_id,name,origin,scopes) " +
		"SELECT(created_at,expires_at,hint,id,instance_id,name,origin,revoked_at,scopes) UPDATE(revoked_at)",
	"attachment":         "SELECT(error,id,instance_id,kind,message_id,mime_type,name,position,size,state,url)",
	"attachment_content": "SELECT",
	"balance":            "SELECT",
	"canned_text":        "SELECT INSERT DELETE UPDATE(name,text,updated_at)",
	"channel":            "SELECT(account_id,active,created_at,external_id,id,instance_id,is_default,name,parse_mode,provider,removed_at,source,uid)",
	"contact":            "SELECT(avatar_url,blocked_at,created_at,handle,id,instance_id,name,url)",
	"event":              "SELECT",
	"event_counter":      "",
	"event_receipt":      "",
	"goose_db_version":   "",
	"idempotency":        "SELECT INSERT DELETE",
	"instance": "SELECT(alias,billing_account,billing_mode,body_limit,created_at,event_days,id,inbound_price,install_id,name,namespace,owner,providers," +
		"purge_at,purged_at,rate_burst,rate_limit,raw_payload_days,reply_price,retired_at,suspended,thread_days)",
	"instance_role": "",
	"ledger":        "SELECT",
	"message": "INSERT(author_id,author_kind,author_name,direction,id,instance_id,origin,parent_id,seq,source,text,thread_id,type) " +
		"SELECT(author_id,author_kind,author_name,created_at,data,direction,edited_at,group_id,id,instance_id,origin,parent_id,sent_at,seq,source,text,thread_id,type,url)",
	"pace":            "",
	"raw_payload":     "",
	"removed_message": "",
	"saved_view":      "SELECT INSERT DELETE UPDATE(name,query,shared)",
	"thread":          "SELECT(ai_summary,channel_id,contact_id,created_at,custom_data,episode,handler,id,instance_id,provider,source,subject,tsv)",
	"thread_label":    "SELECT DELETE INSERT(instance_id,label,last_activity_at,status,thread_id)",
	"thread_state":    "SELECT UPDATE(assignee_id,last_activity_at,last_message_id,message_seq,priority,status,unread)",
}

// consoleFunctions are the functions that the console's role may call.
var consoleFunctions = []string{
	"console_instance", "console_owner", "grant_credit", "log_channel", "log_raw", "oldest_binary", "owned_unread", "read_raw", "requeue_action",
	"schema_version", "search_threads",
}

func TestConsoleRightsOverTheCatalogue(t *testing.T) {
	t.Parallel()
	rightsOverTheCatalogue(t, pgtest.New(t), "socialops_console", consoleRights, consoleFunctions)
}

// state is the SQLSTATE of a failure.
func state(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// asConsole runs f as the console, for an instance, in a transaction that is kept.
func asConsole(t *testing.T, console *pgxpool.Pool, instance string, f func(pgx.Tx) error) error {
	t.Helper()
	return pgx.BeginFunc(t.Context(), console, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SELECT set_config('socialops.instance_id', $1, true), set_config('socialops.actor', 'agent:forger', true)`, instance); err != nil {
			return err
		}
		return f(tx)
	})
}

// Every table, by the catalogue: a transaction of the console reaches the rows of the
// instance that it names, and none if it names none.
func TestConsoleReachesOneInstance(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, b := db.Instance(t), db.Instance(t)
	furnish(t, db, a)
	furnish(t, db, b)
	console := db.Console(t)
	for table, rights := range consoleRights {
		if table == "goose_db_version" {
			continue
		}
		column := map[string]string{"instance": "id", "account": "install_id"}[table] // the tests' installs hold one instance each
		if column == "" {
			column = "instance_id"
		}
		theirs := fmt.Sprintf(`SELECT count(*) FROM %s WHERE %s = $1`, table, column)
		if count(t, db, theirs, b.ID) == 0 {
			t.Errorf("%s: the test gives tenant b no row, so it proves nothing", table)
		}
		if strings.Contains(rights, "SELECT") {
			for instance, want := range map[string]bool{a.ID.UUID(): table != "account", "": false} {
				var own, others int
				err := asConsole(t, console, instance, func(tx pgx.Tx) error {
					return tx.QueryRow(t.Context(), fmt.Sprintf(`SELECT count(*) FILTER (WHERE %[2]s = $1), count(*) FILTER (WHERE %[2]s <> $1) FROM %[1]s`, table, column), a.ID).Scan(&own, &others)
				})
				if err != nil || (own > 0) != want || others != 0 {
					t.Errorf("%s: for instance %q the console reads %d rows of it and %d of others, %v", table, instance, own, others, err)
				}
			}
		}
		snapshot := fmt.Sprintf(`SELECT md5(coalesce(string_agg(x::text, ',' ORDER BY x::text), '')) FROM %s x WHERE %s = $1`, table, column)
		before := text(t, db, snapshot, b.ID)
		for _, sql := range []string{
			fmt.Sprintf(`DELETE FROM %s WHERE %s = '%s'`, table, column, b.ID.UUID()),
			fmt.Sprintf(`UPDATE %[1]s SET %[2]s = '%[3]s' WHERE %[2]s = '%[4]s'`, table, column, a.ID.UUID(), b.ID.UUID()),
			fmt.Sprintf(`UPDATE %[1]s SET %[2]s = '%[3]s'`, table, column, b.ID.UUID()),
			fmt.Sprintf(`TRUNCATE %s`, table),
		} {
			// Refused, or no row is in reach: the snapshot tells.
			_ = asConsole(t, console, a.ID.UUID(), func(tx pgx.Tx) error { _, err := tx.Exec(t.Context(), sql); return err })
		}
		if after := text(t, db, snapshot, b.ID); after != before {
			t.Errorf("%s: the console for instance a changed instance b's rows", table)
		}
	}
}

// What the console adds is its instance's: with the other's name on it, a row that is
// fine otherwise is refused.
func TestConsoleAddsNothingToOthers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, b := db.Instance(t), db.Instance(t)
	furnish(t, db, a)
	r := furnish(t, db, b)
	agent := text(t, db, `SELECT id::text FROM agent WHERE instance_id = $1`, b.ID)
	console := db.Console(t)
	values := strings.NewReplacer("{b}", b.ID.UUID(), "{thread}", r.ThreadID.UUID(), "{message}", r.MessageID.UUID(), "{agent}", agent)
	for table, row := range map[string]string{
		"action":       `(instance_id, id, kind, thread_id, message_id, lane) VALUES ('{b}', gen_random_uuid(), 'send_reply', '{thread}', '{message}', 'x')`,
		"agent":        `(instance_id, id, subject) VALUES ('{b}', gen_random_uuid(), 'evil')`,
		"api_key":      `(instance_id, id, hash, hint, name, scopes, origin) VALUES ('{b}', gen_random_uuid(), sha256('x'), 'x', 'x', '{}', 'api')`,
		"canned_text":  `(instance_id, id, name, text) VALUES ('{b}', gen_random_uuid(), 'evil', 'x')`,
		"idempotency":  `(instance_id, caller, route, key, body_hash, result) VALUES ('{b}', 'evil', 'r', 'k', 'h', '{}')`,
		"message":      `(instance_id, id, thread_id, seq, source, direction, origin, author_kind) VALUES ('{b}', gen_random_uuid(), '{thread}', 99, 's', 'outbound', 'ours', 'agent')`,
		"saved_view":   `(instance_id, id, agent_id, name, query) VALUES ('{b}', gen_random_uuid(), '{agent}', 'evil', 'x')`,
		"thread_label": `(instance_id, thread_id, label, status, last_activity_at) VALUES ('{b}', '{thread}', 'evil', 'open', now())`,
	} {
		sql := values.Replace("INSERT INTO " + table + " " + row)
		insert := func(tx pgx.Tx) error { _, err := tx.Exec(t.Context(), sql); return err }
		if err := asConsole(t, console, a.ID.UUID(), insert); err == nil || !strings.Contains(err.Error(), "row-level security") {
			t.Errorf("%s: the console for instance a added a row to instance b: %v", table, err)
		}
		if err := asConsole(t, console, b.ID.UUID(), insert); err != nil {
			t.Errorf("%s: the row that the test tries would not be valid anyway: %v", table, err)
		}
	}
	tried := strings.Fields("action agent api_key canned_text idempotency message saved_view thread_label")
	for table, rights := range consoleRights {
		if strings.Contains(rights, "INSERT") && !slices.Contains(tried, table) {
			t.Errorf("%s takes rows of the console: try one above", table)
		}
	}
}

func TestConsoleCanNotForge(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, b := db.Instance(t), db.Instance(t)
	ours := furnish(t, db, a)
	theirs := furnish(t, db, b)
	console := db.Console(t)
	execute(t, db, a, `INSERT INTO api_key (instance_id, id, hash, hint, name, scopes, origin, revoked_at) VALUES ($1, gen_random_uuid(), sha256('old'), 'x', 'revoked', '{}', 'api', now())`)
	values := strings.NewReplacer("{a}", a.ID.UUID(), "{b}", b.ID.UUID(), "{roleb}", b.Role, "{thread}", ours.ThreadID.UUID(),
		"{threadb}", theirs.ThreadID.UUID(), "{messageb}", theirs.MessageID.UUID(),
		"{actionb}", text(t, db, `SELECT id::text FROM action WHERE instance_id = $1 AND status = 'failed'`, b.ID))
	const none = "" // it is not refused, but no row is in reach
	for what, c := range map[string]struct{ sql, state string }{
		"credentials":                 {`SELECT credential FROM account`, "42501"},
		"a webhook's secret":          {`SELECT webhook_secret FROM account`, "42501"},
		"everybody's accounts":        {`SELECT 1 / count(*) FROM account`, "22012"},
		"proofs":                      {`SELECT * FROM account_proof`, "42501"},
		"an instance's key":           {`SELECT sealed_key FROM instance`, "42501"},
		"hashes of keys":              {`SELECT hash FROM api_key`, "42501"},
		"raw payloads":                {`SELECT body FROM raw_payload`, "42501"},
		"external ids":                {`SELECT external_id FROM thread`, "42501"},
		"a chat's id":                 {`SELECT target FROM thread`, "42501"},
		"a message's external id":     {`SELECT external_id FROM message`, "42501"},
		"a person's external id":      {`SELECT external_id FROM contact`, "42501"},
		"a provider's reference":      {`SELECT ref FROM attachment`, "42501"},
		"roles":                       {`SELECT * FROM instance_role`, "42501"},
		"a charge":                    {`INSERT INTO ledger (instance_id, reference, kind, amount) VALUES ('{a}', 'inbound:x', 'inbound', 0)`, "42501"},
		"a refund":                    {`INSERT INTO ledger (instance_id, reference, kind, amount) VALUES ('{a}', 'refund:x', 'refund', 5)`, "42501"},
		"a credit by hand":            {`INSERT INTO ledger (instance_id, reference, kind, amount) VALUES ('{a}', 'credit:x', 'credit', 5)`, "42501"},
		"a credit as a refund":        {`SELECT grant_credit('` + a.Alias + `', 5, 'refund:x')`, "22023"},
		"a debit":                     {`SELECT grant_credit('` + a.Alias + `', -5, 'credit:x')`, "22023"},
		"the balance":                 {`UPDATE balance SET amount = 1000000`, "42501"},
		"the price":                   {`UPDATE instance SET inbound_price = 0`, "42501"},
		"another's instance":          {`UPDATE instance SET owner = 'me'`, "42501"},
		"an event":                    {`INSERT INTO event (instance_id, seq, type, actor) VALUES ('{a}', 999, 'channel.created', 'forger')`, "42501"},
		"a message's event":           {`SELECT log_channel(gen_random_uuid(), 'message.created', '{}')`, "22023"},
		"a credit's event":            {`SELECT log_channel(gen_random_uuid(), 'credit.granted', '{}')`, "22023"},
		"an event of no channel":      {`SELECT log_channel(NULL, 'channel.created', '{}')`, "22023"},
		"an event of no instance":     {`SELECT set_config('socialops.instance_id', '', true); SELECT log_channel(gen_random_uuid(), 'channel.created', '{}')`, "23502"},
		"the log's past":              {`DELETE FROM event`, "42501"},
		"another past":                {`UPDATE event SET actor = 'x'`, "42501"},
		"places in the log":           {`SELECT next_events('{a}', 10)`, "42501"},
		"the log's counter":           {`UPDATE event_counter SET seq = 0`, "42501"},
		"a manifest's key":            {`INSERT INTO api_key (instance_id, id, hash, hint, name, scopes, origin) VALUES ('{a}', gen_random_uuid(), sha256('x'), 'x', 'x', '{}', 'manifest')`, "42501"},
		"a key revoked before":        {`INSERT INTO api_key (instance_id, id, hash, hint, name, scopes, origin, revoked_at) VALUES ('{a}', gen_random_uuid(), sha256('x'), 'x', 'x', '{}', 'api', now())`, "42501"},
		"the end of a manifest's key": {`UPDATE api_key SET revoked_at = now() WHERE origin = 'manifest'`, none},
		"a revoked key":               {`UPDATE api_key SET revoked_at = NULL`, none},
		"a key's scopes":              {`UPDATE api_key SET scopes = '{socialops:write}'`, "42501"},
		"a key without a trace":       {`DELETE FROM api_key`, "42501"},
		"a contact's message":         {`INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, author_kind) VALUES ('{a}', gen_random_uuid(), '{thread}', 50, 's', 'inbound', 'theirs', 'agent')`, "42501"},
		"a message of ours elsewhere": {`INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, author_kind) VALUES ('{a}', gen_random_uuid(), '{thread}', 50, 's', 'outbound', 'ours_elsewhere', 'agent')`, "42501"},
		"a key's message":             {`INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, author_kind) VALUES ('{a}', gen_random_uuid(), '{thread}', 50, 's', 'outbound', 'ours', 'api_key')`, "42501"},
		"another's thread":            {`INSERT INTO message (instance_id, id, thread_id, seq, source, direction, origin, author_kind) VALUES ('{a}', gen_random_uuid(), '{threadb}', 50, 's', 'outbound', 'ours', 'agent')`, "23503"},
		"a message's text":            {`UPDATE message SET text = 'x'`, "42501"},
		"the past of a message":       {`DELETE FROM message`, "42501"},
		"a thread's subject":          {`UPDATE thread SET subject = 'x'`, "42501"},
		"a contact's name":            {`UPDATE contact SET name = 'x'`, "42501"},
		"a completed action":          {`UPDATE action SET status = 'completed', settled_at = now()`, "42501"},
		"an action born completed":    {`INSERT INTO action (instance_id, id, kind, thread_id, message_id, lane, status, settled_at) SELECT instance_id, gen_random_uuid(), 'send_reply', thread_id, id, 'x', 'completed', now() FROM message`, "42501"},
		"another's requeue":           {`SELECT 1 / requeue_action('{b}', '{actionb}')::int`, "22012"},
		"a channel":                   {`UPDATE channel SET active = true`, "42501"},
		"an event that comes in":      {`SELECT ingest_event(null, null, '', '', '', null, null, '', '', '', null, null, '', '', '', '', '', null, '', '', '', '', '', '', '', '', '', null, '', '', null)`, "42501"},
		"a thread's removal":          {`SELECT remove_threads('{a}', ARRAY(SELECT id FROM thread), 1)`, "42501"},
		"the log's expiry":            {`SELECT expire_events('{a}', 0, 1)`, "42501"},
		"a look at another's message": {`SELECT 1 / count(*) FROM (SELECT log_raw('{threadb}', '{messageb}') AS seq) x WHERE seq IS NOT NULL`, "22012"},
		"the worker's role":           {`SET ROLE socialops_worker`, "42501"},
		"a tenant's role":             {`SET ROLE {roleb}`, "42501"},
		"the owner's role":            {`SET ROLE owner`, "42501"},
		"triggers switched off":       {`ALTER TABLE message DISABLE TRIGGER ALL`, "42501"},
		"triggers as a replica":       {`SET session_replication_role = replica`, "42501"},
		"a table":                     {`CREATE TABLE evil (x int)`, "42501"},
		"a temporary table":           {`CREATE TEMP TABLE message (x int)`, "42501"},
		"a function":                  {`CREATE FUNCTION actor2() RETURNS text LANGUAGE sql AS 'SELECT 1::text'`, "42501"},
		"a file":                      {`COPY canned_text TO '/tmp/evil'`, "42501"},
		"passwords":                   {`SELECT rolpassword FROM pg_authid`, "42501"},
	} {
		sql := values.Replace(c.sql)
		var touched int64
		err := asConsole(t, console, a.ID.UUID(), func(tx pgx.Tx) error {
			tag, err := tx.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
			touched = tag.RowsAffected()
			return err
		})
		switch {
		case c.state == none && (err != nil || touched != 0):
			t.Errorf("%s: %d rows, %v", what, touched, err)
		case c.state != none && state(err) != c.state:
			t.Errorf("%s is not refused with %s: %v", what, c.state, err)
		}
	}
	consistent(t, db, a)
	consistent(t, db, b)
	var found []inbox.ThreadID
	if err := asConsole(t, console, a.ID.UUID(), func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT array_agg(t) FROM search_threads('subject') t`).Scan(&found)
	}); err != nil || len(found) != 1 || found[0] != ours.ThreadID {
		t.Errorf("a search finds %v, %v", found, err)
	}
	if err := asConsole(t, console, "", func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT array_agg(t) FROM search_threads('subject') t`).Scan(&found)
	}); err != nil || len(found) != 0 {
		t.Errorf("a search in no instance finds %v, %v", found, err)
	}
}

// Nobody looks at a payload and takes the log of it back.
func TestNoLookGoesUnlogged(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	r := furnish(t, db, ten)
	console := db.Console(t)
	const look = `SELECT count(*) FROM read_raw($1)`
	var seq int64
	var shown int
	for name, savepoint := range map[string]bool{"in the same transaction": false, "behind a savepoint": true} {
		if err := asConsole(t, console, ten.ID.UUID(), func(tx pgx.Tx) error {
			if savepoint {
				if _, err := tx.Exec(t.Context(), "SAVEPOINT s"); err != nil {
					return err
				}
			}
			if err := tx.QueryRow(t.Context(), `SELECT log_raw($1, $2)`, r.ThreadID, r.MessageID).Scan(&seq); err != nil {
				return err
			}
			return tx.QueryRow(t.Context(), look, seq).Scan(&shown)
		}); err != nil || shown != 0 {
			t.Errorf("%s: %d payloads are shown, %v", name, shown, err)
		}
	}
	read := func(instance inbox.InstanceID, seq int64) int {
		t.Helper()
		if err := asConsole(t, console, instance.UUID(), func(tx pgx.Tx) error { return tx.QueryRow(t.Context(), look, seq).Scan(&shown) }); err != nil {
			t.Fatal(err)
		}
		return shown
	}
	if n := read(ten.ID, seq); n != 1 {
		t.Errorf("of a look that is logged, %d payloads are shown", n)
	}
	if n := read(other.ID, seq); n != 0 {
		t.Errorf("to another instance, %d payloads are shown", n)
	}
	if n := read(ten.ID, seq-2); n != 0 {
		t.Errorf("by another event, %d payloads are shown", n)
	}
	if _, err := db.Owner.Exec(t.Context(), `INSERT INTO event (instance_id, seq, type, thread_id, message_id, actor, at) VALUES ($1, 1000, 'raw.shown', $2, $3, 'x', now() - interval '2 minutes')`,
		ten.ID, r.ThreadID, r.MessageID); err != nil {
		t.Fatal(err)
	}
	if n := read(ten.ID, 1000); n != 0 {
		t.Errorf("by a look of long ago, %d payloads are shown", n)
	}
}
