package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// mostRowsPerItem is how many rows a page may visit for each item that it has room for.
const mostRowsPerItem = 20

// measureRows explains the statements of each filter's first page, alone and with
// every status, as the tenant's role, and shows the worst.
func measureRows(ctx context.Context, b *bench) ([]Row, error) {
	if err := b.large(ctx); err != nil {
		return nil, err
	}
	store, err := b.recorder(ctx)
	if err != nil {
		return nil, err
	}
	defer store.close()
	conn, err := pgx.Connect(ctx, b.dsn(b.tenant.role))
	if err != nil {
		return nil, fmt.Errorf("connecting as the tenant: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()

	var visited []float64
	var worst string
	for _, f := range filters() {
		sent, err := store.record(func() error {
			_, err := store.Inbox(ctx, f.Filter, inbox.Page{Limit: pageLimit + 1})
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("listing by %s: %w", f.name, err)
		}
		rows := 0.0
		for _, s := range sent {
			n, err := rowsVisited(ctx, conn, s)
			if err != nil {
				return nil, fmt.Errorf("explaining the list by %s: %w", f.name, err)
			}
			rows += n
		}
		if len(visited) == 0 || rows > slices.Max(visited) {
			worst = f.name
		}
		visited = append(visited, rows)
	}
	most := slices.Max(visited)
	row := alone("inbox: most rows visited for a page of any filter", "rows", []float64{most})
	row = row.bar(fmt.Sprintf("≤ %d × limit = %d rows", mostRowsPerItem, mostRowsPerItem*pageLimit), most <= mostRowsPerItem*pageLimit)
	return []Row{row.note("of %d filters the worst was %s; the median is %.0f rows", len(visited), worst, median(visited))}, nil
}

type namedFilter struct {
	name string
	inbox.Filter
}

// filters are each filter alone and with each status. Words have figures of their own.
func filters() []namedFilter {
	one := []namedFilter{
		{"nothing", inbox.Filter{}},
		{"assignee=none", inbox.Filter{Assignee: "none"}},
		{"assignee=sub:" + pgtest.SeedAgent(1), inbox.Filter{Assignee: "sub:" + pgtest.SeedAgent(1)}},
	}
	for _, p := range inbox.Priorities {
		one = append(one, namedFilter{"priority=" + string(p), inbox.Filter{Priority: p}})
	}
	for _, p := range []string{"generic-webhook", "telegram", "github"} {
		one = append(one, namedFilter{"provider=" + p, inbox.Filter{Provider: p}})
	}
	for _, l := range []string{pgtest.SeedLabelCommon, pgtest.SeedLabelSome, pgtest.SeedLabelRare} {
		one = append(one, namedFilter{"label=" + l, inbox.Filter{Label: l}})
	}
	statuses := [][]inbox.Status{nil, needsAttention.Statuses}
	for _, s := range inbox.Statuses {
		statuses = append(statuses, []inbox.Status{s})
	}
	var all []namedFilter
	for _, f := range one {
		for _, some := range statuses {
			with := f
			with.Statuses = some
			for _, s := range some {
				with.name += " " + string(s)
			}
			all = append(all, with)
		}
	}
	return all
}

// plan is a node of a plan as EXPLAIN prints it.
type planNode struct {
	Type     string     `json:"Node Type"`
	Relation string     `json:"Relation Name"`
	Rows     float64    `json:"Actual Rows"` // of each loop
	Loops    float64    `json:"Actual Loops"`
	Filtered float64    `json:"Rows Removed by Filter"`
	Recheck  float64    `json:"Rows Removed by Index Recheck"`
	Plans    []planNode `json:"Plans"`
}

// visited is how many rows of tables the node and all below it looked at. The
// average of many loops is rounded; a loop counts for one row at least, found or not.
func (n planNode) visited() float64 {
	sum := 0.0
	if n.Relation != "" && strings.Contains(n.Type, "Scan") {
		sum = n.Rows + n.Filtered + n.Recheck
		if n.Loops > 1 {
			sum = max(1, sum)
		}
		sum *= n.Loops
	}
	for _, p := range n.Plans {
		sum += p.visited()
	}
	return sum
}

func rowsVisited(ctx context.Context, conn *pgx.Conn, s statement) (float64, error) {
	var text []byte
	if err := conn.QueryRow(ctx, "EXPLAIN (ANALYZE, FORMAT JSON) "+s.sql, s.args...).Scan(&text); err != nil {
		return 0, err //nolint:wrapcheck // the caller says what for
	}
	var plans []struct {
		Plan planNode `json:"Plan"`
	}
	if err := json.Unmarshal(text, &plans); err != nil {
		return 0, fmt.Errorf("reading the plan: %w", err)
	}
	sum := 0.0
	for _, p := range plans {
		sum += p.Plan.visited()
	}
	return sum, nil
}
