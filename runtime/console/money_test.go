package console_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

// Staff grant credits, to anybody's inbox, once for each reference.
func TestCredits(t *testing.T) {
	t.Parallel()
	a := start(t)
	grant := func(who, body string) answer { return a.call(who, http.MethodPost, "/credits", body) }
	first := data[console.Credit](t, grant("staff a", `{"amount_usd": "25", "reference": " invoice-1 "}`), 200)
	if first.Balance.MicroUSD != 25_000_000 || first.Repeated {
		t.Errorf("%+v", first)
	}
	again := data[console.Credit](t, grant("staff a", `{"amount_usd": "25.000", "reference": "invoice-1"}`), 200)
	if again.Balance.MicroUSD != 25_000_000 || !again.Repeated {
		t.Errorf("again: %+v", again)
	}
	grant("staff a", `{"amount_usd": "26", "reference": "invoice-1"}`).problem(t, 409, inbox.CodeConflict)
	a.call("staff a", http.MethodPost, console.BasePath+"/nowhere/credits", `{"amount_usd": "1", "reference": "x"}`).problem(t, 404, inbox.CodeNotFound)
	for _, amount := range []string{"0", "-1", "1e3", "0.0000001", "99999999999999999999", "x", ""} {
		if field := blames(t, grant("staff a", fmt.Sprintf(`{"amount_usd": %q, "reference": "y"}`, amount)).problem(t, 400, inbox.CodeInvalid)); field != "body.amount_usd" {
			t.Errorf("%q blames %s", amount, field)
		}
	}
	if e := a.call("alice r", http.MethodGet, "/audit?type=credit.granted", ""); true {
		rows := decode[rest.List[console.TrailEntry]](t, e, 200).Data
		if len(rows) != 1 || rows[0].ActorName != "staff" || rows[0].Detail != "credit:invoice-1" {
			t.Errorf("the trail: %+v", rows)
		}
	}
	pgtest.Consistent(t, a.db.Owner, a.tenant.ID)
}

// Charges are the ledger's, summed.
func TestCharges(t *testing.T) {
	t.Parallel()
	a := start(t)
	for i := range 3 {
		a.event(fmt.Sprintf(`{"event_id": "%d", "thread_id": "t", "text": "x", "user": {"id": "u"}}`, i))
	}
	charges := data[[]console.Charge](t, a.call("alice r", http.MethodGet, "/charges?step=hour", ""), 200)
	var count, sum int64
	for _, c := range charges {
		count += c.Entries["inbound"].Count
		sum += c.Entries["inbound"].Sum.MicroUSD
	}
	if count != 3 || sum != -3*200 {
		t.Errorf("%d charges of %d: %+v", count, sum, charges)
	}
	usage := data[rest.Usage](t, a.call("alice r", http.MethodGet, "/usage", ""), 200)
	if usage.Balance.MicroUSD != sum || usage.Entries["inbound"].Sum.MicroUSD != sum {
		t.Errorf("usage: %+v", usage)
	}
	page := decode[rest.List[console.LedgerEntry]](t, a.call("alice r", http.MethodGet, "/entries?limit=2&kind=inbound", ""), 200)
	if len(page.Data) != 2 || !page.Pagination.HasMore || page.Data[0].Amount.MicroUSD != -200 {
		t.Fatalf("the ledger: %+v", page)
	}
	cursor := "&cursor=" + *page.Pagination.NextCursor
	if rest := decode[rest.List[console.LedgerEntry]](t, a.call("alice r", http.MethodGet, "/entries?limit=2&kind=inbound"+cursor, ""), 200); len(rest.Data) != 1 || rest.Pagination.HasMore {
		t.Errorf("its last page: %+v", rest)
	}
	a.call("alice r", http.MethodGet, "/entries?limit=2&kind=reply"+cursor, "").problem(t, 400, inbox.CodeInvalid)
	a.call("alice r", http.MethodGet, "/audit?limit=2"+cursor, "").problem(t, 400, inbox.CodeInvalid)
	a.call("alice r", http.MethodGet, "/charges?from=2020-01-01&to=2026-01-01", "").problem(t, 400, inbox.CodeInvalid)
	if none := data[[]console.Charge](t, a.call("alice r", http.MethodGet, "/charges?from=2020-01-01&to=2020-01-01", ""), 200); len(none) != 0 {
		t.Errorf("of no time: %+v", none)
	}
}
