// Package admin is what an admin asks of the database by command: API keys,
// credits, a look at the books, another try for a failed reply, the removal of a
// person or a conversation.
package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/billing"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/project"
)

// Admin asks as the database's owner.
type Admin struct {
	pool   *pgxpool.Pool
	config *postgres.Configuration
}

// Open connects to the database, and checks that its schema is new enough.
func Open(ctx context.Context, databaseURL string) (*Admin, error) {
	pool, err := postgres.Open(ctx, databaseURL, 2)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	if err := postgres.CheckSchema(ctx, pool); err != nil {
		pool.Close()
		return nil, err //nolint:wrapcheck // says what to do
	}
	return &Admin{pool: pool, config: postgres.NewConfiguration(pool)}, nil
}

// Close disconnects.
func (a *Admin) Close() { a.pool.Close() }

// Answer is what a command prints: for a person, or for a machine.
type Answer struct {
	value any
	text  func(io.Writer)
}

// WriteText writes the answer for a person.
func (a Answer) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	a.text(t)
	return t.Flush() //nolint:wrapcheck // the writer's own error
}

// WriteJSON writes the answer for a machine.
func (a Answer) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(a.value) //nolint:wrapcheck // the writer's own error
}

// key is an API key as it is shown. Its value is shown once, when it is created.
type key struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Key       string    `json:"key,omitempty"`
	Hint      string    `json:"hint"`
	Scopes    []string  `json:"scopes"`
	Origin    string    `json:"origin"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

func shown(k inbox.Key, value string) key {
	return key{
		ID: k.ID.String(), Name: k.Name, Key: value, Hint: "…" + k.Hint, Scopes: k.Scopes, Origin: k.Origin,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt,
	}
}

func (k key) state(now time.Time) string {
	switch {
	case !k.RevokedAt.IsZero() && !now.Before(k.RevokedAt):
		return "revoked " + k.RevokedAt.Format(time.DateOnly)
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return "expired " + k.ExpiresAt.Format(time.DateOnly)
	case !k.ExpiresAt.IsZero():
		return "until " + k.ExpiresAt.Format(time.DateTime)
	}
	return "valid"
}

// CreateKey creates an API key. Its value is in the answer and nowhere else.
func (a *Admin) CreateKey(ctx context.Context, alias, name string, scopes []string, valid time.Duration) (Answer, error) {
	now := time.Now()
	n := project.NewKey{Name: name, Scopes: scopes}
	if valid != 0 {
		n.ExpiresAt = now.Add(valid)
	}
	value, k, err := project.CreateKey(ctx, a.config, alias, n, now)
	if err != nil {
		return Answer{}, err //nolint:wrapcheck // says what to do
	}
	return Answer{shown(k, value), func(w io.Writer) {
		_, _ = fmt.Fprintf(w, "%s\n\nThe key %s (%s) of %s, with %v. It is shown this once.\n", value, k.Name, k.ID, alias, k.Scopes)
	}}, nil
}

// ListKeys lists an alias's keys.
func (a *Admin) ListKeys(ctx context.Context, alias string) (Answer, error) {
	keys, err := project.ListKeys(ctx, a.config, alias)
	if err != nil {
		return Answer{}, err //nolint:wrapcheck // says what to do
	}
	list := make([]key, len(keys))
	for i, k := range keys {
		list[i] = shown(k, "")
	}
	return Answer{list, func(w io.Writer) {
		_, _ = fmt.Fprintln(w, "ID\tNAME\tENDS IN\tSCOPES\tORIGIN\tSTATE")
		for _, k := range list {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%v\t%s\t%s\n", k.ID, k.Name, k.Hint, k.Scopes, k.Origin, k.state(time.Now()))
		}
	}}, nil
}

// RevokeKey ends a key, named by its id or its name.
func (a *Admin) RevokeKey(ctx context.Context, alias, which string) (Answer, error) {
	k, err := project.RevokeKey(ctx, a.config, alias, which, time.Now())
	if err != nil {
		return Answer{}, err //nolint:wrapcheck // says what to do
	}
	return Answer{shown(k, ""), func(w io.Writer) {
		_, _ = fmt.Fprintf(w, "revoked %s (%s): every runtime refuses it within 5 seconds\n", k.Name, k.ID)
	}}, nil
}

// RequeueAction has a failed reply sent again.
func (a *Admin) RequeueAction(ctx context.Context, text string) (Answer, error) {
	var id inbox.ActionID
	if err := id.UnmarshalText([]byte(text)); err != nil || id.IsZero() {
		return Answer{}, inbox.Errorf(inbox.CodeInvalid, "%q is no action: want soact_ and 26 letters, as a message's delivery.action_id shows it", text)
	}
	if err := postgres.NewQueue(a.pool).Requeue(ctx, id, actor); err != nil {
		return Answer{}, err //nolint:wrapcheck // says what to do
	}
	return Answer{map[string]string{"action_id": id.String(), "status": string(inbox.ActionPending)}, func(w io.Writer) {
		_, _ = fmt.Fprintf(w, "requeued %s: the worker resumes at the first part that was not delivered\n", id)
	}}, nil
}

// Credit adds to an alias's balance, once for each reference.
func (a *Admin) Credit(ctx context.Context, alias, usd, reference string) (Answer, error) {
	amount, err := billing.Parse(usd)
	if err != nil {
		return Answer{}, err //nolint:wrapcheck // says what to do
	}
	done, err := postgres.Credit(ctx, a.pool, alias, amount, billing.CreditReference(reference))
	if err != nil {
		return Answer{}, err //nolint:wrapcheck // says what to do
	}
	value := map[string]any{"alias": alias, "credited": !done.Repeated, "reference": reference, "amount_micro_usd": amount, "balance_micro_usd": done.Balance}
	return Answer{value, func(w io.Writer) {
		if done.Repeated {
			_, _ = fmt.Fprintf(w, "the reference %s was credited before, so nothing was added; ", reference)
		} else {
			_, _ = fmt.Fprintf(w, "credited %s USD to %s (%s); ", billing.Format(amount), alias, reference)
		}
		_, _ = fmt.Fprintf(w, "the balance is %s USD\n", billing.Format(done.Balance))
	}}, nil
}

// CheckLedger checks that all books add up; that they do not is its error.
func (a *Admin) CheckLedger(ctx context.Context) (Answer, error) {
	books, err := postgres.Books(ctx, a.pool)
	if err != nil {
		return Answer{}, err //nolint:wrapcheck // says what it was doing
	}
	if problems := billing.Check(books); len(problems) > 0 {
		var text strings.Builder
		for _, p := range problems {
			text.WriteString("\n  " + p.String())
		}
		return Answer{}, inbox.Errorf(inbox.CodeConflict, "the books of %d instances do not add up:%s", len(problems), text.String())
	}
	type row struct {
		Alias   string         `json:"alias"`
		Balance inbox.MicroUSD `json:"balance_micro_usd"`
		Entries int64          `json:"entries"`
	}
	rows := make([]row, len(books))
	for i, b := range books {
		rows[i] = row{Alias: b.Alias, Balance: b.Balance}
		for _, sum := range b.Entries {
			rows[i].Entries += sum.Count
		}
	}
	return Answer{rows, func(w io.Writer) {
		_, _ = fmt.Fprintln(w, "ALIAS\tENTRIES\tBALANCE (USD)")
		for _, r := range rows {
			_, _ = fmt.Fprintf(w, "%s\t%d\t%s\n", r.Alias, r.Entries, billing.Format(r.Balance))
		}
		_, _ = fmt.Fprintln(w, "every balance is the sum of its entries")
	}}, nil
}
