package console

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/open4x/socialops/runtime/billing"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

// maxSteps lets a month be seen by hours.
const maxSteps = 31 * 24

// Charge is what was charged, refunded and credited in one step of a period.
type Charge struct {
	At      time.Time               `json:"at" doc:"The step's beginning."`
	Entries map[string]rest.Entries `json:"entries" doc:"By kind: inbound, reply, refund and credit; a kind without an entry is left out."`
}

// LedgerEntry is one row of the ledger.
type LedgerEntry struct {
	Reference string          `json:"reference" doc:"Unique; it begins with what the entry is for."`
	Kind      inbox.EntryKind `json:"kind" enum:"inbound,reply,refund,credit"`
	Amount    rest.Money      `json:"amount" doc:"Negative for a charge."`
	At        time.Time       `json:"at"`
}

// NewCredit is what is to be added to a balance.
type NewCredit struct {
	AmountUSD string `json:"amount_usd" maxLength:"30" example:"25" doc:"US dollars, with at most 6 digits after the point."`
	Reference string `json:"reference" minLength:"1" maxLength:"200" example:"invoice-2026-11-17" doc:"What it is for. Under one reference only one credit is granted."`
}

// Credit is what a credit led to.
type Credit struct {
	Balance  rest.Money `json:"balance"`
	Repeated bool       `json:"repeated" doc:"Whether the reference was credited before, so that nothing was added."`
}

func (s *Server) addMoney() {
	handle(s, rest.Operation{
		ID: "list-charges", Method: http.MethodGet, Path: "/{alias}/charges", Need: rest.Read, Tag: "Usage",
		Summary: "Charges over time", Text: "The ledger summed by days or hours of UTC, oldest first; steps without an entry are left out. At most 744 steps. Without from and to: this month so far.",
		Answer: "The charges.",
	}, s.charges)
	handle(s, rest.Operation{
		ID: "list-entries", Method: http.MethodGet, Path: "/{alias}/entries", Need: rest.Read, Tag: "Usage",
		Summary: "The ledger", Text: "Every charge, refund and credit, newest first.", Answer: "A page of the ledger.",
	}, s.entries)
	handle(s, rest.Operation{
		ID: "grant-credit", Method: http.MethodPost, Path: "/{alias}/credits", Need: rest.Admin, Tag: "Usage",
		Summary: "Grant a credit", Text: "For staff: any inbox, also another's. A repeat of a reference adds nothing; another amount under it is a 409.", Answer: "The balance now.",
		Errors: []inbox.Code{inbox.CodeConflict}, Example: NewCredit{AmountUSD: "25", Reference: "invoice-2026-11-17"},
	}, s.credit)
}

func sums(entries map[inbox.EntryKind]inbox.EntrySum) map[string]rest.Entries {
	out := make(map[string]rest.Entries, len(entries))
	for kind, e := range entries {
		out[string(kind)] = rest.Entries{Count: e.Count, Sum: rest.NewMoney(e.Sum)}
	}
	return out
}

func (s *Server) charges(ctx context.Context, p *person, in *struct {
	From string     `query:"from" maxLength:"40" example:"2026-11-01" doc:"A date, which means its beginning in UTC, or a time as RFC 3339."`
	To   string     `query:"to" maxLength:"40" example:"2026-12-01T00:00:00Z" doc:"As from. The time itself is not in the period."`
	Step inbox.Step `query:"step" enum:"day,hour" default:"day"`
},
) (*rest.Reply[rest.Envelope[[]Charge]], error) {
	from, to, err := rest.Period(in.From, in.To, s.now())
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	step := 24 * time.Hour
	if in.Step == inbox.StepHour {
		step = time.Hour
	}
	if to.Sub(from) > maxSteps*step {
		return nil, fieldError(inbox.CodeInvalid, "query.from", "the period has more than %d steps: ask for larger steps, or for a shorter period", maxSteps)
	}
	if !from.Before(to) {
		return rest.OK([]Charge{}), nil
	}
	charges, err := p.desk.Charges(ctx, from, to, in.Step)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(each(charges, func(c inbox.Charge) Charge { return Charge{At: c.At.UTC(), Entries: sums(c.Entries)} })), nil
}

func (s *Server) entries(ctx context.Context, p *person, in *struct {
	Kind inbox.EntryKind `query:"kind" enum:"inbound,reply,refund,credit"`
	rest.CursorInput
},
) (*rest.Reply[rest.List[LedgerEntry]], error) {
	w, err := s.open(&p.in, p.desk).NewWalk(rest.ListEntries, in.CursorInput, string(in.Kind))
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	var after *inbox.EntryPosition
	if w.After != nil {
		after = &inbox.EntryPosition{At: w.After.At, Reference: w.Text}
	}
	entries, err := p.desk.Entries(ctx, in.Kind, w.Limit, after)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.Paged(w, entries, func(e inbox.Entry) LedgerEntry {
		return LedgerEntry{Reference: e.Reference, Kind: e.Kind, Amount: rest.NewMoney(e.Amount), At: e.At.UTC()}
	}, func(e inbox.Entry) (inbox.Position, string) { return inbox.Position{At: e.At}, e.Reference }), nil
}

// credit grants a credit to any inbox. Staff have no agent there, so the log has their subject.
func (s *Server) credit(ctx context.Context, p *person, in *struct {
	Alias string `path:"alias" hidden:"true"`
	Body  NewCredit
},
) (*rest.Reply[rest.Envelope[Credit]], error) {
	reference := strings.TrimSpace(in.Body.Reference)
	if err := oneLine("body.reference", reference); err != nil {
		return nil, err
	}
	amount, err := billing.Parse(strings.TrimSpace(in.Body.AmountUSD))
	switch {
	case err != nil:
		return nil, fieldError(inbox.CodeInvalid, "body.amount_usd", "%s", err)
	case amount <= 0:
		return nil, fieldError(inbox.CodeInvalid, "body.amount_usd", "a credit is more than nothing")
	}
	balance, repeated, err := s.Desks.Credit(ctx, in.Alias, amount, billing.CreditReference(reference), p.Name())
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(Credit{Balance: rest.NewMoney(balance), Repeated: repeated}), nil
}
