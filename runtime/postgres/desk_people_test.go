package postgres_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestCounts(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	s := store(t, ten)
	for i := range 6 {
		in := generic(fmt.Sprint(i), fmt.Sprint(i), "x")
		in.Thread.Subject = map[bool]string{true: "even", false: "odd"}[i%2 == 0]
		in.Thread.Labels = []string{"all", in.Thread.Subject}
		if i == 0 {
			in.Thread.Priority = inbox.Urgent
		}
		ingest(t, s, ten, in)
	}
	ingest(t, store(t, other), other, generic("e", "t", "even"))
	many := db.Instance(t)
	execute(t, db, many, `INSERT INTO thread (instance_id, id, source, external_id, provider, subject) SELECT $1, gen_random_uuid(), 's', n::text, 'p', 'even' FROM generate_series(1, 1300) n`,
		`INSERT INTO thread_state (instance_id, thread_id, provider) SELECT $1, id, 'p' FROM thread WHERE instance_id = $1`,
		`INSERT INTO thread_label (instance_id, thread_id, label, status, last_activity_at) SELECT $1, thread_id, 'all', status, last_activity_at FROM thread_state WHERE instance_id = $1`)
	d := desks(t, db)
	filters := []inbox.Filter{
		{},
		{Statuses: live},
		{Statuses: []inbox.Status{inbox.Archived}},
		{Query: "even"},
		{Query: "even", Priority: inbox.Urgent},
		{Query: "!"},
		{Label: "all"},
		{Label: "odd", Statuses: live},
		{Label: "all", Priority: inbox.Urgent},
		{Priority: inbox.Urgent, Provider: "generic-webhook"},
		{Assignee: "none"},
		{Assignee: "none", Label: "even"},
		{Assignee: "sub:nobody"},
		{Provider: "p"},
	}
	for name, c := range map[string]struct {
		of   inbox.InstanceID
		want []int
	}{
		"few":  {ten.ID, []int{6, 6, 0, 3, 1, 0, 6, 3, 1, 1, 6, 3, 0, 0}},
		"many": {many.ID, []int{1001, 1001, 0, 1001, 0, 0, 1001, 0, 0, 0, 1001, 0, 0, 1001}},
	} {
		if got, err := d.Desk(c.of).Counts(t.Context(), filters); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
	if got, err := d.Desk(ten.ID).Counts(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("of nothing: %v, %v", got, err)
	}
	_, err := d.Desk(ten.ID).Counts(t.Context(), []inbox.Filter{{}, {Priority: "x"}})
	coded(t, "a priority that is none", err, inbox.CodeInvalid)
	_, err = d.Desk(ten.ID).Counts(t.Context(), make([]inbox.Filter, 101))
	coded(t, "too many", err, inbox.CodeInvalid)
}

func TestLabels(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	s := store(t, ten)
	for i, labels := range [][]string{{"Billing", "bug", "b%_"}, {"bug", "billing"}, {"urgent"}} {
		in := generic(fmt.Sprint(i), fmt.Sprint(i), "x")
		in.Thread.Labels = labels
		ingest(t, s, ten, in)
	}
	in := generic("e", "t", "x")
	in.Thread.Labels = []string{"bother"}
	ingest(t, store(t, other), other, in)
	d := desks(t, db).Desk(ten.ID)
	for _, c := range []struct {
		prefix string
		limit  int
		want   []string
	}{
		{"", 10, []string{"Billing", "b%_", "billing", "bug", "urgent"}},
		{"bi", 10, []string{"Billing", "billing"}},
		{"BU", 10, []string{"bug"}},
		{"b%", 10, []string{"b%_"}},
		{"x", 10, nil},
		{"u", 1, []string{"urgent"}},
	} {
		got, err := d.Labels(t.Context(), c.prefix, c.limit)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, %v, want %q", c.prefix, got, err, c.want)
		}
	}
	if got, err := d.Labels(t.Context(), "", 2); err != nil || len(got) != 2 {
		t.Errorf("two of them: %q, %v", got, err)
	}
	_, err := d.Labels(t.Context(), "", 0)
	coded(t, "no limit", err, inbox.CodeInvalid)
}

func TestRawPayloads(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	in := generic("event", "ext-thread", "text")
	in.Message.ExternalID, in.ContentType, in.Raw = "ext-message", "application/json", []byte("{\"a\":\x00\xff}")
	r := ingest(t, store(t, ten), ten, in)
	d, o := desks(t, db).Desk(ten.ID), desks(t, db).Desk(other.ID)
	got, err := d.RawPayloads(t.Context(), r.ThreadID, r.MessageID, "agent:me")
	want := inbox.Raw{ExternalThreadID: "ext-thread", ExternalMessageID: "ext-message", Payloads: []inbox.RawPayload{{ContentType: "application/json", Body: in.Raw}}}
	if diff := gocmp.Diff(want, got, cmpopts.IgnoreFields(inbox.RawPayload{}, "ReceivedAt")); err != nil || diff != "" || got.Payloads[0].ReceivedAt.IsZero() {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	shown := inbox.Event{Type: inbox.EventRawShown, ThreadID: r.ThreadID, MessageID: r.MessageID, Actor: "agent:me"}
	trail(t, d, inbox.TrailFilter{Type: inbox.EventRawShown}, shown)
	execute(t, db, ten, `DELETE FROM raw_payload WHERE instance_id = $1`)
	if got, err := d.RawPayloads(t.Context(), r.ThreadID, r.MessageID, "agent:me"); err != nil || len(got.Payloads) != 0 || got.ExternalMessageID != "ext-message" {
		t.Errorf("once the payload is gone: %+v, %v", got, err)
	}
	_, err = d.RawPayloads(t.Context(), inbox.NewID[inbox.ThreadID](time.Now()), r.MessageID, "agent:me")
	coded(t, "in another thread", err, inbox.CodeNotFound)
	_, err = o.RawPayloads(t.Context(), r.ThreadID, r.MessageID, "agent:me")
	coded(t, "at another's desk", err, inbox.CodeNotFound)
	trail(t, d, inbox.TrailFilter{Type: inbox.EventRawShown}, shown, shown)
	trail(t, o, inbox.TrailFilter{})
}

// trail compares a trail but for the events' places and times, newest first.
func trail(t *testing.T, d inbox.Desk, f inbox.TrailFilter, want ...inbox.Event) {
	t.Helper()
	got, err := d.Trail(t.Context(), f, inbox.Page{Limit: 100})
	if diff := gocmp.Diff(want, got, cmpopts.IgnoreFields(inbox.Event{}, "Seq", "At"), cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("trail of %+v: %v (-want +got):\n%s", f, err, diff)
	}
}

func TestTrail(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	s := store(t, ten)
	all := desks(t, db)
	d := all.Desk(ten.ID)
	ctx := t.Context()
	var threads []inbox.ThreadID
	for i := range 2 {
		threads = append(threads, ingest(t, s, ten, generic(fmt.Sprint(i), fmt.Sprint(i), "x")).ThreadID)
	}
	agent, err := d.Agent(ctx, "ada", "Ada")
	if err != nil {
		t.Fatal(err)
	}
	ada := "agent:" + agent.ID.String()
	urgent, done := inbox.Urgent, inbox.Resolved
	if _, err := d.UpdateThread(ctx, threads[0], inbox.ThreadPatch{Priority: &urgent, Status: &done}, ada); err != nil {
		t.Fatal(err)
	}
	note, err := d.AddNote(ctx, inbox.NewMessage{ThreadID: threads[1], Text: "x", Author: inbox.Author{Kind: "agent", AgentID: agent.ID}})
	if err != nil {
		t.Fatal(err)
	}
	channel := inbox.NewID[inbox.ChannelID](time.Now())
	if err := d.LogChannel(ctx, channel, inbox.EventChannelUpdated, []string{"status"}, ada); err != nil {
		t.Fatal(err)
	}
	if err := d.LogChannel(ctx, channel, inbox.EventChannelCreated, nil, "agent:other"); err != nil {
		t.Fatal(err)
	}
	if err := d.LogChannel(ctx, channel, inbox.EventThreadUpdated, nil, ada); err == nil {
		t.Error("a change of a channel that is none was logged")
	}
	if _, _, err := all.Credit(ctx, ten.Alias, 5, "credit:1", "admin"); err != nil {
		t.Fatal(err)
	}
	changed := inbox.Event{Type: inbox.EventThreadUpdated, ThreadID: threads[0], Changed: []string{"status", "priority"}, ThreadStatus: inbox.Resolved, Actor: ada}
	noted := inbox.Event{Type: inbox.EventMessageCreated, ThreadID: threads[1], MessageID: note.Message.ID, Actor: ada}
	updated := inbox.Event{Type: inbox.EventChannelUpdated, ChannelID: channel, Changed: []string{"status"}, Actor: ada}
	created := inbox.Event{Type: inbox.EventChannelCreated, ChannelID: channel, Actor: "agent:other"}
	credited := inbox.Event{Type: inbox.EventCreditGranted, Detail: "credit:1", Actor: "admin"}
	trail(t, d, inbox.TrailFilter{People: true}, credited, created, updated, noted, changed)
	trail(t, d, inbox.TrailFilter{ThreadID: threads[0]}, changed)
	trail(t, d, inbox.TrailFilter{ThreadID: threads[1], People: true}, noted)
	trail(t, d, inbox.TrailFilter{Actor: ada}, updated, noted, changed)
	trail(t, d, inbox.TrailFilter{Actor: ada, Type: inbox.EventChannelUpdated}, updated)
	trail(t, d, inbox.TrailFilter{Type: inbox.EventCreditGranted}, credited)
	trail(t, d, inbox.TrailFilter{Type: inbox.EventThreadUpdated}, changed)
	trail(t, d, inbox.TrailFilter{Actor: "nobody"})

	everything, err := d.Trail(ctx, inbox.TrailFilter{}, inbox.Page{Limit: 100})
	if err != nil || len(everything) != 7 {
		t.Fatalf("%d events, %v", len(everything), err)
	}
	var walked []inbox.Event
	page := inbox.Page{Limit: 2}
	for {
		events, err := d.Trail(ctx, inbox.TrailFilter{}, page)
		if err != nil {
			t.Fatal(err)
		}
		if walked = append(walked, events...); len(events) < 2 {
			break
		}
		page.After = &inbox.Position{Seq: events[1].Seq}
	}
	if diff := gocmp.Diff(everything, walked); diff != "" {
		t.Errorf("page by page (-whole +pages):\n%s", diff)
	}
	streamed, err := s.Events(ctx, 0, 100)
	slices.Reverse(streamed)
	if diff := gocmp.Diff(everything, streamed); err != nil || diff != "" {
		t.Errorf("%v; as a runtime streams it (-trail +stream):\n%s", err, diff)
	}
	_, err = d.Trail(ctx, inbox.TrailFilter{}, inbox.Page{})
	coded(t, "no limit", err, inbox.CodeInvalid)
	consistent(t, db, ten)
}

// A runtime of this version serves on a schema of the one before, too.
func TestEventsOnTheSchemaBefore(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten := db.Instance(t)
	clock := time.Now()
	s := postgres.NewStore(ten.Pool, ten.ID, postgres.StoreOptions{Now: func() time.Time { return clock }})
	t.Cleanup(s.Close)
	ingest(t, s, ten, generic("e", "t", "x"))
	if err := desks(t, db).Desk(ten.ID).LogChannel(t.Context(), ten.Generic, inbox.EventChannelUpdated, nil, "agent:a"); err != nil {
		t.Fatal(err)
	}
	read := func(what string, channel inbox.ChannelID) {
		t.Helper()
		for range 3 {
			events, err := s.Events(t.Context(), 0, 10)
			if err != nil || len(events) != 2 || events[1].ChannelID != channel {
				t.Errorf("%s: %+v, %v", what, events, err)
			}
		}
	}
	read("the schema of today", ten.Generic)
	if _, err := db.Owner.Exec(t.Context(), `ALTER TABLE event RENAME channel_id TO later`); err != nil {
		t.Fatal(err)
	}
	read("the schema before", inbox.ChannelID{})
	if _, err := db.Owner.Exec(t.Context(), `ALTER TABLE event RENAME later TO channel_id`); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(2 * time.Minute)
	read("once it is migrated", ten.Generic)
}

func TestDeskKeys(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	d, o := desks(t, db).Desk(ten.ID), desks(t, db).Desk(other.ID)
	ctx := t.Context()
	now := time.Now().UTC().Truncate(time.Microsecond)
	k := inbox.Key{
		ID: inbox.NewID[inbox.KeyID](now), Hash: sha256.Sum256([]byte("sk_x")), Hint: "sk_x", Name: "ci", Scopes: []string{inbox.ScopeRead},
		Origin: "api", CreatedAt: now.Add(time.Minute), ExpiresAt: now.Add(time.Hour),
	}
	if err := d.CreateKey(ctx, k, "agent:a"); err != nil {
		t.Fatal(err)
	}
	twice := k
	twice.ID = inbox.NewID[inbox.KeyID](now)
	coded(t, "the same key again", d.CreateKey(ctx, twice, "agent:a"), inbox.CodeConflict)
	twice.Origin = "manifest"
	if err := d.CreateKey(ctx, twice, "agent:a"); err == nil {
		t.Error("a manifest's key was made")
	}
	without := k
	without.Hash = [32]byte{}
	keys, err := d.Keys(ctx)
	if err != nil || len(keys) != 2 || keys[1].Origin != "manifest" || keys[1].Hash != [32]byte{} {
		t.Fatalf("%+v, %v", keys, err)
	}
	if diff := gocmp.Diff(without, keys[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	config, err := store(t, ten).Config(ctx) // what its runtime goes by
	if err != nil || !slices.ContainsFunc(config.Keys, func(c inbox.Key) bool { return c.Hash == k.Hash && c.Valid(now) }) {
		t.Errorf("the runtime knows %+v, %v", config.Keys, err)
	}

	_, err = o.RevokeKey(ctx, k.ID, "agent:a")
	coded(t, "another's key", err, inbox.CodeNotFound)
	_, err = d.RevokeKey(ctx, keys[1].ID, "agent:a")
	coded(t, "a manifest's key", err, inbox.CodeConflict)
	var wg sync.WaitGroup
	revoked := make([]inbox.Key, 4)
	for i := range revoked {
		wg.Go(func() {
			var err error
			if revoked[i], err = d.RevokeKey(ctx, k.ID, "agent:b"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, r := range revoked {
		if r.RevokedAt.IsZero() || !r.RevokedAt.Equal(revoked[0].RevokedAt) || r.Valid(time.Now().Add(time.Minute)) {
			t.Errorf("revoked: %+v", r)
		}
	}
	trail(t, d, inbox.TrailFilter{People: true},
		inbox.Event{Type: inbox.EventKeyRevoked, KeyID: k.ID, Actor: "agent:b"}, inbox.Event{Type: inbox.EventKeyCreated, KeyID: k.ID, Actor: "agent:a"})
	trail(t, o, inbox.TrailFilter{})
}

func TestChannelsAndAccounts(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	d := desks(t, db).Desk(ten.ID)
	execute(t, db, ten, `UPDATE channel SET uid = 'u', created_at = '2026-01-01Z', external_id = 'chat', parse_mode = 'Markdown' WHERE instance_id = $1 AND provider = 'telegram'`,
		`UPDATE channel SET uid = 'u', created_at = '2026-01-02Z', active = false, removed_at = '2026-01-03Z' WHERE instance_id = $1 AND provider = 'github'`)
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	channels, err := d.Channels(t.Context())
	want := []inbox.DeskChannel{
		{
			Channel:   inbox.Channel{ID: ten.Telegram, Provider: "telegram", Name: "telegram", AccountID: ten.Account, Source: ten.TelegramSource, ExternalID: "chat", ParseMode: "Markdown", Active: true},
			CreatedAt: day(1),
		},
		{Channel: inbox.Channel{ID: ten.GitHub, Provider: "github", Name: "github"}, RemovedAt: day(3), CreatedAt: day(2)},
	}
	if diff := gocmp.Diff(want, channels); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}

	const account = `INSERT INTO account (id, install_id, namespace, name, kind, owner, display_name, credential, key_id, fingerprint, identified_at, removed_at)
		VALUES (gen_random_uuid(), $1, '%s', '%s', 'github', '%s', '@it', 'sealed', 'key', 'print', '2026-01-01Z', %s)`
	execute(t, db, ten, fmt.Sprintf(account, "test", "zz", "owner-1", "now()"), fmt.Sprintf(account, "elsewhere", "a", "owner-1", "NULL"), fmt.Sprintf(account, "test", "b", "somebody", "NULL"))
	execute(t, db, other, fmt.Sprintf(account, "test", "c", "owner-1", "NULL"))
	accounts, err := d.Accounts(t.Context(), "owner-1")
	if diff := gocmp.Diff([]inbox.DeskAccount{
		{ID: ten.Account, Name: ten.Alias + "-bot", Kind: "telegram-bot", Source: ten.TelegramSource},
		{Name: "zz", Kind: "github", DisplayName: "@it", IdentifiedAt: day(1), Removed: true},
	}, accounts, cmpopts.IgnoreFields(inbox.DeskAccount{}, "ID")); err != nil || diff != "" || accounts[0].ID != ten.Account {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if accounts, err := d.Accounts(t.Context(), "nobody' OR true --"); err != nil || len(accounts) != 0 {
		t.Errorf("nobody's are %v, %v", accounts, err)
	}
}

func TestCannedTexts(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	d, o := desks(t, db).Desk(ten.ID), desks(t, db).Desk(other.ID)
	ctx := t.Context()
	id := inbox.NewID[inbox.CannedTextID]
	hello, bye := inbox.CannedText{ID: id(time.Now()), Name: "Hello", Text: "Hello {{name}}"}, inbox.CannedText{ID: id(time.Now()), Name: "Bye", Text: "Bye"}
	for _, c := range []inbox.CannedText{hello, bye} {
		if err := d.PutCannedText(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	hello.Text = "Hi"
	if err := d.PutCannedText(ctx, hello); err != nil {
		t.Error(err)
	}
	got, err := d.CannedTexts(ctx)
	if diff := gocmp.Diff([]inbox.CannedText{bye, hello}, got, cmpopts.IgnoreFields(inbox.CannedText{}, "UpdatedAt")); err != nil || diff != "" || got[0].UpdatedAt.IsZero() {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	bye.Name = "Hello"
	coded(t, "a name that is taken", d.PutCannedText(ctx, bye), inbox.CodeConflict)
	if err := o.PutCannedText(ctx, inbox.CannedText{ID: hello.ID, Name: "Hello", Text: "another's"}); err != nil {
		t.Errorf("the same name and id at another's desk: %v", err)
	}
	for what, c := range map[string]inbox.CannedText{
		"no name": {Name: " ", Text: "x"}, "a long name": {Name: strings.Repeat("é", 61), Text: "x"},
		"no text": {Name: "n"}, "a long text": {Name: "n", Text: strings.Repeat("x", inbox.MaxReplyLen+1)},
	} {
		c.ID = id(time.Now())
		coded(t, what, d.PutCannedText(ctx, c), inbox.CodeInvalid)
	}
	if err := d.PutCannedText(ctx, inbox.CannedText{ID: id(time.Now()), Name: strings.Repeat("é", 60), Text: strings.Repeat("x", inbox.MaxReplyLen)}); err != nil {
		t.Error(err)
	}
	if err := d.DeleteCannedText(ctx, hello.ID); err != nil {
		t.Error(err)
	}
	coded(t, "removed before", d.DeleteCannedText(ctx, hello.ID), inbox.CodeNotFound)
	if got, err := o.CannedTexts(ctx); err != nil || len(got) != 1 {
		t.Errorf("another's: %+v, %v", got, err)
	}
}

func TestSavedViews(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ten, other := db.Instance(t), db.Instance(t)
	d, o := desks(t, db).Desk(ten.ID), desks(t, db).Desk(other.ID)
	ctx := t.Context()
	agent := func(desk inbox.Desk, subject string) inbox.AgentID {
		a, err := desk.Agent(ctx, subject, "")
		if err != nil {
			t.Fatal(err)
		}
		return a.ID
	}
	ada, bob := agent(d, "ada"), agent(d, "bob")
	id := inbox.NewID[inbox.SavedViewID]
	mine := inbox.SavedView{ID: id(time.Now()), Agent: ada, Name: "Mine", Query: "status=open&assignee=" + ada.String()}
	shared := inbox.SavedView{ID: id(time.Now()), Agent: bob, Name: "Late", Query: "priority=urgent", Shared: true}
	private := inbox.SavedView{ID: id(time.Now()), Agent: bob, Name: "Private", Query: ""}
	for _, v := range []inbox.SavedView{mine, shared, private} {
		if err := d.PutSavedView(ctx, v); err != nil {
			t.Fatal(err)
		}
	}
	list := func(desk inbox.Desk, of inbox.AgentID, want ...inbox.SavedView) {
		t.Helper()
		got, err := desk.SavedViews(ctx, of)
		if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	list(d, ada, shared, mine)
	list(d, bob, shared, private)
	list(o, agent(o, "ada"))
	stolen := shared
	stolen.Agent, stolen.Name = ada, "Stolen"
	coded(t, "another agent's", d.PutSavedView(ctx, stolen), inbox.CodeForbidden)
	mine.Name, mine.Shared = "Ours", true
	if err := d.PutSavedView(ctx, mine); err != nil {
		t.Error(err)
	}
	list(d, bob, shared, mine, private)
	coded(t, "no name", d.PutSavedView(ctx, inbox.SavedView{ID: id(time.Now()), Agent: ada}), inbox.CodeInvalid)
	coded(t, "a long query", d.PutSavedView(ctx, inbox.SavedView{ID: id(time.Now()), Agent: ada, Name: "n", Query: strings.Repeat("x", 1001)}), inbox.CodeInvalid)
	coded(t, "removing another agent's", d.DeleteSavedView(ctx, mine.ID, bob), inbox.CodeForbidden)
	coded(t, "removing at another's desk", o.DeleteSavedView(ctx, mine.ID, ada), inbox.CodeNotFound)
	if err := d.DeleteSavedView(ctx, mine.ID, ada); err != nil {
		t.Error(err)
	}
	coded(t, "removing twice", d.DeleteSavedView(ctx, mine.ID, ada), inbox.CodeNotFound)
	list(d, ada, shared)
}
