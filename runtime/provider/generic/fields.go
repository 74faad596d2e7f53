package generic

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/open4x/socialops/runtime/inbox"
)

// The limits of fields. The text has none but the body's.
const (
	maxID          = 512  // bytes of an id
	maxURL         = 4096 // bytes
	maxName        = 1000 // characters of a title, a user's name, a file's name
	maxWord        = 64   // bytes of a type or kind
	maxMIMEType    = 255  // bytes
	maxLabels      = 50
	maxLabel       = 100 // characters
	maxAttachments = 50
	maxData        = 64 << 10 // bytes of JSON
)

// fieldError is a field that is not as it should be. It tells of the field's kind
// and limits, never its content.
type fieldError struct {
	field string // path, such as "attachments[2].url"; grows on the way out
	what  string
}

func (e *fieldError) Error() string { return "field " + e.field + ": " + e.what }

func fieldErrorf(format string, args ...any) error {
	return &fieldError{what: fmt.Sprintf(format, args...)}
}

// within adds the name of the enclosing field to a field's error.
func within(name string, err error) error {
	e, ok := err.(*fieldError) //nolint:errorlint // made here, never wrapped
	switch {
	case !ok:
	case e.field == "" || e.field[0] == '[':
		e.field = name + e.field
	default:
		e.field = name + "." + e.field
	}
	return err
}

// mismatch is the error of a field whose value is of another kind than wanted.
func (r *reader) mismatch(want string) error {
	c := r.peek()
	if err := r.skip(); err != nil { // then it is no JSON in the first place
		return err
	}
	return fieldErrorf("want %s, got %s", want, kindOf(c))
}

// str reads a text; null is the empty one.
func (r *reader) str() (string, error) {
	switch r.peek() {
	case '"':
		return r.text()
	case 'n':
		return "", r.literal("null")
	default:
		return "", r.mismatch("a text")
	}
}

// line reads a text of at most max characters, and trims it.
func (r *reader) line(limit int) (string, error) {
	s, err := r.str()
	if err != nil {
		return "", err
	}
	s = strings.TrimSpace(s)
	if len(s) > limit && utf8.RuneCountInString(s) > limit {
		return "", fieldErrorf("longer than %d characters", limit)
	}
	return s, nil
}

// id reads an identifier: a text, or a whole number, which is taken as it is written.
func (r *reader) id() (string, error) {
	var s string
	switch c := r.peek(); {
	case c == '-', '0' <= c && c <= '9':
		digits, err := r.number()
		if err != nil {
			return "", err
		}
		s = string(digits)
		if strings.ContainsAny(s, ".eE") {
			return "", fieldErrorf("want a text or a whole number, got a number with a fraction or an exponent: send it as a text")
		}
	case c == '"', c == 'n':
		var err error
		if s, err = r.str(); err != nil {
			return "", err
		}
	default:
		return "", r.mismatch("a text or a whole number")
	}
	if len(s) > maxID {
		return "", fieldErrorf("longer than %d bytes", maxID)
	}
	return s, nil
}

// link reads an absolute http or https address. Nothing else may become a link
// that someone clicks on.
func (r *reader) link() (string, error) {
	s, err := r.str()
	if err != nil || s == "" {
		return "", err
	}
	if len(s) > maxURL {
		return "", fieldErrorf("longer than %d bytes", maxURL)
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fieldErrorf("want an address that begins with https:// or http://")
	}
	return s, nil
}

// word reads a word of a-z, 0-9 and _. Capitals become small and what commonly
// parts words becomes _, so that "Order.Created" is order_created.
func (r *reader) word() (string, error) {
	s, err := r.str()
	if err != nil {
		return "", err
	}
	s = strings.TrimSpace(s)
	if len(s) > maxWord {
		return "", fieldErrorf("longer than %d bytes", maxWord)
	}
	if i := strings.IndexFunc(s, func(c rune) bool { return wordByte(c) != c }); i < 0 {
		return s, nil
	}
	s = strings.Map(wordByte, s)
	if strings.ContainsRune(s, utf8.RuneError) {
		return "", fieldErrorf("want a word of the letters a-z, digits and _")
	}
	return s, nil
}

func wordByte(c rune) rune {
	switch {
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_':
		return c
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case c == '.', c == '-', c == ':', c == '/', c == ' ':
		return '_'
	default:
		return utf8.RuneError
	}
}

// labels reads a list of labels: trimmed, without empty ones, each once.
func (r *reader) labels() ([]string, error) {
	switch r.peek() {
	case '[':
	case 'n':
		return nil, r.literal("null")
	default:
		return nil, r.mismatch("a list of texts")
	}
	var labels []string
	err := r.list(func(i int) error {
		if i == maxLabels {
			return fieldErrorf("more than %d labels", maxLabels)
		}
		if c := r.peek(); c != '"' {
			err := r.mismatch("a text")
			return within("["+strconv.Itoa(i)+"]", err)
		}
		label, err := r.line(maxLabel)
		if err != nil {
			return within("["+strconv.Itoa(i)+"]", err)
		}
		if label == "" || slices.Contains(labels, label) {
			return nil
		}
		if labels == nil {
			labels = make([]string, 0, 4)
		}
		labels = append(labels, label)
		return nil
	})
	return labels, err
}

// priority reads one of the inbox's priorities, in any case.
func (r *reader) priority() (inbox.Priority, error) {
	s, err := r.str()
	if err != nil {
		return "", err
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return "", nil
	}
	for _, p := range inbox.Priorities {
		if strings.EqualFold(s, string(p)) {
			return p, nil
		}
	}
	return "", fieldErrorf("want one of low, normal, high, urgent")
}

// time reads an RFC 3339 text, or the seconds or milliseconds since 1970. A number
// from 100 billion up is milliseconds: as seconds it would be the year 5138.
func (r *reader) time() (time.Time, error) {
	var t time.Time
	switch c := r.peek(); {
	case c == '-', '0' <= c && c <= '9':
		digits, err := r.number()
		if err != nil {
			return t, err
		}
		f, err := strconv.ParseFloat(string(digits), 64)
		if err != nil || math.Abs(f) > 1e15 {
			return t, fieldErrorf("want a time between the years 1970 and 9999")
		}
		if f >= 1e11 {
			f /= 1000
		}
		whole, part := math.Modf(f)
		t = time.Unix(int64(whole), int64(part*1e9)).Round(time.Microsecond)
	default:
		s, err := r.timeText()
		if err != nil || s == "" {
			return t, err
		}
		if t, err = time.Parse(time.RFC3339, s); err != nil {
			return t, fieldErrorf("want a time such as \"2026-01-02T15:04:05Z\", or the seconds since 1970")
		}
		if t.IsZero() { // what Go programs send for "none"
			return time.Time{}, nil
		}
	}
	t = t.UTC()
	if t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, fieldErrorf("want a time between the years 1970 and 9999")
	}
	return t, nil
}

func (r *reader) timeText() (string, error) {
	if c := r.peek(); c != '"' && c != 'n' {
		return "", r.mismatch("a time as a text or a number")
	}
	s, err := r.str()
	return strings.TrimSpace(s), err
}

// data reads an object of any content.
func (r *reader) data() (map[string]any, error) {
	switch r.peek() {
	case '{':
	case 'n':
		return nil, r.literal("null")
	default:
		return nil, r.mismatch("an object")
	}
	start := r.i
	if err := r.skip(); err != nil { // measured before it is unfolded
		return nil, err
	}
	if r.i-start > maxData {
		return nil, fieldErrorf("larger than %d KiB", maxData>>10)
	}
	r.i = start
	return r.fields()
}
