package postgres_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/open4x/socialops/runtime/billing"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestACreditIsGivenOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := db.Instance(t)
	db.Instance(t)
	var given atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			c, err := postgres.Credit(t.Context(), db.Owner, a.Alias, 5_000_000, billing.CreditReference("invoice-1"))
			if err != nil || c.Balance != 5_000_000 {
				t.Errorf("%+v, %v", c, err)
			}
			if !c.Repeated {
				given.Add(1)
			}
		})
	}
	all.Wait()
	if given.Load() != 1 {
		t.Errorf("given %d times", given.Load())
	}
	if c, err := postgres.Credit(t.Context(), db.Owner, a.Alias, 1, billing.CreditReference("invoice-2")); err != nil || c.Balance != 5_000_001 || c.Repeated {
		t.Errorf("another one: %+v, %v", c, err)
	}
	for name, c := range map[string]struct {
		alias, reference string
		amount           inbox.MicroUSD
		code             inbox.Code
	}{
		"unknown alias":                {"nobody", "credit:1", 1, inbox.CodeNotFound},
		"nothing":                      {a.Alias, "credit:1", 0, inbox.CodeInvalid},
		"less than nothing":            {a.Alias, "credit:1", -1, inbox.CodeInvalid},
		"no reference":                 {a.Alias, "credit: ", 1, inbox.CodeInvalid},
		"another kind's reference":     {a.Alias, "refund:1", 1, inbox.CodeInvalid},
		"a long reference":             {a.Alias, "credit:" + strings.Repeat("x", 200), 1, inbox.CodeInvalid},
		"another amount":               {a.Alias, "credit:invoice-1", 1, inbox.CodeConflict},
		"a reference that can't stand": {a.Alias, "credit:\x00", 1, inbox.CodeInvalid},
	} {
		if _, err := postgres.Credit(t.Context(), db.Owner, c.alias, c.amount, c.reference); inbox.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	books, err := postgres.Books(t.Context(), db.Owner)
	if err != nil || len(books) != 2 {
		t.Fatalf("%d books, %v", len(books), err)
	}
	if problems := billing.Check(books); len(problems) > 0 {
		t.Error(problems)
	}
	if _, err := db.Owner.Exec(t.Context(), "UPDATE balance SET amount = amount + 1 WHERE instance_id = $1", a.ID); err != nil {
		t.Fatal(err)
	}
	if books, err = postgres.Books(t.Context(), db.Owner); err != nil || len(billing.Check(books)) != 1 {
		t.Errorf("a forged balance goes unnoticed: %v %v", billing.Check(books), err)
	}
}
