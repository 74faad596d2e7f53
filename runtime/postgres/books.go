package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// The whole ledger in one statement, so that all of it is of one moment.
const readBooks = `
WITH sums AS (
  SELECT instance_id, kind, count(*) AS n, sum(amount)::bigint AS amount FROM ledger GROUP BY instance_id, kind
), stray AS (
  SELECT r.instance_id, count(*) AS n
    FROM ledger r LEFT JOIN ledger e ON e.instance_id = r.instance_id AND e.reference = substr(r.reference, length('refund:') + 1)
   WHERE r.kind = 'refund' AND (e.amount IS NULL OR e.amount <> -r.amount)
   GROUP BY r.instance_id
), standing AS (
  SELECT e.instance_id, split_part(e.reference, ':', 2)::uuid AS action_id, count(*) AS n
    FROM ledger e LEFT JOIN ledger r ON r.instance_id = e.instance_id AND r.reference = 'refund:' || e.reference
   WHERE e.kind = 'reply' AND r.reference IS NULL
   GROUP BY 1, 2
), replies AS (
  SELECT s.instance_id, count(*) FILTER (WHERE a.status = 'failed') AS failed, count(*) FILTER (WHERE s.n > 1) AS twice
    FROM standing s LEFT JOIN action a ON a.instance_id = s.instance_id AND a.id = s.action_id
   GROUP BY s.instance_id
)
SELECT i.id, i.alias, coalesce(b.amount, 0), coalesce(s.kind, ''), coalesce(s.n, 0), coalesce(s.amount, 0),
       coalesce(t.n, 0), coalesce(r.failed, 0), coalesce(r.twice, 0)
  FROM instance i
  LEFT JOIN balance b ON b.instance_id = i.id
  LEFT JOIN sums s ON s.instance_id = i.id
  LEFT JOIN stray t ON t.instance_id = i.id
  LEFT JOIN replies r ON r.instance_id = i.id
 ORDER BY i.alias, i.id, s.kind`

// Books reads every instance's money, for an audit. It reads the whole ledger, as
// a role that may read every instance.
func Books(ctx context.Context, db DB) ([]inbox.Book, error) {
	rows, err := db.Query(ctx, readBooks)
	if err != nil {
		return nil, fmt.Errorf("reading the books: %w", err)
	}
	defer rows.Close()
	var books []inbox.Book
	err = eachRow(func(rows pgx.Rows) error {
		var id pgtype.UUID
		var b inbox.Book
		var kind inbox.EntryKind
		var sum inbox.EntrySum
		if err := rows.Scan(&id, &b.Alias, &b.Balance, &kind, &sum.Count, &sum.Sum, &b.StrayRefunds, &b.ChargedFailures, &b.DoubleCharges); err != nil {
			return err
		}
		b.Instance = id.Bytes
		if len(books) == 0 || books[len(books)-1].Instance != b.Instance {
			b.Entries = map[inbox.EntryKind]inbox.EntrySum{}
			books = append(books, b)
		}
		if kind != "" {
			books[len(books)-1].Entries[kind] = sum
		}
		return nil
	})(rows)
	if err != nil {
		return nil, fmt.Errorf("reading the books: %w", err)
	}
	return books, nil
}
