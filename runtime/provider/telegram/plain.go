package telegram

import (
	"html"
	"strings"
)

// plainText is a text without its markup, as well as that can be told of one that is broken.
func plainText(text, mode string) string {
	switch mode {
	case "HTML":
		return html.UnescapeString(stripTags(text))
	case "Markdown":
		return unescapeMarkdown(text, "_*`[")
	case "MarkdownV2":
		return unescapeMarkdown(text, "")
	}
	return text
}

// maxTag bounds what is taken for a tag of broken HTML, so that one "<" after
// another costs no more than the text is long.
const maxTag = 2048

// stripTags takes out what looks like a tag. Those that end a line in a browser end one here.
func stripTags(text string) string {
	var out strings.Builder
	comments := true
	for text != "" {
		stop := strings.IndexByte(text, '<')
		if stop < 0 {
			break
		}
		out.WriteString(text[:stop])
		text = text[stop:]
		if comments && strings.HasPrefix(text, "<!--") {
			var after string
			if _, after, comments = strings.Cut(text, "-->"); comments {
				text = after
				continue
			}
		}
		var t htmlTag
		size := 0
		if window := text[:min(len(text), maxTag)]; strings.IndexByte(window, '>') > 0 {
			t, size = htmlTagAt(window)
		}
		if size == 0 || !tagLike(t.name) {
			out.WriteByte('<')
			text = text[1:]
			continue
		}
		switch t.name {
		case "br", "br/":
			out.WriteByte('\n')
		case "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6":
			if t.close {
				out.WriteByte('\n')
			}
		}
		text = text[size:]
	}
	out.WriteString(text)
	return out.String()
}

func tagLike(name string) bool {
	if name == "" {
		return false
	}
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '-' && c != '/') {
			return false
		}
	}
	return true
}

// unescapeMarkdown takes out the backslashes before the given characters, or
// before any of ASCII's punctuation when none are given.
func unescapeMarkdown(text, escapable string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && markdownEscape(text[i+1], escapable) {
			i++
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

func markdownEscape(c byte, escapable string) bool {
	if escapable != "" {
		return strings.IndexByte(escapable, c) >= 0
	}
	return c >= '!' && c <= '/' || c >= ':' && c <= '@' || c >= '[' && c <= '`' || c >= '{' && c <= '~'
}
