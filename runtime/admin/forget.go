package admin

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
)

// actor is who the log says an admin's command was.
const actor = "admin"

// ForgetThread removes a conversation of an alias for good. Its answer counts what
// was removed, which is nothing when it was removed before.
func (a *Admin) ForgetThread(ctx context.Context, alias, text string) (Answer, error) {
	var id inbox.ThreadID
	if err := id.UnmarshalText([]byte(text)); err != nil || id.IsZero() {
		return Answer{}, inbox.Errorf(inbox.CodeInvalid, "%q is no thread: want soth_ and 26 letters, as the inbox lists it", text)
	}
	removed, err := postgres.ForgetThread(ctx, a.pool, alias, id, actor)
	if err != nil {
		return Answer{}, err //nolint:wrapcheck // says what to do
	}
	return forgotten(alias, "thread_id", id.String(), removed), nil
}

// ForgetContact removes a person of an alias for good, likewise.
func (a *Admin) ForgetContact(ctx context.Context, alias, text string) (Answer, error) {
	var id inbox.ContactID
	if err := id.UnmarshalText([]byte(text)); err != nil || id.IsZero() {
		return Answer{}, inbox.Errorf(inbox.CodeInvalid, "%q is no contact: want socon_ and 26 letters, as a thread's contact has it", text)
	}
	removed, err := postgres.ForgetContact(ctx, a.pool, alias, id, actor)
	if err != nil {
		return Answer{}, err //nolint:wrapcheck // says what to do
	}
	return forgotten(alias, "contact_id", id.String(), removed), nil
}

func forgotten(alias, field, id string, removed inbox.Removed) Answer {
	counts := map[string]int64{}
	var parts []string
	for kind, n := range removed.Kinds() {
		if kind == "event" { // the log stays: it holds ids
			continue
		}
		counts[kind+"s"] = n
		if name := strings.ReplaceAll(kind, "_", " "); n == 1 {
			parts = append(parts, "1 "+name)
		} else if n > 1 {
			parts = append(parts, fmt.Sprintf("%d %ss", n, name))
		}
	}
	return Answer{map[string]any{"alias": alias, field: id, "removed": counts}, func(w io.Writer) {
		if len(parts) == 0 {
			_, _ = fmt.Fprintf(w, "nothing of %s is in %s: it was removed before, or never there\n", id, alias)
			return
		}
		_, _ = fmt.Fprintf(w, "forgot %s of %s: removed %s\n", id, alias, strings.Join(parts, ", "))
		_, _ = fmt.Fprintln(w, "ledger entries stay, and hashes by which repeats of its events are known; both hold ids only")
	}}
}
