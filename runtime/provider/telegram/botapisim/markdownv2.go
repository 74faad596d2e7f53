package botapisim

import (
	"fmt"
	"strings"
)

// markdownV2 reads Telegram's MarkdownV2.
type markdownV2 struct {
	text string
	at   int
	seen strings.Builder
	open []openEntity
	// quotable is whether ">" begins a quote here: nothing was seen of the line yet.
	quotable bool
}

type openEntity struct {
	kind  string // Telegram's name
	end   string // what ends it
	begin int    // byte offset
}

const quote = "BlockQuote"

func parseMarkdownV2(text string) (string, error) {
	m := &markdownV2{text: text, quotable: true}
	for m.at < len(text) {
		if err := m.step(); err != nil {
			return "", err
		}
	}
	if e, ok := m.top(); ok && e.kind == quote {
		m.pop()
	}
	if e, ok := m.top(); ok {
		return "", unended(e)
	}
	return m.seen.String(), nil
}

func unended(e openEntity) error {
	return fmt.Errorf("Can't find end of %s entity at byte offset %d", e.kind, e.begin) //nolint:staticcheck // Telegram's words
}

func (m *markdownV2) top() (openEntity, bool) {
	if len(m.open) == 0 {
		return openEntity{}, false
	}
	return m.open[len(m.open)-1], true
}

func (m *markdownV2) pop() { m.open = m.open[:len(m.open)-1] }

func (m *markdownV2) push(kind, begin, end string) {
	m.open = append(m.open, openEntity{kind, end, m.at})
	m.at += len(begin)
}

func (m *markdownV2) show(text string) {
	m.seen.WriteString(text)
	m.quotable = false
}

// step reads one character, mark or escape.
func (m *markdownV2) step() error {
	rest := m.text[m.at:]
	c := rest[0]
	e, nested := m.top()
	if c == '\\' && len(rest) > 1 && rest[1] > 0 && rest[1] <= 126 {
		m.show(rest[1:2])
		m.at += 2
		return nil
	}
	if nested && e.end != "" && ends(rest, e) {
		return m.end(e)
	}
	if nested && (e.kind == "Code" || e.kind == "Pre" || e.kind == "PreCode") {
		if c == '`' { // in a block, a single one begins code
			m.push("Code", "`", "`")
			return nil
		}
		m.show(rest[:1])
		m.at++
		return nil
	}
	switch {
	case c == '\n' || c == '\r':
		return m.line()
	case c == '>' && m.quotable:
		if !m.inQuote() {
			m.push(quote, ">", "")
		} else {
			m.at++
		}
		return nil
	case strings.HasPrefix(rest, "||") && nested && e.kind == quote && endOfLine(rest[2:]):
		m.at += 2 // the quote can be expanded
		return nil
	}
	return m.begin(rest)
}

// ends tells whether rest ends the entity. Two underscores are never the end of an italic one.
func ends(rest string, e openEntity) bool {
	if e.kind == "Italic" && strings.HasPrefix(rest, "__") {
		return false
	}
	return strings.HasPrefix(rest, e.end)
}

func endOfLine(rest string) bool { return rest == "" || rest[0] == '\n' || rest[0] == '\r' }

func (m *markdownV2) inQuote() bool {
	for _, e := range m.open {
		if e.kind == quote {
			return true
		}
	}
	return false
}

// line ends a line, and a quote that the next one does not go on with.
func (m *markdownV2) line() error {
	c := m.text[m.at : m.at+1]
	m.at++
	goesOn := strings.HasPrefix(m.text[m.at:], ">") || c == "\r" && strings.HasPrefix(m.text[m.at:], "\n")
	if m.inQuote() && !goesOn {
		if e, _ := m.top(); e.kind != quote {
			return unended(e)
		}
		m.pop()
	}
	m.show(c)
	m.quotable = true
	return nil
}

func (m *markdownV2) begin(rest string) error {
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "```"):
		return m.beginPre(rest[3:])
	case c == '`':
		m.push("Code", "`", "`")
	case strings.HasPrefix(rest, "__"):
		m.push("Underline", "__", "__")
	case c == '_':
		m.push("Italic", "_", "_")
	case c == '*':
		m.push("Bold", "*", "*")
	case c == '~':
		m.push("Strikethrough", "~", "~")
	case strings.HasPrefix(rest, "||"):
		m.push("Spoiler", "||", "||")
	case strings.HasPrefix(rest, "!["):
		m.push("CustomEmoji", "![", "]")
	case c == '[':
		m.push("TextUrl", "[", "]")
	case strings.IndexByte("]()>#+-=|{}.!", c) >= 0:
		return fmt.Errorf("Character '%c' is reserved and must be escaped with the preceding '\\'", c) //nolint:staticcheck // Telegram's words
	default:
		m.show(rest[:1])
		m.at++
	}
	return nil
}

// beginPre begins a block of code, whose language is the word up to a space.
func (m *markdownV2) beginPre(after string) error {
	n := strings.IndexAny(after, " \t\r\n`")
	if n <= 0 || after[n] == '`' {
		m.push("Pre", "```", "```")
		n = 0
	} else {
		m.push("PreCode", "```", "```")
		m.at += n
	}
	if next := after[n:]; strings.HasPrefix(next, "\r\n") || strings.HasPrefix(next, "\n\r") {
		m.at += 2
	} else if next != "" && (next[0] == '\n' || next[0] == '\r') {
		m.at++
	}
	return nil
}

// end ends an entity, and reads the address that a link's end may carry.
func (m *markdownV2) end(e openEntity) error {
	m.pop()
	m.at += len(e.end)
	if e.end != "]" {
		return nil
	}
	if !strings.HasPrefix(m.text[m.at:], "(") {
		if e.kind == "CustomEmoji" {
			return fmt.Errorf("Custom emoji entity must contain a tg://emoji URL") //nolint:staticcheck // Telegram's words
		}
		return nil
	}
	begin := m.at + 1
	for m.at++; m.at < len(m.text); m.at++ {
		switch m.text[m.at] {
		case '\\':
			m.at++
		case ')':
			m.at++
			return nil
		}
	}
	what := "a URL"
	if e.kind == "CustomEmoji" {
		what = "a custom emoji URL"
	}
	return fmt.Errorf("Can't find end of %s at byte offset %d", what, begin) //nolint:staticcheck // Telegram's words
}
