package telegram

import (
	"slices"
	"strconv"
	"strings"
)

// htmlTag is a tag of a text in Telegram's HTML, and where in the visible text it stands.
type htmlTag struct {
	at    int
	name  string
	raw   string // an opening tag as it was written, attributes and all
	close bool
}

// htmlNames are the tags that Telegram's HTML knows.
var htmlNames = set(`b strong i em u ins s strike del span tg-spoiler a code pre blockquote tg-emoji tg-time`)

// splitHTML cuts a text in Telegram's HTML: each part closes what it leaves open
// and opens what the part before left open. Lengths are those of the visible
// text. It reports false for what Telegram would refuse.
func splitHTML(text string, limit int) ([]string, bool) {
	visible, tags, ok := parseHTML(text)
	if !ok {
		return nil, false
	}
	if units(visible) <= limit {
		return []string{text}, true
	}
	chunks, ok := chunksOf(visible, limit, unbreakable(visible, tags))
	if !ok {
		return nil, false
	}
	var parts []string
	var open []htmlTag
	for i, c := range chunks {
		var part strings.Builder
		for _, t := range open {
			part.WriteString(t.raw)
		}
		at := c.from
		for len(tags) > 0 {
			t := tags[0]
			// An opening tag at the cut goes to the next part, a closing one stays with its text.
			if t.at > c.to || t.at == c.to && !t.close && i < len(chunks)-1 {
				break
			}
			part.WriteString(escapeHTML(visible[at:t.at]))
			at = t.at
			if t.close {
				open = open[:len(open)-1]
				part.WriteString("</" + t.name + ">")
			} else {
				open = append(open, t)
				part.WriteString(t.raw)
			}
			tags = tags[1:]
		}
		part.WriteString(escapeHTML(visible[at:c.to]))
		for _, t := range slices.Backward(open) {
			part.WriteString("</" + t.name + ">")
		}
		if !blank(visible[c.from:c.to]) {
			parts = append(parts, part.String())
		}
	}
	return parts, true
}

// unbreakable is the visible text of the elements that stand for one thing.
func unbreakable(visible string, tags []htmlTag) []span {
	var whole []span
	for _, t := range tags {
		if t.name != "tg-emoji" && t.name != "tg-time" {
			continue
		}
		if !t.close {
			whole = append(whole, span{t.at, len(visible)})
		} else if n := len(whole); n > 0 {
			whole[n-1].to = t.at
		}
	}
	return whole
}

// parseHTML takes a text apart as Telegram does: "<" always begins a tag, tags
// are balanced, and references are few.
func parseHTML(text string) (visible string, tags []htmlTag, ok bool) {
	var out strings.Builder
	var open []string
	for text != "" {
		stop := strings.IndexAny(text, "<&")
		if stop < 0 {
			stop = len(text)
		}
		out.WriteString(text[:stop])
		if text = text[stop:]; text == "" {
			break
		}
		if text[0] == '&' {
			r, size := htmlReference(text)
			out.WriteString(r)
			text = text[size:]
			continue
		}
		t, size := htmlTagAt(text)
		if size == 0 {
			return "", nil, false
		}
		t.at = out.Len()
		if t.close {
			if len(open) == 0 || t.name != "" && t.name != open[len(open)-1] {
				return "", nil, false
			}
			t.name = open[len(open)-1]
			open = open[:len(open)-1]
		} else {
			// Reopening hundreds of tags in each part would grow it without bound.
			if open = append(open, t.name); !htmlNames[t.name] || len(open) > 32 {
				return "", nil, false
			}
		}
		tags = append(tags, t)
		text = text[size:]
	}
	return out.String(), tags, len(open) == 0
}

// htmlTagAt reads the tag that text begins with, and tells its length; 0 when it is none.
func htmlTagAt(text string) (htmlTag, int) {
	var t htmlTag
	i := 1
	if i < len(text) && text[i] == '/' {
		t.close = true
		i++
	}
	nameFrom := i
	for i < len(text) && i-nameFrom <= 16 && text[i] != '>' && !htmlSpace(text[i]) {
		i++
	}
	if i-nameFrom > 16 { // longer than any that is known
		return t, 0
	}
	t.name = strings.ToLower(text[nameFrom:i])
	for quote := byte(0); i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"', c == '\'':
			quote = c
		case c == '>':
			t.raw = text[:i+1]
			return t, i + 1
		}
	}
	return t, 0
}

func htmlSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// htmlReference reads a character reference. Telegram knows four by name and
// leaves any other as it is written.
func htmlReference(text string) (string, int) {
	end := strings.IndexByte(text[:min(len(text), 12)], ';')
	if end < 0 {
		return "&", 1
	}
	switch body := text[1:end]; body {
	case "lt":
		return "<", end + 1
	case "gt":
		return ">", end + 1
	case "amp":
		return "&", end + 1
	case "quot":
		return `"`, end + 1
	default:
		digits, numeric := strings.CutPrefix(body, "#")
		base := 10
		if hex, ok := strings.CutPrefix(digits, "x"); ok {
			digits, base = hex, 16
		}
		n, err := strconv.ParseUint(digits, base, 21)
		if !numeric || err != nil || n == 0 {
			return "&", 1
		}
		return string(rune(n)), end + 1
	}
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func escapeHTML(s string) string { return htmlEscaper.Replace(s) }
