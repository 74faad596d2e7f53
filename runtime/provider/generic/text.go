package generic

import (
	"unicode/utf16"
	"unicode/utf8"
)

// plain are the bytes that stand for themselves in a text.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// scan reads a text's quotes and what is between them, whose bytes are b[from:r.i-1].
// It tells whether they stand for themselves.
func (r *reader) scan() (from int, literal bool, err error) {
	r.i++
	from = r.i
	literal = true
	wide := false
	for {
		for r.i < len(r.b) && plain[r.b[r.i]] {
			r.i++
		}
		if r.i == len(r.b) {
			return 0, false, r.bad("the text has no closing quote")
		}
		switch c := r.b[r.i]; {
		case c == '"':
			r.i++
			if wide && literal {
				literal = utf8.Valid(r.b[from : r.i-1])
			}
			return from, literal, nil
		case c >= 0x80:
			wide = true
			r.i++
		case c == '\\':
			literal = false
			if err := r.escape(); err != nil {
				return 0, false, err
			}
		default:
			return 0, false, r.bad("a text must not hold a bare control character: write a line break as \\n")
		}
	}
}

// escape checks and steps over the escape at r.i.
func (r *reader) escape() error {
	r.i++
	if r.i == len(r.b) {
		return r.bad("the text has no closing quote")
	}
	switch r.b[r.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		r.i++
		return nil
	case 'u':
		r.i++
		for end := r.i + 4; r.i < end; r.i++ {
			if r.i == len(r.b) || !isHex(r.b[r.i]) {
				return r.bad("want four hexadecimal digits after \\u")
			}
		}
		return nil
	default:
		return r.bad("a backslash must be written twice, or begin one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000")
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// key reads a field name.
func (r *reader) key() ([]byte, error) {
	from, literal, err := r.scan()
	if err != nil {
		return nil, err
	}
	raw := r.b[from : r.i-1]
	if !literal {
		raw = unquote(raw)
	}
	return raw, nil
}

// text reads a text.
func (r *reader) text() (string, error) {
	from, literal, err := r.scan()
	switch {
	case err != nil:
		return "", err
	case !literal:
		return string(unquote(r.b[from : r.i-1])), nil
	case r.s != "":
		return r.s[from : r.i-1], nil
	default:
		return string(r.b[from : r.i-1]), nil
	}
}

// unquote resolves the escapes of a text that scan has checked.
func unquote(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case c >= 0x80:
			char, size := utf8.DecodeRune(raw[i:])
			out = utf8.AppendRune(out, char)
			i += size
		case c != '\\':
			out = append(out, c)
			i++
		case raw[i+1] == 'u':
			char, size := unicodeEscape(raw[i:])
			out = utf8.AppendRune(out, char)
			i += size
		default:
			out = append(out, unescaped[raw[i+1]])
			i += 2
		}
	}
	return out
}

var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unicodeEscape reads \uXXXX, or two of them that are one character. Half of a
// pair, and U+0000, is U+FFFD.
func unicodeEscape(raw []byte) (char rune, size int) {
	char = hex4(raw[2:])
	if utf16.IsSurrogate(char) {
		if len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' {
			if both := utf16.DecodeRune(char, hex4(raw[8:])); both != utf8.RuneError {
				return both, 12
			}
		}
		return utf8.RuneError, 6
	}
	if char == 0 {
		return utf8.RuneError, 6
	}
	return char, 6
}

func hex4(b []byte) (v rune) {
	for _, c := range b[:4] {
		switch {
		case c <= '9':
			c -= '0'
		default:
			c = (c | 0x20) - 'a' + 10
		}
		v = v<<4 | rune(c)
	}
	return v
}
