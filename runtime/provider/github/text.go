package github

import (
	"strings"
	"unicode/utf8"
)

// What is cut to be readable in one line, in characters.
const (
	maxSubject = 300
	maxLine    = 200
	maxName    = 200
)

// short cuts a text to so many characters.
func short(s string, limit int) string {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// firstLine is the first line of a text, cut to be readable.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return short(strings.TrimSpace(s), maxLine)
}

// shortSHA is a commit as people name it.
func shortSHA(sha string) string { return sha[:min(len(sha), 7)] }

// spaced is one of GitHub's words for a person: "not_planned" is "not planned".
func spaced(s string) string { return strings.ReplaceAll(short(s, maxName), "_", " ") }

// lines joins what is not empty.
func lines(parts ...string) string {
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n")
}
