package postgres

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// Where a column is NULL, the domain has the zero value. These read it so.

type idInto[T ~[16]byte] struct{ to *T }

func (d idInto[T]) ScanUUID(v pgtype.UUID) error {
	*d.to = T(v.Bytes)
	return nil
}

type textInto[T ~string] struct{ to *T }

func (d textInto[T]) ScanText(v pgtype.Text) error {
	*d.to = T(v.String)
	return nil
}

type timeInto struct{ to *time.Time }

func (d timeInto) ScanTimestamptz(v pgtype.Timestamptz) error {
	*d.to = utc(v)
	return nil
}

// utc is a time as the domain has it: in UTC, zero for NULL.
func utc(v pgtype.Timestamptz) time.Time {
	if !v.Valid {
		return time.Time{}
	}
	return v.Time.UTC()
}
