package telegram

import (
	"unicode"

	"github.com/open4x/socialops/runtime/provider"
)

// maxUnits bounds a message's text after its markup is parsed. Telegram counts
// characters; UTF-16 units, in which it counts everything else, are never fewer.
const maxUnits = 4096

// Parts splits a reply into messages that Telegram takes. Cuts fall between
// paragraphs, lines, sentences or words where they can; HTML tags are closed and
// opened anew around a cut, Markdown is cut outside its entities only. Markup
// that can't be cut so goes out as plain text. Only the first part answers the
// parent. Stretches without anything to see are left out, as Telegram refuses
// a message of them.
func (*Provider) Parts(r provider.Reply) []provider.Reply {
	texts, mode := split(r.Text, r.ParseMode)
	parts := make([]provider.Reply, len(texts))
	for i, t := range texts {
		parts[i] = provider.Reply{ThreadExternalID: r.ThreadExternalID, Text: t, ParseMode: mode}
	}
	parts[0].ParentExternalID = r.ParentExternalID
	return parts
}

// split cuts a text into parts, at least one, and tells their parse mode.
func split(text, mode string) (parts []string, partsMode string) {
	if units(text) <= maxUnits {
		return []string{text}, mode
	}
	var ok bool
	switch mode {
	case "HTML":
		parts, ok = splitHTML(text, maxUnits)
	case "Markdown":
		whole, well := legacyMarkdownEntities(text)
		parts, ok = splitPlain(text, maxUnits, whole)
		ok = ok && well
	case "MarkdownV2":
		whole, well := markdownV2Entities(text)
		parts, ok = splitPlain(text, maxUnits, whole)
		ok = ok && well
	default: // a mode that Telegram does not know is for it to refuse
		parts, ok = splitPlain(text, maxUnits, nil)
	}
	if !ok {
		parts, _ = splitPlain(plainText(text, mode), maxUnits, nil)
		mode = ""
	}
	if len(parts) == 0 {
		parts = []string{""}
	}
	return parts, mode
}

// units is a text's length in UTF-16 units. What is no UTF-8 counts as the
// replacement characters that JSON will carry.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += unitsOf(r)
	}
	return n
}

func unitsOf(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// blank tells whether there is nothing to see in a text. Telegram refuses such a message.
func blank(s string) bool {
	for _, r := range s {
		if !blankRune(r) {
			return false
		}
	}
	return true
}

func blankRune(r rune) bool {
	switch {
	case unicode.IsSpace(r), unicode.IsControl(r):
		return true
	case r == 0x180e, r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e,
		r >= 0x2060 && r <= 0x2064, r == 0x2800, r == 0xfeff, r == 0xfffc:
		return true // zero-width, direction marks, blanks in all but name
	}
	return false
}
