package admin_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/admin"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func text(t *testing.T, a admin.Answer) string {
	t.Helper()
	var b strings.Builder
	if err := a.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func machine(t *testing.T, a admin.Answer) (v map[string]any) {
	t.Helper()
	var b strings.Builder
	if err := a.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(b.String()), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestForget(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t, func(i *inbox.Instance) { i.Alias = "support" })
	store := postgres.NewStore(ten.Pool, ten.ID, postgres.StoreOptions{})
	t.Cleanup(store.Close)
	a, err := admin.Open(t.Context(), db.DSN("owner"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	say := func(event, thread, user string) inbox.ThreadView {
		t.Helper()
		r, err := store.Ingest(t.Context(), ten.Generic, inbox.Inbound{
			Provider: "generic-webhook", Source: "generic-webhook", EventID: event, Kind: inbox.AddMessage, Thread: inbox.InboundThread{ExternalID: thread},
			Contact: &inbox.InboundContact{ExternalID: user}, Message: inbox.InboundMessage{Text: "x"}, Raw: []byte("{}"),
		})
		if err != nil {
			t.Fatal(err)
		}
		view, err := store.Thread(t.Context(), r.ThreadID)
		if err != nil {
			t.Fatal(err)
		}
		return view
	}
	say("1", "one", "ann")
	one := say("2", "one", "ann")
	two := say("3", "two", "bob")

	answer, err := a.ForgetThread(t.Context(), "support", one.ID.String())
	if err != nil {
		t.Fatal(err)
	}
	want := "forgot " + one.ID.String() + " of support: removed 1 thread, 2 messages, 2 raw payloads, 1 contact\n" +
		"ledger entries stay, and hashes by which repeats of its events are known; both hold ids only\n"
	if diff := cmp.Diff(want, text(t, answer)); diff != "" {
		t.Error(diff)
	}
	answer, err = a.ForgetContact(t.Context(), "support", two.ContactID.String())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{
		"alias": "support", "contact_id": two.ContactID.String(),
		"removed": map[string]any{"threads": 1.0, "messages": 1.0, "raw_payloads": 1.0, "attachments": 0.0, "actions": 0.0, "contacts": 1.0},
	}, machine(t, answer)); diff != "" {
		t.Error(diff)
	}
	answer, err = a.ForgetContact(t.Context(), "support", two.ContactID.String())
	if want := "nothing of " + two.ContactID.String() + " is in support: it was removed before, or never there\n"; err != nil || text(t, answer) != want {
		t.Errorf("a second time: %q, %v", text(t, answer), err)
	}
	for name, c := range map[string]struct {
		forget      func() (admin.Answer, error)
		code        inbox.Code
		wantMessage string
	}{
		"no alias":              {func() (admin.Answer, error) { return a.ForgetThread(t.Context(), "nobody", one.ID.String()) }, inbox.CodeNotFound, `there is no instance with the alias "nobody"`},
		"no thread's id":        {func() (admin.Answer, error) { return a.ForgetThread(t.Context(), "support", "one") }, inbox.CodeInvalid, "want soth_"},
		"a contact's as one":    {func() (admin.Answer, error) { return a.ForgetThread(t.Context(), "support", two.ContactID.String()) }, inbox.CodeInvalid, "want soth_"},
		"no contact's id":       {func() (admin.Answer, error) { return a.ForgetContact(t.Context(), "support", "") }, inbox.CodeInvalid, "want socon_"},
		"a contact of no alias": {func() (admin.Answer, error) { return a.ForgetContact(t.Context(), "nobody", two.ContactID.String()) }, inbox.CodeNotFound, "nobody"},
	} {
		if _, err := c.forget(); inbox.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.wantMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
