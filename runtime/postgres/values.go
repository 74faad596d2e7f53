package postgres

import (
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// uid is an id as a parameter: the zero id is NULL.
func uid[T ~[16]byte](id T) pgtype.UUID {
	return pgtype.UUID{Bytes: id, Valid: id != T{}}
}

// uids is a list of ids as a parameter.
func uids[T ~[16]byte](ids []T) []pgtype.UUID {
	out := make([]pgtype.UUID, len(ids))
	for i, id := range ids {
		out[i] = uid(id)
	}
	return out
}

// timestamp is a time as a parameter: the zero time is NULL.
func timestamp(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

// clean makes text that a text column takes: valid UTF-8, and U+FFFD for U+0000.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// SQLSTATEs that decide what happens next.
const (
	stateNotNull         = "23502"
	stateForeignKey      = "23503"
	stateUniqueViolation = "23505"
	stateUndefinedFunc   = "42883"
	stateDeadlock        = "40P01"
	stateSerialization   = "40001"
	stateAdminShutdown   = "57P01"
	stateCrashShutdown   = "57P02"
	stateCannotConnect   = "57P03"
	stateUnpaid          = "SO402" // raised by the ledger's trigger
)

func sqlState(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

func isUndefinedFunction(err error) bool { return sqlState(err) == stateUndefinedFunc }

// IsAway tells a failure that passes by itself: the database can't be reached, or
// is starting or stopping.
func IsAway(err error) bool {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return isAwayState(refused.Code)
	}
	code := inbox.CodeOf(err)
	return err != nil && (code == "" || code == inbox.CodeUnavailable)
}
