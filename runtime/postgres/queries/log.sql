-- name: LastEvent :one
SELECT coalesce(max(seq), 0)::bigint FROM event WHERE instance_id = @instance_id;

-- name: GetUsage :many
SELECT b.amount AS balance, i.billing_mode, coalesce(l.kind, '') AS kind, coalesce(l.entries, 0)::bigint AS entries, coalesce(l.sum, 0)::bigint AS sum
  FROM instance i
  JOIN balance b ON b.instance_id = i.id
  LEFT JOIN (SELECT e.kind, count(*) AS entries, sum(e.amount)::bigint AS sum FROM ledger e
              WHERE e.instance_id = @instance_id AND e.created_at >= @since AND e.created_at < @until
              GROUP BY e.kind) l ON true
 WHERE i.id = @instance_id;
