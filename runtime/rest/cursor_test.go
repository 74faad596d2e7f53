package rest

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
)

func TestCursor(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 12, 0, 0, 123456000, time.UTC)
	id := inbox.NewID[inbox.ThreadID](at)
	open := inbox.Filter{Statuses: []inbox.Status{inbox.Open, inbox.Pending}, Query: "latency"}
	query := queryHash("support", listInbox, "", open)
	for name, want := range map[string]cursor{
		"inbox":    {kind: listInbox, query: query, page: 2, at: inbox.Position{At: at, ID: id}},
		"threads":  {kind: listThreads, query: query, page: 1000, at: inbox.Position{ID: id}},
		"messages": {kind: listMessages, query: query, page: 1 << 31, at: inbox.Position{Seq: 1 << 40}},
	} {
		got, err := parseCursor(want.String(), want.kind, query)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got, cmp.AllowUnexported(cursor{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	mine := cursor{kind: listInbox, query: query, page: 2, at: inbox.Position{At: at, ID: id}}.String()
	for name, other := range map[string]struct {
		kind  ListKind
		query [8]byte
	}{
		"another list":     {listThreads, queryHash("support", listThreads, "", open)},
		"another alias":    {listInbox, queryHash("sales", listInbox, "", open)},
		"another status":   {listInbox, queryHash("support", listInbox, "", inbox.Filter{Statuses: []inbox.Status{inbox.Open}, Query: "latency"})},
		"another q":        {listInbox, queryHash("support", listInbox, "", inbox.Filter{Statuses: open.Statuses, Query: "latenc", Label: "y"})},
		"another assignee": {listInbox, queryHash("support", listInbox, "", inbox.Filter{Statuses: open.Statuses, Query: "latency", Assignee: "none"})},
		"another thread":   {listInbox, queryHash("support", listInbox, id.String(), open)},
	} {
		if _, err := parseCursor(mine, other.kind, other.query); err != errOtherCursor { //nolint:errorlint // the very error
			t.Errorf("the cursor was taken for %s: %v", name, err)
		}
	}
	if queryHash("support", listInbox, "", inbox.Filter{Statuses: []inbox.Status{inbox.Pending, inbox.Open, inbox.Open}, Query: "latency"}) != query {
		t.Error("the order of statuses makes another query")
	}
	flip := func(i int, b byte) string {
		raw, err := base64.RawURLEncoding.DecodeString(mine)
		if err != nil {
			t.Fatal(err)
		}
		raw[i] = b
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	for name, text := range map[string]string{
		"empty": "", "words": "next", "cut": mine[:len(mine)-1], "longer": mine + "A", "padded": mine[:len(mine)-1] + "=", "not base64": "!" + mine[1:],
		"trailing bits": mine[:len(mine)-1] + "_", "another version": flip(0, 2), "page 0": flip(13, 0), "before 1970": flip(14, 0x80), "after 9999": flip(14, 0x7f),
		"negative seq": flip(38, 0x80), "SQL": "' OR 1=1 --" + strings.Repeat("A", 51),
	} {
		if _, err := parseCursor(text, listInbox, query); err != errCursor { //nolint:errorlint // the very error
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	id := inbox.NewID[inbox.ThreadID](time.UnixMilli(1))
	query := queryHash("support", listInbox, "", inbox.Filter{})
	for _, kind := range []ListKind{listInbox, listThreads, listMessages} {
		f.Add(cursor{kind: kind, query: query, page: 3, at: inbox.Position{At: time.UnixMicro(5), ID: id, Seq: 7}}.String())
	}
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []ListKind{listInbox, listThreads, listMessages} {
			c, err := parseCursor(text, kind, query)
			if err != nil {
				if inbox.CodeOf(err) != inbox.CodeInvalid {
					t.Fatalf("%q: %v is no error for a caller", text, err)
				}
				continue
			}
			if c.page < 1 || c.at.Seq < 0 || c.at.At.Year() > 9999 || c.kind != kind || c.query != query {
				t.Fatalf("%q was taken for %+v", text, c)
			}
			again, err := parseCursor(c.String(), kind, query)
			if err != nil || !again.at.At.Equal(c.at.At) || again.at.ID != c.at.ID || again.at.Seq != c.at.Seq || again.page != c.page {
				t.Fatalf("%q: %+v became %+v, %v", text, c, again, err)
			}
		}
	})
}
