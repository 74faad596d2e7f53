package telegram

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

func texts(parts []provider.Reply) []string {
	var t []string
	for _, p := range parts {
		t = append(t, p.Text)
	}
	return t
}

func TestParts(t *testing.T) {
	t.Parallel()
	p := New(Options{})
	short := provider.Reply{ThreadExternalID: "5", ParentExternalID: "5:1", Text: "<b>hi</b>", ParseMode: "HTML"}
	if d := cmp.Diff([]provider.Reply{short}, p.Parts(short)); d != "" {
		t.Error(d)
	}
	a, b := strings.Repeat("a", 4000), strings.Repeat("b", 200)
	long := provider.Reply{ThreadExternalID: "5", ParentExternalID: "5:1", Text: a + "\n" + b}
	want := []provider.Reply{
		{ThreadExternalID: "5", ParentExternalID: "5:1", Text: a + "\n"},
		{ThreadExternalID: "5", Text: b},
	}
	if d := cmp.Diff(want, p.Parts(long)); d != "" {
		t.Error(d)
	}
}

func TestPartsOf(t *testing.T) {
	t.Parallel()
	x := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct {
		mode, text string
		want       []string
		wantMode   string
	}{
		"empty":              {"", "", []string{""}, ""},
		"only blanks":        {"", strings.Repeat(" ", 9000), []string{""}, ""},
		"fits":               {"", x(4096), []string{x(4096)}, ""},
		"one too many":       {"", x(4097), []string{x(4096), "x"}, ""},
		"emoji fit":          {"", strings.Repeat("👍", 2048), []string{strings.Repeat("👍", 2048)}, ""},
		"emoji do not":       {"", x(1) + strings.Repeat("👍", 2048), []string{x(1) + strings.Repeat("👍", 2047), "👍"}, ""},
		"paragraph first":    {"", x(3000) + "\n\n" + x(500) + "\n" + x(400) + ". " + x(900), []string{x(3000) + "\n\n", x(500) + "\n" + x(400) + ". " + x(900)}, ""},
		"then line":          {"", x(3000) + "\n" + x(500) + ". " + x(400) + " " + x(900), []string{x(3000) + "\n", x(500) + ". " + x(400) + " " + x(900)}, ""},
		"then sentence":      {"", x(3000) + ". " + x(500) + " " + x(900), []string{x(3000) + ". ", x(500) + " " + x(900)}, ""},
		"then word":          {"", x(3000) + " " + x(500) + "," + x(900), []string{x(3000) + " ", x(500) + "," + x(900)}, ""},
		"not in the front":   {"", x(100) + "\n\n" + x(4096), []string{x(100) + "\n\n" + x(3994), x(102)}, ""},
		"wide sentence":      {"", strings.Repeat("字", 3000) + "。" + strings.Repeat("字", 2000), []string{strings.Repeat("字", 3000) + "。", strings.Repeat("字", 2000)}, ""},
		"space at the cut":   {"", x(4096) + " y", []string{x(4096), " y"}, ""},
		"blanks left out":    {"", x(4000) + strings.Repeat("\n", 9000) + "y", []string{x(4000), strings.Repeat("\n", 808) + "y"}, ""},
		"family stays whole": {"", x(4090) + "👨‍👩‍👧‍👦" + "y", []string{x(4090), "👨‍👩‍👧‍👦" + "y"}, ""},
		"flag stays whole":   {"", x(4093) + "🇩🇪🇫🇷", []string{x(4093), "🇩🇪🇫🇷"}, ""},
		"accent stays":       {"", x(4095) + "e\u0301", []string{x(4095), "e\u0301"}, ""},
		"skin tone stays":    {"", x(4094) + "👍🏽", []string{x(4094), "👍🏽"}, ""},
		"syllable stays":     {"", x(4095) + "\u1112\u1161\u11ab", []string{x(4095), "\u1112\u1161\u11ab"}, ""},
		"line end stays":     {"", x(4095) + "\r\ny", []string{x(4095), "\r\ny"}, ""},
		"endless accents":    {"", strings.Repeat("\u0301", 5000), []string{strings.Repeat("\u0301", 4096), strings.Repeat("\u0301", 904)}, ""},
		"broken UTF-8":       {"", strings.Repeat("\xff", 4097), []string{strings.Repeat("\xff", 4096), "\xff"}, ""},

		"HTML counts what is seen": {"HTML", "<b>" + x(4096) + "</b>&amp"[:4], []string{"<b>" + x(4096) + "</b>"}, "HTML"},
		"HTML closes and reopens": {
			"HTML", `<b>` + x(3000) + ` <a href="https://x.org/?a=1&amp;b=2">` + x(2000) + "</a></b> &lt;end&gt;",
			[]string{"<b>" + x(3000) + " </b>", `<b><a href="https://x.org/?a=1&amp;b=2">` + x(2000) + "</a></b> &lt;end&gt;"},
			"HTML",
		},
		"HTML inside an element": {
			"HTML", `<pre><code class="language-go">` + x(3000) + "\n" + x(3000) + "</code></pre>",
			[]string{
				`<pre><code class="language-go">` + x(3000) + "\n</code></pre>",
				`<pre><code class="language-go">` + x(3000) + "</code></pre>",
			},
			"HTML",
		},
		"HTML reference is one": {
			"HTML", x(4095) + "&lt;&gt;", []string{x(4095) + "&lt;", "&gt;"}, "HTML",
		},
		"HTML emoji stays whole": {
			"HTML", x(4095) + `<tg-emoji emoji-id="5">👍</tg-emoji>`,
			[]string{x(4095), `<tg-emoji emoji-id="5">👍</tg-emoji>`},
			"HTML",
		},
		"HTML blank part": {
			"HTML", "<b>" + x(4096) + "</b>" + strings.Repeat(" ", 4000) + "<i></i>", []string{"<b>" + x(4096) + "</b>"}, "HTML",
		},
		"HTML broken": {
			"HTML", "<b>" + x(3000) + "<br>1 &lt; 2 &euml;<p>a</p>" + x(2000),
			[]string{x(3000) + "\n1 < 2 ëa\n", x(2000)},
			"",
		},
		"HTML too nested": {
			"HTML", strings.Repeat("<b>", 33) + x(5000) + strings.Repeat("</b>", 33), []string{x(4096), x(904)}, "",
		},

		"Markdown outside entities": {
			"Markdown", x(3000) + " *" + x(500) + " " + x(800) + "*", []string{x(3000) + " ", "*" + x(500) + " " + x(800) + "*"}, "Markdown",
		},
		"Markdown link": {
			"Markdown", x(4000) + "[" + x(10) + "](https://x.org/" + x(100) + ")", []string{x(4000), "[" + x(10) + "](https://x.org/" + x(100) + ")"}, "Markdown",
		},
		"Markdown entity too long": {
			"Markdown", "*" + x(5000) + "* snake\\_case", []string{"*" + x(4095), x(905) + "* snake_case"}, "",
		},
		"Markdown unended": {"Markdown", x(4096) + "_", []string{x(4096), "_"}, ""},

		"MarkdownV2 outside entities": {
			"MarkdownV2", x(3000) + " *" + x(500) + " _" + x(800) + "_*", []string{x(3000) + " ", "*" + x(500) + " _" + x(800) + "_*"}, "MarkdownV2",
		},
		"MarkdownV2 escape stays": {
			"MarkdownV2", x(4095) + `\.` + x(9), []string{x(4095), `\.` + x(9)}, "MarkdownV2",
		},
		"MarkdownV2 link": {
			"MarkdownV2", x(4000) + `[a\]b](https://x.org/\)` + x(100) + ")", []string{x(4000), `[a\]b](https://x.org/\)` + x(100) + ")"}, "MarkdownV2",
		},
		"MarkdownV2 block": {
			"MarkdownV2", x(3000) + "\n```go\n" + x(1500) + "_*\n```", []string{x(3000) + "\n", "```go\n" + x(1500) + "_*\n```"}, "MarkdownV2",
		},
		"MarkdownV2 quote cut by line": {
			"MarkdownV2", ">" + x(3000) + " " + x(50) + "\n>" + x(2000), []string{">" + x(3000) + " " + x(50) + "\n", ">" + x(2000)}, "MarkdownV2",
		},
		"MarkdownV2 too long": {"MarkdownV2", "*" + x(4500) + `\.*`, []string{"*" + x(4095), x(405) + ".*"}, ""},
		"unknown mode":        {"BBCode", x(4097), []string{x(4096), "x"}, "BBCode"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, mode := split(c.text, c.mode)
			if d := cmp.Diff(c.want, got); d != "" || mode != c.wantMode {
				t.Errorf("mode %q, want %q: %s", mode, c.wantMode, d)
			}
		})
	}
}

// checkParts asserts what holds for the parts of any reply.
func checkParts(t *testing.T, text, mode string) {
	t.Helper()
	p := New(Options{})
	reply := provider.Reply{ThreadExternalID: "1", ParentExternalID: "1:1", Text: text, ParseMode: mode}
	parts := p.Parts(reply)
	if d := cmp.Diff(parts, p.Parts(reply)); d != "" {
		t.Fatalf("parts differ from one time to the next: %s", d)
	}
	if len(parts) == 0 {
		t.Fatal("no parts")
	}
	if len(parts) == 1 && parts[0].Text == text {
		return
	}
	for i, part := range parts {
		if (part.ParentExternalID != "") != (i == 0) {
			t.Errorf("part %d answers %q", i, part.ParentExternalID)
		}
		if blank(part.Text) && !blank(text) && !blank(plainText(text, mode)) {
			t.Errorf("part %d of %d is blank", i, len(parts))
		}
		if part.ParseMode != mode && part.ParseMode != "" {
			t.Errorf("part %d has mode %q", i, part.ParseMode)
		}
		switch part.ParseMode {
		case "HTML":
			seen, _, ok := parseHTML(part.Text)
			if !ok || units(seen) > maxUnits {
				t.Errorf("part %d: well-formed %v, %d units: %q", i, ok, units(seen), part.Text)
			}
		default:
			if units(part.Text) > maxUnits {
				t.Errorf("part %d has %d units", i, units(part.Text))
			}
		}
		if utf8.ValidString(text) && !utf8.ValidString(part.Text) {
			t.Errorf("part %d is cut inside a character", i)
		}
	}
	got, want := strings.Join(texts(parts), ""), text
	switch parts[0].ParseMode {
	case "HTML":
		got, _, _ = parseHTML(got)
		want, _, _ = parseHTML(want)
	case "":
		want = plainText(text, mode)
	}
	if visible(got) != visible(want) {
		t.Errorf("the parts together are not the text:\n%q\n%q", got, want)
	}
}

// visible is a text without what may be left out of its parts.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if blankRune(r) {
			return -1
		}
		return r
	}, s)
}

// makeText makes a random text of some pieces that matter to cutting.
func makeText(r *rand.Rand, pieces []string, length int) string {
	var b strings.Builder
	for b.Len() < length {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

func TestPartsProperties(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"word", "a", "Überlänge", "日本語", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪", "e\u0301", " ", " ", " ", ". ", "\n", "\n\n", "\r\n", "\t", "。", strings.Repeat("x", 300), strings.Repeat(" ", 50)}
	html := append([]string{"&lt;", "&amp;", "&#128077;", "&"}, words...)
	wrap := func(open, end string, inner []string) string { return open + makeText(r, inner, r.IntN(900)) + end }
	for range 12 {
		checkParts(t, makeText(r, words, r.IntN(20000)), "")

		elements := append([]string{}, html...)
		for range 4 {
			elements = append(elements, wrap("<b>", "</b>", html), wrap(`<a href="https://x.org/?q=1">`, "</a>", html),
				wrap("<pre><code>", "</code></pre>", html), `<tg-emoji emoji-id="1">👍</tg-emoji>`)
			elements = append(elements, wrap("<i>", "</i>", elements))
		}
		checkParts(t, makeText(r, elements, r.IntN(20000)), "HTML")
		checkParts(t, makeText(r, append(elements, "<b>", "</i>", "<", "<br>"), r.IntN(20000)), "HTML")

		marks := []string{"word ", "a", "日本語", "👍🏽", "\n", `\.`, "*b c*", "`x y`", "[l m](https://x.org)", strings.Repeat("x", 200)}
		checkParts(t, makeText(r, append(marks, "_i_ ", "```\nc\n```", "_"), r.IntN(20000)), "Markdown")
		checkParts(t, makeText(r, append(marks, "__u _i_ *b*__ ", "||s||", "```go\nc\n```", "\n>q ", "~"), r.IntN(20000)), "MarkdownV2")
	}
}

// What Telegram takes whole it takes in parts, so that a cut costs no formatting.
func TestPartsAreTaken(t *testing.T) {
	t.Parallel()
	sim := startSim(t, botapisim.Options{})
	p := newProvider(t, sim, Options{})
	r := rand.New(rand.NewPCG(3, 4))
	for mode, pieces := range map[string][]string{
		"HTML": {
			"word ", "&lt;tag&gt;\n", `<b>bold <i>both <a href="https://x.org/?a=1&b='2'">link</a></i></b> `,
			"<pre><code class=\"language-go\">x := 1\n</code></pre>\n", `<span class="tg-spoiler">psst</span>. `,
			"<blockquote expandable>said</blockquote>\n\n", `<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>`,
		},
		"Markdown":   {"word ", "*bold* ", "_it al ic_\n", "[link](https://x.org) ", "```\ncode *\n```\n\n", `\_ `},
		"MarkdownV2": {"word ", "*bold _both ~all~_* ", "__under__\n", `[l\.](https://x.org/\)a) `, "```go\nx \\`\n```\n\n", "\n>quo ted\n", "||psst|| ", `\. `},
	} {
		for range 20 {
			reply := provider.Reply{ThreadExternalID: "7", Text: makeText(r, pieces, 15000), ParseMode: mode}
			for _, part := range p.Parts(reply) {
				if part.ParseMode != mode {
					t.Fatalf("%s fell back to plain text", mode)
				}
				if out := p.Deliver(t.Context(), credential, part); out.Kind != "delivered" {
					t.Fatalf("%s: %+v", mode, out)
				}
			}
		}
	}
	if n := sim.Refusals(); n != 0 {
		t.Errorf("%d parts went out as plain text", n)
	}
}

// The longest replies of what invites looking ahead or back over and over.
func TestPartsOfRepeats(t *testing.T) {
	t.Parallel()
	for mode, pieces := range map[string][]string{
		"":           {"x", " ", "\n", "\u0301", "🇩", "\u200d"},
		"HTML":       {"<", "<b>", "</b>", "<b></b>", "<!--", "<a '", "&", "&#"},
		"Markdown":   {"_", "`", "[", "[](", `\`},
		"MarkdownV2": {"*_", "`", "[](", `\`, "\n>", "||"},
	} {
		for _, piece := range pieces {
			reply := provider.Reply{ThreadExternalID: "1", Text: strings.Repeat(piece, inbox.MaxReplyLen/len(piece)), ParseMode: mode}
			begin := time.Now()
			parts := New(Options{}).Parts(reply)
			if took := time.Since(begin); took > 2*time.Second { // some ms; looking at all from each place, 10 s
				t.Errorf("%s %q took %s", mode, piece, took)
			}
			for _, part := range parts {
				seen := part.Text
				if part.ParseMode == "HTML" {
					seen, _, _ = parseHTML(part.Text)
				}
				if units(seen) > maxUnits {
					t.Errorf("%s %q: a part of %d units", mode, piece, units(seen))
				}
			}
		}
	}
}

func FuzzParts(f *testing.F) {
	for _, mode := range []string{"", "HTML", "Markdown", "MarkdownV2"} {
		f.Add(mode, "a ", uint16(3000))
		f.Add(mode, "<b>👍&lt;</b>\n\n", uint16(900))
		f.Add(mode, "*b _i_* `c` [l](u)\n>q\n", uint16(600))
	}
	f.Fuzz(func(t *testing.T, mode, text string, times uint16) {
		if len(text) == 0 || len(text)*int(times) > 64<<10 {
			return
		}
		checkParts(t, strings.Repeat(text, int(times)), mode)
	})
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ mode, text, want string }{
		{"", "<b>", "<b>"},
		{"HTML", "<b>a</b> &lt;b&gt; <i", "a <b> <i"},
		{"HTML", "1 < 2 <br/>x<!-- y --> <a href='>'>l</a>", "1 < 2 \nx l"},
		{"HTML", "<3 </ > <>", "<3 </ > <>"},
		{"Markdown", `a\_b \. *c*`, `a_b \. *c*`},
		{"MarkdownV2", `a\_b \. *c* \n`, `a_b . *c* \n`},
	} {
		if got := plainText(c.text, c.mode); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.mode, c.text, got, c.want)
		}
	}
}
