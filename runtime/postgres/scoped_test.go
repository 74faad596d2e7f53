package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// Desks share connections, and none of them keeps anything of whom it served: neither
// after an answer nor after a failure, in whichever way pgx sends what it is given.
func TestDesksShareConnections(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, b := db.Instance(t), db.Instance(t)
	furnish(t, db, a)
	furnish(t, db, b)
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec} {
		t.Run(mode.String(), func(t *testing.T) {
			pool, err := postgres.Open(t.Context(), withParameter(db.DSN("console"), "default_query_exec_mode", strings.ReplaceAll(mode.String(), " ", "_")), 1)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			d := postgres.NewDesks(pool, postgres.DesksOptions{})
			clean := func(after string) {
				t.Helper()
				var n int
				if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM thread`).Scan(&n); err != nil || n != 0 {
					t.Errorf("after %s the connection reads %d threads, %v", after, n, err)
				}
				var settings string
				if err := pool.QueryRow(t.Context(), `SELECT concat(current_setting('socialops.instance_id', true), current_setting('socialops.owner', true), current_setting('socialops.actor', true))`).
					Scan(&settings); err != nil || settings != "" {
					t.Errorf("after %s the connection has the settings %q, %v", after, settings, err)
				}
			}
			for _, ten := range []*pgtest.Tenant{a, b, a} {
				desk := d.Desk(ten.ID)
				views, err := desk.Inbox(t.Context(), inbox.Filter{}, inbox.Page{Limit: 10})
				if err != nil || len(views) != 1 {
					t.Fatalf("%d threads, %v", len(views), err)
				}
				clean("a list")
				if _, err := desk.Accounts(t.Context(), ten.Owner); err != nil {
					t.Error(err)
				}
				clean("accounts")
				if err := desk.LogChannel(t.Context(), ten.Generic, inbox.EventChannelUpdated, nil, "agent:a"); err != nil {
					t.Error(err)
				}
				clean("a transaction")
				_, err = desk.AddNote(t.Context(), inbox.NewMessage{ThreadID: views[0].ID, Author: inbox.Author{Kind: "contact"}})
				if err == nil {
					t.Error("a contact wrote a note")
				}
				clean("a transaction that failed")
				if err := desk.PutSavedView(t.Context(), inbox.SavedView{ID: inbox.NewID[inbox.SavedViewID](views[0].CreatedAt), Agent: inbox.AgentID{1}, Name: "of no agent"}); err == nil {
					t.Error("a view of no agent was saved")
				}
				clean("a statement that failed")
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if _, err := desk.Agents(ctx); err == nil {
					t.Error("a call that was given up was answered")
				}
				clean("a call that was given up")
				if counts, err := desk.Counts(t.Context(), []inbox.Filter{{}, {Query: "subject"}}); err != nil || fmt.Sprint(counts) != "[1 1]" {
					t.Errorf("%v, %v", counts, err)
				}
				clean("a batch")
			}
			if total := pool.Stat().NewConnsCount(); total != 1 {
				t.Errorf("%d connections were made", total)
			}
		})
	}
}

func withParameter(dsn, name, value string) string {
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	return dsn + separator + name + "=" + value
}

// Many people at many desks at once, on few connections, each see their own.
func TestDesksAtOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	d := desks(t, db)
	var tenants []*pgtest.Tenant
	for range 3 {
		ten := db.Instance(t)
		furnish(t, db, ten)
		tenants = append(tenants, ten)
	}
	var wg sync.WaitGroup
	for i := range 12 {
		ten := tenants[i%len(tenants)]
		wg.Go(func() {
			desk := d.Desk(ten.ID)
			for range 10 {
				c, err := desk.Config(t.Context())
				if err != nil || c.Instance.Alias != ten.Alias {
					t.Errorf("config of %q, %v; want %q", c.Instance.Alias, err, ten.Alias)
				}
				agent, err := desk.Agent(t.Context(), "ada", "Ada")
				if err != nil {
					t.Error(err)
				}
				views, err := desk.Inbox(t.Context(), inbox.Filter{}, inbox.Page{Limit: 10})
				if err != nil || len(views) != 1 {
					t.Errorf("%d threads, %v", len(views), err)
					return
				}
				if _, err := desk.AddNote(t.Context(), inbox.NewMessage{ThreadID: views[0].ID, Text: "x", Author: inbox.Author{Kind: "agent", AgentID: agent.ID}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, ten := range tenants {
		if n := count(t, db, `SELECT count(*) FROM message WHERE instance_id = $1 AND type = 'note'`, ten.ID); n != 40 {
			t.Errorf("%d notes, want 40", n)
		}
		consistent(t, db, ten)
	}
}
