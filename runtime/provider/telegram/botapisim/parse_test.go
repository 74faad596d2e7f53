package botapisim

import "testing"

func TestParse(t *testing.T) {
	t.Parallel()
	const fails = "can't parse entities: "
	for _, c := range []struct{ mode, text, seen, err string }{
		{"HTML", "plain", "plain", ""},
		{"HTML", "<b>a <i>b</i></b> &lt;x&gt; &amp &quot;&#65;&#x42; &nbsp; &", `a b <x> & "AB &nbsp; &`, ""},
		{"HTML", `<a href="https://x.org/?a=1&b=2">l</a><pre><code class="language-go">c</code></pre>`, "lc", ""},
		{"HTML", `<span class="tg-spoiler">s</span><tg-emoji emoji-id="5">👍</tg-emoji><B>x</b >`, "s👍x", ""},
		{"HTML", "<blockquote expandable>q</blockquote>", "q", ""},
		{"HTML", "<br>", "", fails + `Unsupported start tag "br" at byte offset 0`},
		{"HTML", "a < b", "", fails + `Unsupported start tag "" at byte offset 2`},
		{"HTML", "x <b", "", fails + "Unclosed start tag at byte offset 2"},
		{"HTML", "<a href", "", fails + `Unclosed start tag "a" at byte offset 0`},
		{"HTML", `<a href="x"`, "", fails + "Unclosed start tag at byte offset 0"},
		{"HTML", `<a ="x">y</a>`, "", fails + `Empty attribute name in the tag "a" at byte offset 0`},
		{"HTML", "<a href=x/>y</a>", "", fails + "Unexpected end of name token at byte offset 8"},
		{"HTML", "<span>x</span>", "", fails + `Tag "span" must have class "tg-spoiler" at byte offset 0`},
		{"HTML", "x</b>", "", fails + "Unexpected end tag at byte offset 1"},
		{"HTML", "<b>x</b", "", fails + "Unclosed end tag at byte offset 4"},
		{"HTML", "<b>x</i>", "", fails + `Unmatched end tag at byte offset 4, expected "</b>", found "</i>"`},
		{"HTML", "<b>x", "", fails + `Can't find end tag corresponding to start tag "b"`},

		{"Markdown", "*b* _i_ `c` [l](https://e.com) \\*", "b i c l *", ""},
		{"Markdown", "```\ncode * _\n```", "\ncode * _\n", ""},
		{"Markdown", "a _it", "", fails + "Can't find end of the entity starting at byte offset 2"},
		{"Markdown", "*bold", "", fails + "Can't find end of the entity starting at byte offset 0"},
		{"Markdown", "snake_case", "", fails + "Can't find end of the entity starting at byte offset 5"},

		{"MarkdownV2", `\\\a\b\1\_\*`, `\ab1_*`, ""},
		{"MarkdownV2", "_a *b* __c___ ~d~ ||e||", "a b c d e", ""},
		{"MarkdownV2", "🏟 🏟__🏟 _🏟_ __", "🏟 🏟🏟 🏟 ", ""},
		{"MarkdownV2", "```go\nx := `1`\n```", "x := 1\n", ""},
		{"MarkdownV2", "🏟 🏟```🏟 🏟```", "🏟 🏟 🏟", ""},
		{"MarkdownV2", `[telegram\.org](https://telegram.dog?\\\()!`, "", fails + `Character '!' is reserved and must be escaped with the preceding '\'`},
		{"MarkdownV2", `[telegram\.org](https://telegram.dog?\\\()`, "telegram.org", ""},
		{"MarkdownV2", ">a\n>b||\nc", "a\nb\nc", ""},
		{"MarkdownV2", ">asd\n>q||e||w||\nasdad", "asd\nqew\nasdad", ""},
		{"MarkdownV2", ">*b\n>ld \n>bo\n>ld*\nasd", "b\nld \nbo\nld\nasd", ""},
		{"MarkdownV2", ">\n**>2", "\n2", ""},
		{"MarkdownV2", ">*b\n>ld \n>bo\nld*\nasd\ndef", "", fails + "Can't find end of Bold entity at byte offset 1"},
		{"MarkdownV2", ">\n*a*>2", "", fails + `Character '>' is reserved and must be escaped with the preceding '\'`},
		{"MarkdownV2", "🏟 🏟_abacaba", "", fails + "Can't find end of Italic entity at byte offset 9"},
		{"MarkdownV2", "🏟 🏟_abac * asd _", "", fails + "Can't find end of Italic entity at byte offset 21"},
		{"MarkdownV2", "🏟 🏟__🏟 _🏟___", "", fails + "Can't find end of Italic entity at byte offset 23"},
		{"MarkdownV2", "🏟 🏟```🏟 🏟`", "", fails + "Can't find end of Code entity at byte offset 21"},
		{"MarkdownV2", "🏟 🏟```a ", "", fails + "Can't find end of PreCode entity at byte offset 9"},
		{"MarkdownV2", `🏟 🏟||test\|`, "", fails + "Can't find end of Spoiler entity at byte offset 9"},
		{"MarkdownV2", "[telegram\\.org](asd", "", fails + "Can't find end of a URL at byte offset 16"},
		{"MarkdownV2", "🏟 🏟![👍]", "", fails + "Custom emoji entity must contain a tg://emoji URL"},
		{"MarkdownV2", "1.5", "", fails + `Character '.' is reserved and must be escaped with the preceding '\'`},

		{"BBCode", "x", "", "unsupported parse_mode"},
	} {
		seen, err := parse(c.text, c.mode)
		message := ""
		if err != nil {
			message = err.Error()
		}
		if seen != c.seen || message != c.err {
			t.Errorf("%s %q: %q, %q; want %q, %q", c.mode, c.text, seen, message, c.seen, c.err)
		}
	}
}
