package rest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// ListKind is which list a cursor belongs to, and which parts of a position it holds.
type ListKind byte

const (
	listInbox    ListKind = 'i' // by activity and id
	listThreads  ListKind = 't' // by id
	listMessages ListKind = 'm' // by seq
	listNewest   ListKind = 'n' // messages by seq, newest first

	// ListTrail is the audit trail, by seq.
	ListTrail ListKind = 'a'
	// ListEntries is the ledger, by time and reference.
	ListEntries ListKind = 'e'
)

// timed tells whether the list goes by time, and texted whether by a text.
func (k ListKind) timed() bool  { return k == listInbox || k == ListEntries }
func (k ListKind) texted() bool { return k == ListEntries }

// cursor is where the next page of a list begins. Its text is base64url of
//
//	version · kind · first 8 bytes of the query's hash · page (4) · time in µs (8) · id (16) · seq (8) [· text]
//
// It is opaque to callers but no secret, and needs no signature: all that a made-up
// one can do is to begin elsewhere in a list that its maker may read anyway.
type cursor struct {
	query [8]byte
	page  uint32 // number of the page that begins here
	at    inbox.Position
	text  string
	kind  ListKind
}

const (
	cursorVersion = 1
	cursorSize    = 1 + 1 + 8 + 4 + 8 + 16 + 8
	maxCursorText = 300
)

func (c cursor) String() string {
	b := make([]byte, 0, cursorSize)
	b = append(b, cursorVersion, byte(c.kind))
	b = append(b, c.query[:]...)
	b = binary.BigEndian.AppendUint32(b, c.page)
	var micros int64
	if !c.at.At.IsZero() {
		micros = c.at.At.UnixMicro()
	}
	b = binary.BigEndian.AppendUint64(b, uint64(micros))
	b = append(b, c.at.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(c.at.Seq)) //nolint:gosec // as above
	b = append(b, c.text...)
	return base64.RawURLEncoding.EncodeToString(b)
}

var (
	errCursor      = inbox.Errorf(inbox.CodeInvalid, "query.cursor: not a cursor of this API: use next_cursor of the page before, or leave it out to begin anew")
	errOtherCursor = inbox.Errorf(inbox.CodeInvalid, "query.cursor: belongs to another query: keep the filters of the page that it came with, or leave it out to begin anew")
)

// parseCursor reads a cursor that must belong to the given query.
func parseCursor(text string, kind ListKind, query [8]byte) (cursor, error) {
	var c cursor
	if len(text) > base64.RawURLEncoding.EncodedLen(cursorSize+maxCursorText) {
		return c, errCursor
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < cursorSize || b[0] != cursorVersion {
		return c, errCursor
	}
	c.kind = ListKind(b[1])
	copy(c.query[:], b[2:])
	c.page = binary.BigEndian.Uint32(b[10:])
	micros := int64(binary.BigEndian.Uint64(b[14:])) //nolint:gosec // two's complement there and back
	copy(c.at.ID[:], b[22:])
	c.at.Seq = int64(binary.BigEndian.Uint64(b[38:])) //nolint:gosec // as above
	c.text = string(b[cursorSize:])
	if c.kind != kind || c.query != query {
		return c, errOtherCursor
	}
	// What no list of ours holds would be an error of the database's.
	if c.page < 1 || c.at.Seq < 0 || micros < 0 || micros > maxMicros || c.text != "" && !kind.texted() || unreadable(c.text) {
		return c, errCursor
	}
	if kind.timed() {
		c.at.At = time.UnixMicro(micros).UTC()
	}
	return c, nil
}

var maxMicros = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).UnixMicro()

// queryHash tells one query's cursors from another's. The limit is no part of it.
func queryHash(alias string, kind ListKind, parent string, f inbox.Filter) (sum [8]byte) {
	statuses := make([]string, len(f.Statuses))
	for i, s := range f.Statuses {
		statuses[i] = string(s)
	}
	slices.Sort(statuses)
	h := sha256.New()
	for _, part := range []string{
		alias, string(rune(kind)), parent, strings.Join(slices.Compact(statuses), ","),
		string(f.Priority), f.Provider, f.Assignee, f.Label, f.Query,
	} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	copy(sum[:], h.Sum(nil))
	return sum
}
