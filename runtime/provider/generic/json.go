package generic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/open4x/socialops/runtime/inbox"
)

// maxDepth bounds nesting. A deeper body is refused at the bracket that goes too
// deep, before anything behind it is read.
const maxDepth = 64

// smallBody is up to where a body is turned into text once, of which every field
// is then a part: one allocation an event. A larger one has its fields copied, so
// that a field kept for long does not keep the rest.
const smallBody = 16 << 10

// reader reads a JSON text (RFC 8259) once, front to back, checking what it skips
// as strictly as what it keeps. This is the hottest path of the product, and its
// errors are to name fields in plain words; encoding/json reads every body twice
// and takes seven times as long (BenchmarkNormalize/spec: 0.4 µs, 3 allocations).
//
// Invalid UTF-8 becomes U+FFFD, as in encoding/json. So does U+0000, which no text
// column of Postgres takes.
type reader struct {
	b []byte
	s string // b as text, when it is small
	i int    // next byte
	n int    // nesting
}

func newReader(b []byte) *reader {
	r := &reader{b: b}
	if len(b) <= smallBody {
		r.s = string(b)
	}
	if bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) { // a byte order mark, which Windows tools write
		r.i = 3
	}
	return r
}

// syntaxError is a body that is no JSON.
type syntaxError struct {
	at   int // byte, counted from 1
	want string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("the body is not valid JSON at byte %d: %s", e.at, e.want)
}

func (r *reader) bad(want string) error { return &syntaxError{at: r.i + 1, want: want} }

var space = [256]bool{' ': true, '\t': true, '\n': true, '\r': true}

// peek is the first byte of the next token, or 0 at the end.
func (r *reader) peek() byte {
	for r.i < len(r.b) {
		c := r.b[r.i]
		if !space[c] {
			return c
		}
		r.i++
	}
	return 0
}

// kindOf names what begins with c, for a person.
func kindOf(c byte) string {
	switch {
	case c == '"':
		return "a text"
	case c == '{':
		return "an object"
	case c == '[':
		return "a list"
	case c == 't', c == 'f':
		return "true or false"
	case c == 'n':
		return "null"
	case c == '-', '0' <= c && c <= '9':
		return "a number"
	case c == 0:
		return "nothing"
	default:
		return "something that is no JSON"
	}
}

func (r *reader) literal(word string) error {
	if len(r.b)-r.i < len(word) || string(r.b[r.i:r.i+len(word)]) != word {
		return r.bad("want a value, such as a text in double quotes")
	}
	r.i += len(word)
	return nil
}

func (r *reader) enter() error {
	if r.n++; r.n > maxDepth {
		return inbox.Errorf(inbox.CodeInvalid, "the body is nested deeper than %d levels, at byte %d", maxDepth, r.i+1)
	}
	r.i++
	return nil
}

func (r *reader) leave() {
	r.n--
	r.i++
}

// object reads an object, calling field at each member's value. The key is valid
// until field returns.
func (r *reader) object(field func(key []byte) error) error {
	if err := r.enter(); err != nil {
		return err
	}
	for first := true; ; first = false {
		switch c := r.peek(); {
		case c == '}' && first:
			r.leave()
			return nil
		case c != '"':
			return r.bad("want a field name in double quotes")
		}
		key, err := r.key()
		if err != nil {
			return err
		}
		if r.peek() != ':' {
			return r.bad("want a colon after the field name")
		}
		r.i++
		if err := field(key); err != nil {
			return err
		}
		switch r.peek() {
		case ',':
			r.i++
		case '}':
			r.leave()
			return nil
		default:
			return r.bad("want a comma or a closing brace")
		}
	}
}

// list reads a list, calling item at each value.
func (r *reader) list(item func(i int) error) error {
	if err := r.enter(); err != nil {
		return err
	}
	if r.peek() == ']' {
		r.leave()
		return nil
	}
	for i := 0; ; i++ {
		if err := item(i); err != nil {
			return err
		}
		switch r.peek() {
		case ',':
			r.i++
		case ']':
			r.leave()
			return nil
		default:
			return r.bad("want a comma or a closing bracket")
		}
	}
}

// skip reads any value and drops it.
func (r *reader) skip() error {
	switch c := r.peek(); {
	case c == '"':
		_, _, err := r.scan()
		return err
	case c == '{':
		return r.object(func([]byte) error { return r.skip() })
	case c == '[':
		return r.list(func(int) error { return r.skip() })
	case c == 't':
		return r.literal("true")
	case c == 'f':
		return r.literal("false")
	case c == 'n':
		return r.literal("null")
	default:
		_, err := r.number()
		return err
	}
}

// value reads any value into what encoding/json would make of it, with numbers
// kept to the digit where Postgres can.
func (r *reader) value() (any, error) {
	switch c := r.peek(); c {
	case '"':
		return r.text()
	case '{':
		return r.fields()
	case '[':
		items := []any{}
		return items, r.list(func(int) error {
			item, err := r.value()
			items = append(items, item)
			return err
		})
	case 't':
		return true, r.literal("true")
	case 'f':
		return false, r.literal("false")
	case 'n':
		return nil, r.literal("null")
	default:
		digits, err := r.number()
		if err != nil {
			return nil, err
		}
		return exact(digits)
	}
}

// fields reads an object of any values.
func (r *reader) fields() (map[string]any, error) {
	fields := map[string]any{}
	return fields, r.object(func(key []byte) error {
		name := string(key)
		item, err := r.value()
		fields[name] = item
		return err
	})
}

// exact keeps a number as it was written, unless it is so long or so large that
// Postgres could refuse it: then it is a double, or an error.
func exact(digits []byte) (any, error) {
	if len(digits) <= 64 && !bytes.ContainsAny(digits, "eE") {
		return json.Number(digits), nil
	}
	f, err := strconv.ParseFloat(string(digits), 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, &fieldError{what: "holds a number that is too large: want at most 1.7e308"}
	}
	return f, nil
}

// number reads a number and gives its digits.
func (r *reader) number() ([]byte, error) {
	start := r.i
	digits := func() bool {
		from := r.i
		for r.i < len(r.b) && '0' <= r.b[r.i] && r.b[r.i] <= '9' {
			r.i++
		}
		return r.i > from
	}
	next := func() byte {
		if r.i < len(r.b) {
			return r.b[r.i]
		}
		return 0
	}
	if next() == '-' {
		r.i++
	}
	if next() == '0' {
		r.i++
	} else if !digits() {
		return nil, r.bad("want a value, such as a text in double quotes")
	}
	if next() == '.' {
		r.i++
		if !digits() {
			return nil, r.bad("want a digit after the decimal point")
		}
	}
	if c := next(); c == 'e' || c == 'E' {
		r.i++
		if c := next(); c == '+' || c == '-' {
			r.i++
		}
		if !digits() {
			return nil, r.bad("want a digit in the exponent")
		}
	}
	return r.b[start:r.i], nil
}
