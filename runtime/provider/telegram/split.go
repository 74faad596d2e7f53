package telegram

import (
	"unicode"
	"unicode/utf8"
)

// span is a stretch of a text, in bytes.
type span struct{ from, to int }

// splitPlain cuts a text into parts of at most limit UTF-16 units, never inside
// one of whole. Parts follow on each other without a gap, but for those without
// anything to see, which are left out. It reports false when it found no place
// to cut.
func splitPlain(text string, limit int, whole []span) ([]string, bool) {
	chunks, ok := chunksOf(text, limit, whole)
	if !ok {
		return nil, false
	}
	var parts []string
	for _, c := range chunks {
		if part := text[c.from:c.to]; !blank(part) {
			parts = append(parts, part)
		}
	}
	return parts, true
}

// chunksOf cuts the whole of a text.
func chunksOf(text string, limit int, whole []span) ([]span, bool) {
	var chunks []span
	for from := 0; from < len(text); {
		to := nextCut(text, from, limit, whole)
		if to <= from {
			return nil, false
		}
		chunks = append(chunks, span{from, to})
		from = to
		for len(whole) > 0 && whole[0].to <= from {
			whole = whole[1:]
		}
	}
	return chunks, true
}

// cutKind is how good a place is to cut at, best first.
type cutKind int

const (
	afterParagraph cutKind = iota
	afterLine
	afterSentence
	afterWord
	afterGrapheme // what a reader takes for one character
	afterRune
	cutKinds
)

// nextCut finds where the part that begins at from ends: at the best kind of
// place in its second half, else as late as it can. It returns from when there is none.
func nextCut(text string, from, limit int, whole []span) int {
	var last [cutKinds]int // the last place of each kind
	for i := range last {
		last[i] = from
	}
	half := from // the first place in the second half
	count, flags := 0, 0
	var prev rune
	for i, r := range text[from:] {
		at := from + i
		if 2*count <= limit {
			half = at
		}
		if at > from && !inside(at, &whole) {
			kind := cutAt(text, at, prev, r, flags)
			last[kind] = at
		}
		if count += unitsOf(r); count > limit {
			return bestOf(last, from, half)
		}
		if regionalIndicator(r) {
			flags++
		} else {
			flags = 0
		}
		prev = r
	}
	return len(text)
}

func bestOf(last [cutKinds]int, from, half int) int {
	latest := from
	for kind, at := range last {
		if kind <= int(afterWord) && at > half {
			return at
		}
		if kind <= int(afterGrapheme) {
			latest = max(latest, at)
		}
	}
	if latest > from {
		return latest
	}
	return last[afterRune]
}

// inside tells whether a place is inside one of the spans, and drops those before it.
func inside(at int, whole *[]span) bool {
	for len(*whole) > 0 && (*whole)[0].to <= at {
		*whole = (*whole)[1:]
	}
	return len(*whole) > 0 && (*whole)[0].from < at
}

// cutAt judges the place between two runes. Space belongs to the part before it.
// flags counts the regional indicators before it, which pair up to flags.
func cutAt(text string, at int, prev, next rune, flags int) cutKind {
	if prev == '\r' && next == '\n' || joins(prev, next, flags) {
		return afterRune
	}
	prevSpace, nextSpace := unicode.IsSpace(prev), unicode.IsSpace(next)
	switch {
	case prevSpace && nextSpace:
		return afterGrapheme
	case prevSpace:
		newlines, before := spaceBefore(text[:at])
		return gap(newlines, before)
	case nextSpace:
		return gap(newlinesAhead(text[at:]), prev)
	case wideSentenceEnd(prev):
		return afterSentence
	}
	return afterGrapheme
}

func gap(newlines int, before rune) cutKind {
	switch {
	case newlines > 1:
		return afterParagraph
	case newlines == 1:
		return afterLine
	case before == '.', before == '!', before == '?', before == '…', wideSentenceEnd(before):
		return afterSentence
	}
	return afterWord
}

// lookAround bounds how far a run of space is looked into.
const lookAround = 16

// spaceBefore counts the line breaks in the space that s ends with, and tells what stands before it.
func spaceBefore(s string) (newlines int, before rune) {
	for range lookAround {
		r, size := utf8.DecodeLastRuneInString(s)
		if size == 0 || !unicode.IsSpace(r) {
			return newlines, r
		}
		if r == '\n' {
			newlines++
		}
		s = s[:len(s)-size]
	}
	return newlines, 0
}

func newlinesAhead(s string) (newlines int) {
	looked := 0
	for _, r := range s {
		if looked++; looked > lookAround || !unicode.IsSpace(r) {
			break
		}
		if r == '\n' {
			newlines++
		}
	}
	return newlines
}

func wideSentenceEnd(r rune) bool {
	switch r {
	case '。', '！', '？', '｡', '।', '۔':
		return true
	}
	return false
}

// joins tells whether two runes make one character to a reader. It follows the
// rules for extended grapheme clusters (UAX #29) as far as chats need them.
func joins(prev, next rune, flags int) bool {
	const zeroWidthJoiner = 0x200d
	switch {
	case next < 0x300 && prev != zeroWidthJoiner:
		return false
	case prev == zeroWidthJoiner, next == zeroWidthJoiner, next == 0x200c,
		unicode.Is(unicode.M, next),
		next >= 0x1f3fb && next <= 0x1f3ff, // skin tones
		next >= 0xe0020 && next <= 0xe007f: // a flag's tags
		return true
	case regionalIndicator(next):
		return flags%2 == 1
	}
	return hangul(prev, next)
}

func regionalIndicator(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// hangul tells whether two letters stand in one syllable.
func hangul(prev, next rune) bool {
	lead := func(r rune) bool { return r >= 0x1100 && r <= 0x115f || r >= 0xa960 && r <= 0xa97c }
	vowel := func(r rune) bool { return r >= 0x1160 && r <= 0x11a7 || r >= 0xd7b0 && r <= 0xd7c6 }
	tail := func(r rune) bool { return r >= 0x11a8 && r <= 0x11ff || r >= 0xd7cb && r <= 0xd7fb }
	syllable := func(r rune) bool { return r >= 0xac00 && r <= 0xd7a3 }
	open := func(r rune) bool { return syllable(r) && (r-0xac00)%28 == 0 } // without a tail
	switch {
	case lead(prev):
		return lead(next) || vowel(next) || syllable(next)
	case vowel(prev), open(prev):
		return vowel(next) || tail(next)
	case tail(prev), syllable(prev):
		return tail(next)
	}
	return false
}
