package rest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// maxPeriod bounds what one usage call sums up.
const maxPeriod = 366 * 24 * time.Hour

// Money is an amount in US dollars.
type Money struct {
	MicroUSD int64  `json:"micro_usd" doc:"Millionths of a US dollar."`
	USD      string `json:"usd" example:"-0.000200" doc:"The same in dollars, exactly."`
}

// Usage is what was charged, refunded and credited.
type Usage struct {
	Balance     Money              `json:"balance" doc:"Now, whatever the period."`
	BillingMode inbox.BillingMode  `json:"billing_mode" enum:"Off,Track,Enforce"`
	From        time.Time          `json:"from"`
	To          time.Time          `json:"to"`
	Entries     map[string]Entries `json:"entries" doc:"By kind: inbound, reply, refund and credit."`
}

// Entries are the ledger's entries of one kind.
type Entries struct {
	Count int64 `json:"count"`
	Sum   Money `json:"sum"`
}

// NewMoney is how an amount is shown.
func NewMoney(m inbox.MicroUSD) Money {
	sign, abs := "", uint64(m) //nolint:gosec // negated below where it is negative
	if m < 0 {
		sign, abs = "-", -uint64(m) //nolint:gosec // right for the least number too
	}
	return Money{MicroUSD: int64(m), USD: fmt.Sprintf("%s%d.%06d", sign, abs/1e6, abs%1e6)}
}

func (a *API) addUsage() {
	inboxCall(a, Operation{
		ID: "get-usage", Method: http.MethodGet, Path: "/usage", Need: Read, Tag: "Usage",
		Summary: "Balance and charges",
		Text:    "The balance, and count and sum of the ledger's entries of each kind from one time until before another, at most 366 days later. Without from and to: this month so far (UTC).",
		Answer:  "The usage.",
	}, (*Inbox).usage)
}

func (b *Inbox) usage(ctx context.Context, _ Caller, in *struct {
	From string `query:"from" maxLength:"40" example:"2026-11-01" doc:"A date, which means its beginning in UTC, or a time as RFC 3339."`
	To   string `query:"to" maxLength:"40" example:"2026-12-01T00:00:00Z" doc:"As from. The time itself is not in the period."`
},
) (*Reply[Envelope[Usage]], error) {
	from, to, err := Period(in.From, in.To, b.now())
	if err != nil {
		return nil, err
	}
	u, err := b.store.Usage(ctx, from, to)
	if err != nil {
		return nil, err
	}
	out := Usage{Balance: NewMoney(u.Balance), BillingMode: u.Mode, From: from, To: to, Entries: map[string]Entries{}}
	for _, kind := range inbox.EntryKinds {
		e := u.Entries[kind]
		out.Entries[string(kind)] = Entries{Count: e.Count, Sum: NewMoney(e.Sum)}
	}
	return OK(out), nil
}

// Period reads the beginning and end of a time, of at most 366 days; without either it is this month so far.
func Period(fromText, toText string, now time.Time) (from, to time.Time, err error) {
	now = now.UTC()
	from = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	to = now
	if fromText != "" {
		if from, err = parseTime("from", fromText); err != nil {
			return from, to, err
		}
	}
	if toText != "" {
		if to, err = parseTime("to", toText); err != nil {
			return from, to, err
		}
	}
	switch {
	case fromText == "" && toText != "" && !from.Before(to):
		return from, to, inbox.Errorf(inbox.CodeInvalid, "query.from: needed, as the period ends before this month")
	case to.Before(from):
		return from, to, inbox.Errorf(inbox.CodeInvalid, "query.to: must not be before from")
	case to.Sub(from) > maxPeriod:
		return from, to, inbox.Errorf(inbox.CodeInvalid, "query.from: the period may have at most 366 days: ask for it in pieces")
	}
	return from, to, nil
}

func parseTime(name, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = time.Parse(time.DateOnly, text)
	}
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return t, inbox.Errorf(inbox.CodeInvalid, "query.%s: want a date such as 2026-11-01, or a time such as 2026-11-01T12:00:00Z", name)
	}
	return t.UTC(), nil
}
