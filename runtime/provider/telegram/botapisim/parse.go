package botapisim

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// parse reads a text in one of Telegram's parse modes and returns what is seen
// of it. Its errors are Telegram's own.
func parse(text, mode string) (string, error) {
	var seen string
	var err error
	switch strings.ToLower(mode) {
	case "html":
		seen, err = parseHTML(text)
	case "markdown":
		seen, err = parseMarkdown(text)
	case "markdownv2":
		seen, err = parseMarkdownV2(text)
	case "none":
		return text, nil
	default:
		return "", fmt.Errorf("unsupported parse_mode")
	}
	if err != nil {
		return "", fmt.Errorf("can't parse entities: %w", err)
	}
	return seen, nil
}

func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xffff {
			n++
		}
	}
	return n
}

// blank tells whether Telegram sees no text in a text.
func blank(s string) bool {
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == 0x2800 || r == 0x180e || r == 0xfffc ||
			r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x2064 || r == 0xfeff
	}) == ""
}

var htmlTags = map[string]bool{
	"a": true, "b": true, "strong": true, "i": true, "em": true, "s": true, "strike": true, "del": true, "u": true,
	"ins": true, "tg-spoiler": true, "tg-emoji": true, "tg-time": true, "span": true, "pre": true, "code": true,
	"blockquote": true,
}

// htmlReader reads Telegram's HTML byte by byte.
type htmlReader struct {
	text string
	at   int
	seen strings.Builder
	open []string
}

func parseHTML(text string) (string, error) {
	r := &htmlReader{text: text}
	for r.at < len(text) {
		var err error
		switch {
		case text[r.at] == '&':
			r.reference()
		case text[r.at] != '<':
			r.seen.WriteByte(text[r.at])
			r.at++
		case strings.HasPrefix(text[r.at:], "</"):
			err = r.endTag()
		default:
			err = r.startTag()
		}
		if err != nil {
			return "", err
		}
	}
	if n := len(r.open); n > 0 {
		return "", fmt.Errorf("Can't find end tag corresponding to start tag %q", r.open[n-1]) //nolint:staticcheck // Telegram's words
	}
	return r.seen.String(), nil
}

// reference reads &lt; and its like; any other ampersand stands for itself.
func (r *htmlReader) reference() {
	rest := r.text[r.at:]
	for name, c := range map[string]string{"&lt": "<", "&gt": ">", "&amp": "&", "&quot": `"`} {
		if strings.HasPrefix(rest, name) {
			r.seen.WriteString(c)
			r.at += len(name)
			if strings.HasPrefix(rest[len(name):], ";") {
				r.at++
			}
			return
		}
	}
	if digits, ok := strings.CutPrefix(rest, "&#"); ok {
		base, skip := 10, 2
		if strings.HasPrefix(digits, "x") {
			base, skip, digits = 16, 3, digits[1:]
		}
		n := 0
		for n < len(digits) && isAlnum(digits[n]) {
			n++
		}
		if code, err := strconv.ParseUint(digits[:n], base, 21); err == nil && code > 0 {
			r.seen.WriteRune(rune(code))
			r.at += skip + n
			if strings.HasPrefix(digits[n:], ";") {
				r.at++
			}
			return
		}
	}
	r.seen.WriteByte('&')
	r.at++
}

// peek is the byte at the reader's place, 0 at the end.
func (r *htmlReader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *htmlReader) skip(while func(byte) bool) string {
	from := r.at
	for r.at < len(r.text) && while(r.text[r.at]) {
		r.at++
	}
	return r.text[from:r.at]
}

//nolint:staticcheck // the errors are Telegram's words
func (r *htmlReader) startTag() error {
	begin := r.at
	r.at++
	name := strings.ToLower(r.skip(func(c byte) bool { return !isSpace(c) && c != '>' }))
	if r.peek() == 0 {
		return fmt.Errorf("Unclosed start tag at byte offset %d", begin)
	}
	if !htmlTags[name] {
		return fmt.Errorf("Unsupported start tag \"%s\" at byte offset %d", name, begin)
	}
	class := ""
	for r.peek() != '>' {
		r.skip(isSpace)
		if r.peek() == '>' {
			break
		}
		attribute := r.skip(func(c byte) bool { return !isSpace(c) && c != '=' && c != '>' })
		if attribute == "" {
			return fmt.Errorf("Empty attribute name in the tag \"%s\" at byte offset %d", name, begin)
		}
		r.skip(isSpace)
		if r.peek() != '=' {
			if r.peek() == 0 {
				return fmt.Errorf("Unclosed start tag \"%s\" at byte offset %d", name, begin)
			}
			continue
		}
		r.at++
		r.skip(isSpace)
		value, err := r.attributeValue()
		if err != nil {
			return err
		}
		if r.peek() == 0 {
			return fmt.Errorf("Unclosed start tag at byte offset %d", begin)
		}
		if strings.ToLower(attribute) == "class" {
			class = value
		}
	}
	r.at++
	if name == "span" && class != "tg-spoiler" {
		return fmt.Errorf("Tag \"span\" must have class \"tg-spoiler\" at byte offset %d", begin)
	}
	r.open = append(r.open, name)
	return nil
}

//nolint:staticcheck // the errors are Telegram's words
func (r *htmlReader) attributeValue() (string, error) {
	quote := r.peek()
	begin := r.at
	if quote != '"' && quote != '\'' {
		value := r.skip(func(c byte) bool { return isAlnum(c) || c == '.' || c == '-' })
		if c := r.peek(); c != 0 && c != '>' && !isSpace(c) {
			return "", fmt.Errorf("Unexpected end of name token at byte offset %d", begin)
		}
		return value, nil
	}
	r.at++
	value := r.skip(func(c byte) bool { return c != quote })
	if r.peek() == quote {
		r.at++
	}
	return value, nil
}

//nolint:staticcheck // the errors are Telegram's words
func (r *htmlReader) endTag() error {
	begin := r.at
	if len(r.open) == 0 {
		return fmt.Errorf("Unexpected end tag at byte offset %d", begin)
	}
	r.at += 2
	name := strings.ToLower(r.skip(func(c byte) bool { return !isSpace(c) && c != '>' }))
	r.skip(isSpace)
	if r.peek() != '>' {
		return fmt.Errorf("Unclosed end tag at byte offset %d", begin)
	}
	r.at++
	want := r.open[len(r.open)-1]
	if name != "" && name != want {
		return fmt.Errorf("Unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"", begin, want, name)
	}
	r.open = r.open[:len(r.open)-1]
	return nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// parseMarkdown reads the old Markdown, in which nothing nests.
func parseMarkdown(text string) (string, error) {
	var seen strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) && strings.IndexByte("_*`[", text[i+1]) >= 0 {
			i++
			seen.WriteByte(text[i])
			continue
		}
		if strings.IndexByte("_*`[", c) < 0 {
			seen.WriteByte(c)
			continue
		}
		begin, end := i, string(c)
		switch {
		case strings.HasPrefix(text[i:], "```"):
			end = "```"
		case c == '[':
			end = "]"
		}
		i += len(end)
		length := strings.Index(text[min(i, len(text)):], end)
		if length < 0 {
			return "", fmt.Errorf("Can't find end of the entity starting at byte offset %d", begin) //nolint:staticcheck // Telegram's words
		}
		seen.WriteString(text[i : i+length])
		i += length + len(end) - 1
		if end == "]" && strings.HasPrefix(text[i+1:], "(") {
			address := strings.IndexByte(text[i+1:], ')')
			if address < 0 {
				return "", fmt.Errorf("Can't find end of the entity starting at byte offset %d", begin) //nolint:staticcheck // Telegram's words
			}
			i += 1 + address
		}
	}
	return seen.String(), nil
}
