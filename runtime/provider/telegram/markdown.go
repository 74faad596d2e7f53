package telegram

import "strings"

// markdownV2Entities finds what must stay whole when a text in MarkdownV2 is cut:
// its outermost entities, its quoted lines and its escapes. It reports false when
// an entity has no end.
func markdownV2Entities(text string) ([]span, bool) {
	var whole []span
	var open []string // the ends that are waited for, innermost last
	from := 0         // of the outermost entity
	lineStart := true
	for i := 0; i < len(text); {
		rest := text[i:]
		if len(open) == 0 && lineStart && rest[0] == '>' {
			line := strings.IndexByte(rest, '\n') + 1
			if line == 0 {
				line = len(rest)
			}
			whole = append(whole, span{i, i + line})
			i++
			lineStart = false
			continue
		}
		lineStart = rest[0] == '\n'
		if rest[0] == '\\' && len(rest) > 1 && rest[1] < 0x7f {
			whole = append(whole, span{i, i + 2})
			i += 2
			continue
		}
		if n := len(open); n > 0 && endsEntity(rest, open[n-1]) {
			i += len(open[n-1])
			if open[n-1] == "]" {
				address, ok := linkAddress(text[i:])
				if !ok {
					return nil, false
				}
				i += address
			}
			if open = open[:n-1]; len(open) == 0 {
				whole = append(whole, span{from, i})
			}
			continue
		}
		begin, end := "", ""
		if n := len(open); n == 0 || open[n-1] != "`" && open[n-1] != "```" {
			begin, end = beginsEntity(rest)
		} else if rest[0] == '`' { // in a block, a single one begins code
			begin, end = "`", "`"
		}
		if begin == "" {
			i++
			continue
		}
		if len(open) == 0 {
			from = i
		}
		open = append(open, end)
		i += len(begin)
	}
	return merge(whole), len(open) == 0
}

func endsEntity(rest, end string) bool {
	if end == "_" { // two of them begin or end an underlined stretch, whatever is open
		return rest[0] == '_' && !strings.HasPrefix(rest, "__")
	}
	return strings.HasPrefix(rest, end)
}

func beginsEntity(rest string) (begin, end string) {
	for _, mark := range []string{"```", "__", "||", "_", "*", "~", "`"} {
		if strings.HasPrefix(rest, mark) {
			return mark, mark
		}
	}
	switch {
	case strings.HasPrefix(rest, "!["):
		return "![", "]"
	case rest[0] == '[':
		return "[", "]"
	}
	return "", ""
}

// linkAddress is the length of the address in parentheses that rest begins with, 0 for none.
func linkAddress(rest string) (int, bool) {
	if !strings.HasPrefix(rest, "(") {
		return 0, true
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case ')':
			return i + 1, true
		}
	}
	return 0, false
}

// merge joins spans that overlap, and so puts them in order: one that is added
// late covers those before it that begin after it.
func merge(spans []span) []span {
	var out []span
	for _, s := range spans {
		for len(out) > 0 && out[len(out)-1].to > s.from {
			s.from = min(s.from, out[len(out)-1].from)
			s.to = max(s.to, out[len(out)-1].to)
			out = out[:len(out)-1]
		}
		out = append(out, s)
	}
	return out
}

// legacyMarkdownEntities is markdownV2Entities for the old mode, where nothing nests.
func legacyMarkdownEntities(text string) ([]span, bool) {
	var whole []span
	for i := 0; i < len(text); {
		c := text[i]
		if c == '\\' && i+1 < len(text) && strings.IndexByte("_*`[", text[i+1]) >= 0 {
			whole = append(whole, span{i, i + 2})
			i += 2
			continue
		}
		var end string
		switch {
		case strings.HasPrefix(text[i:], "```"):
			end = "```"
		case c == '[':
			end = "]"
		case c == '_', c == '*', c == '`':
			end = string(c)
		default:
			i++
			continue
		}
		begin := i
		i += len(end)
		stop := strings.Index(text[i:], end)
		if stop < 0 {
			return nil, false
		}
		i += stop + len(end)
		if c == '[' && i < len(text) && text[i] == '(' {
			address := strings.IndexByte(text[i:], ')')
			if address < 0 {
				return nil, false
			}
			i += address + 1
		}
		whole = append(whole, span{begin, i})
	}
	return whole, true
}
