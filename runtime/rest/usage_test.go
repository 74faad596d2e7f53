package rest_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	usage := func(query string) rest.Usage {
		t.Helper()
		return decode[rest.Envelope[rest.Usage]](t, a.get("/usage"+query), http.StatusOK).Data
	}
	none := rest.Entries{Sum: rest.Money{USD: "0.000000"}}
	empty := map[string]rest.Entries{"inbound": none, "reply": none, "refund": none, "credit": none}
	if got := usage(""); got.BillingMode != inbox.BillingTrack || got.Balance != none.Sum || !cmp.Equal(got.Entries, empty) {
		t.Errorf("of a new inbox: %+v", got)
	}
	for i := range 3 {
		a.event(http.StatusAccepted, fmt.Sprintf(`{"text": "%d"}`, i))
	}
	a.sql("INSERT INTO ledger (instance_id, reference, kind, amount, created_at) VALUES ($1, 'credit:1', 'credit', 12345678, '2026-01-31T23:59:59Z'), ($1, 'reply:1', 'reply', -500, '2026-02-01T00:00:00Z')", a.tenant.ID)
	now := time.Now().UTC()
	got := usage("")
	want := map[string]rest.Entries{
		"inbound": {Count: 3, Sum: rest.Money{MicroUSD: -600, USD: "-0.000600"}}, "reply": none, "refund": none, "credit": none,
	}
	if diff := cmp.Diff(want, got.Entries); diff != "" || got.Balance != (rest.Money{MicroUSD: 12344578, USD: "12.344578"}) {
		t.Errorf("this month: %s, balance %+v", diff, got.Balance)
	}
	if got.From != time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC) || got.To.Before(now.Add(-time.Minute)) {
		t.Errorf("this month is from %v to %v", got.From, got.To)
	}
	for query, counts := range map[string][2]int64{ // credits, replies
		"?from=2026-01-01&to=2026-02-01":                     {1, 0},
		"?from=2026-02-01&to=2026-03-01":                     {0, 1},
		"?from=2026-01-31T23:59:59Z&to=2026-02-01T00:00:01Z": {1, 1},
		"?from=2026-02-01T00:59:59%2B01:00&to=2026-02-01":    {1, 0},
		"?from=2026-02-01&to=2026-02-01":                     {0, 0},
	} {
		if got := usage(query).Entries; got["credit"].Count != counts[0] || got["reply"].Count != counts[1] {
			t.Errorf("%s: %+v", query, got)
		}
	}
}
