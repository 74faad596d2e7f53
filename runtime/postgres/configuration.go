package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/query"
)

// Configuration keeps what admins configure. Its pool is open as the database's
// owner, which also needs CREATEROLE: every instance has a role of its own.
type Configuration struct{ pool *pgxpool.Pool }

var _ inbox.Configuration = (*Configuration)(nil)

// NewConfiguration makes the configuration's store.
func NewConfiguration(pool *pgxpool.Pool) *Configuration { return &Configuration{pool: pool} }

// configureTimeout bounds one transaction, whatever the caller's patience.
const configureTimeout = 20 * time.Second

// Configure implements [inbox.Configuration].
func (c *Configuration) Configure(ctx context.Context, locks []string, f func(inbox.ConfigurationTx) error) error {
	ctx, cancel := context.WithTimeout(ctx, configureTimeout)
	defer cancel()
	err := pgx.BeginTxFunc(ctx, c.pool, pgx.TxOptions{BeginQuery: begin(locks)}, func(tx pgx.Tx) error {
		return f(&configurationTx{tx: tx, q: query.New(tx)})
	})
	if err != nil {
		return coded(err, c.pool.Config().ConnConfig)
	}
	return nil
}

// Check is [CheckSchema], with failures coded as those of Configure are.
func (c *Configuration) Check(ctx context.Context) error {
	if err := CheckSchema(ctx, c.pool); err != nil {
		return coded(err, c.pool.Config().ConnConfig)
	}
	return nil
}

// begin starts a transaction and takes its locks in one round trip. They are
// advisory, because a row's lock would be a write where nothing changes, and taken
// in one order, so that nobody waits in a ring.
func begin(locks []string) string {
	keys := make([]int64, len(locks))
	for i, lock := range locks {
		sum := sha256.Sum256([]byte(lock))
		keys[i] = int64(binary.BigEndian.Uint64(sum[:])) //nolint:gosec // any 64 bits will do
	}
	slices.Sort(keys)
	var b strings.Builder
	b.WriteString("begin")
	for _, key := range slices.Compact(keys) {
		fmt.Fprintf(&b, "; select pg_advisory_xact_lock(%d)", key)
	}
	return b.String()
}

// coded gives a failure the code that a projection can act on. c is how the database was reached.
func coded(err error, c *pgx.ConnConfig) error {
	if inbox.CodeOf(err) != "" {
		return err
	}
	refused, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok || isAwayState(refused.Code):
		return &inbox.Error{Code: inbox.CodeUnavailable, Message: "the database is away; this is tried again", Err: err}
	case isLoginState(refused.Code):
		return &inbox.Error{Code: inbox.CodeUnavailable, Message: fmt.Sprintf("the database refuses to let the role %q into %q: correct the database URL", c.User, c.Database), Err: err}
	case refused.Code == stateForbidden, refused.Code == stateNoSchema:
		return &inbox.Error{Code: inbox.CodeForbidden, Message: missingPrivileges(c), Err: err}
	case refused.Code == stateUndefinedTable, refused.Code == stateUndefinedColumn, refused.Code == stateUndefinedFunc:
		return &inbox.Error{Code: inbox.CodeConflict, Message: "the database's schema is too old: run `socialops migrate`", Err: err}
	default:
		return fmt.Errorf("configuring: %w", err)
	}
}

// missingPrivileges is what a superuser has to run. Up to Postgres 15 CREATEROLE
// covers every role; later only those that one made oneself, so that a successor
// has to be given the others.
func missingPrivileges(c *pgx.ConnConfig) string {
	user := pgx.Identifier{c.User}.Sanitize()
	return fmt.Sprintf("the database role %[1]s may not manage roles, or does not own the database; as a superuser run: "+
		"ALTER DATABASE %[2]s OWNER TO %[1]s; ALTER ROLE %[1]s CREATEROLE; and on Postgres 16 or later, if other roles made them: "+
		"DO $$ DECLARE r regrole; BEGIN FOR r IN SELECT oid FROM pg_roles WHERE rolname ~ '^(%[3]s|%[4]s|%[5]s|so_[0-9a-f]{8}_([0-9a-f]{32}|worker|console))$' LOOP "+
		"EXECUTE format('GRANT %%s TO %[1]s WITH ADMIN TRUE, INHERIT FALSE, SET FALSE', r); END LOOP; END $$; "+
		"(CloudNativePG: set createrole in the cluster's managed.roles)",
		user, pgx.Identifier{c.Database}.Sanitize(), groupRuntime, groupWorker, groupConsole)
}

const (
	stateForbidden       = "42501"
	stateUndefinedTable  = "42P01"
	stateUndefinedColumn = "42703"
	stateTooManyClients  = "53300"
	stateNoDatabase      = "3D000"
	stateNoSchema        = "3F000" // none that one may create in
)

// isLoginState tells failures of the door rather than of what is behind it.
func isLoginState(state string) bool {
	return state == stateNoDatabase || strings.HasPrefix(state, "28")
}

// isAwayState tells failures that pass by themselves.
func isAwayState(state string) bool {
	switch state {
	case stateAdminShutdown, stateCrashShutdown, stateCannotConnect, stateTooManyClients, stateDeadlock, stateSerialization:
		return true
	}
	return strings.HasPrefix(state, "08") // connection exceptions
}

// configurationTx is one transaction of the configuration.
type configurationTx struct {
	tx pgx.Tx
	q  *query.Queries
}

// one turns a query's answer into a row, nil when there is none.
func one[Q, R any](row Q, err error, convert func(*Q) R, what string) (*R, error) {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // what is not there is nil, as the interface says
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	out := convert(&row)
	return &out, nil
}

// list turns a query's answer into rows.
func list[Q, R any](rows []Q, err error, convert func(*Q) R, what string) ([]R, error) {
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	out := make([]R, len(rows))
	for i := range rows {
		out[i] = convert(&rows[i])
	}
	return out, nil
}

// wrote says what was being written.
func wrote(err error, what string) error {
	if err != nil {
		return fmt.Errorf("writing %s: %w", what, err)
	}
	return nil
}
