import { describe, expect, it } from 'vitest'
import type { ParseMode } from '@/api/types'
import { parse } from '.'
import { parseHTML } from './html'
import { parseMarkdown } from './markdown'
import { parseMarkdownV2 } from './markdownv2'
import { mayFormat } from './may'
import { plainText } from './plain'
import { seen, type Node } from './tree'

/** A tree as one line: kind(children). */
const show = (nodes: Node[]): string =>
  nodes
    .map((n) => {
      if (typeof n === 'string') return n
      const more = [n.href, n.language].filter((x) => x !== undefined).map((x) => '=' + x)
      return `${n.kind}${more.join('')}(${show(n.children)})`
    })
    .join('')

describe('HTML', () => {
  it.each([
    ['plain', 'plain'],
    ['<b>a <i>b</i></b> &lt;x&gt; &amp &quot;&#65;&#x42; &nbsp; &', 'bold(a italic(b)) <x> & "AB &nbsp; &'],
    ['<strong>1</strong><em>2</em><u>3</u><ins>4</ins>', 'bold(1)italic(2)underline(3)underline(4)'],
    ['<s>1</s><strike>2</strike><del>3</del>', 'strike(1)strike(2)strike(3)'],
    ['<a href="https://x.example/?a=1&amp;b=2">l</a>', 'link=https://x.example/?a=1&b=2(l)'],
    ["<a href='javascript:alert(1)'>l</a>", 'link=javascript:alert(1)(l)'],
    ['<pre><code class="language-go">c</code></pre>', 'pre(code=go(c))'],
    ['<span class="tg-spoiler">s</span><tg-spoiler>t</tg-spoiler>', 'spoiler(s)spoiler(t)'],
    ['<tg-emoji emoji-id="5">👍</tg-emoji><B>x</b >', 'emoji(👍)bold(x)'],
    ['<blockquote expandable>q</blockquote>', 'quote(q)'],
    ['<b></b>x<i><u></u></i>', 'x'],
    ['<b>x</>', 'bold(x)'],
    ['Press <b>both</b> buttons & wait', 'Press bold(both) buttons & wait'],
  ])('%s', (text, want) => expect(show(parseHTML(text))).toBe(want))

  it.each([
    ['<br>', 'Unsupported start tag "br" at byte offset 0'],
    ['<script>alert(1)</script>', 'Unsupported start tag "script" at byte offset 0'],
    ['<img src=x onerror="alert(1)">', 'Unsupported start tag "img" at byte offset 0'],
    ['<constructor>', 'Unsupported start tag "constructor" at byte offset 0'],
    ['a < b', 'Unsupported start tag "" at byte offset 2'],
    ['ä😀<x>', 'Unsupported start tag "x" at byte offset 6'],
    ['x <b', 'Unclosed start tag at byte offset 2'],
    ['<', 'Unclosed start tag at byte offset 0'],
    ['<a href', 'Unclosed start tag "a" at byte offset 0'],
    ['<a href="x"', 'Unclosed start tag at byte offset 0'],
    ['<a href="x', 'Unclosed start tag at byte offset 0'],
    ['<a ="x">y</a>', 'Empty attribute name in the tag "a" at byte offset 0'],
    ['<a href=x/>y</a>', 'Unexpected end of name token at byte offset 8'],
    ['<span>x</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'],
    ['x</b>', 'Unexpected end tag at byte offset 1'],
    ['<b>x</b', 'Unclosed end tag at byte offset 4'],
    ['<b>x</i>', 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'],
    ['<b>x', `Can't find end tag corresponding to start tag "b"`],
  ])('%s is refused', (text, want) => expect(() => parseHTML(text)).toThrow(want))
})

describe('Markdown', () => {
  it.each([
    ['*b* _i_ `c` [l](https://e.example) \\* \\x', 'bold(b) italic(i) code(c) link=https://e.example(l) * \\x'],
    ['```\ncode * _\n```', 'pre(code * _\n)'],
    ['```go\nx\n```', 'pre=go(x\n)'],
    ['*a _b*_', 'bold(a _b)', "Can't find end of the entity starting at byte offset 6"],
    ['[only text] here', 'only text here'],
    ['**', ''],
  ])('%s', (text, want, error?: string) => {
    if (error) expect(() => parseMarkdown(text)).toThrow(error)
    else expect(show(parseMarkdown(text))).toBe(want)
  })

  it.each([
    ['a _it', "Can't find end of the entity starting at byte offset 2"],
    ['*bold', "Can't find end of the entity starting at byte offset 0"],
    ['snake_case', "Can't find end of the entity starting at byte offset 5"],
    ['[x](https://e.example', "Can't find end of the entity starting at byte offset 0"],
    ['```x', "Can't find end of the entity starting at byte offset 0"],
  ])('%s is refused', (text, want) => expect(() => parseMarkdown(text)).toThrow(want))
})

describe('MarkdownV2', () => {
  it.each([
    ['\\\\\\a\\b\\1\\_\\*', '\\ab1_*'],
    ['_a *b* __c___ ~d~ ||e||', 'italic(a bold(b) underline(c)) strike(d) spoiler(e)'],
    ['🏟 🏟__🏟 _🏟_ __', '🏟 🏟underline(🏟 italic(🏟) )'],
    ['```go\nx := `1`\n```', 'pre=go(x := code(1)\n)'],
    ['```\nplain\n```', 'pre(plain\n)'],
    ['`a*b`', 'code(a*b)'],
    ['[telegram\\.org](https://telegram.dog?\\\\\\()', 'link=https://telegram.dog?\\((telegram.org)'],
    ['>a\n>b||\nc', 'quote(a\nb)\nc'],
    ['>asd\n>q||e||w||\nasdad', 'quote(asd\nqspoiler(e)w)\nasdad'],
    ['>*b\n>ld*\nasd', 'quote(bold(b\nld))\nasd'],
    ['![👍](tg://emoji?id=5368324170671202286)', 'emoji(👍)'],
  ])('%s', (text, want) => expect(show(parseMarkdownV2(text))).toBe(want))

  it.each([
    ['1.5', "Character '.' is reserved and must be escaped with the preceding '\\'"],
    ['[l](https://a.example)!', "Character '!' is reserved and must be escaped with the preceding '\\'"],
    ['>\n*a*>2', "Character '>' is reserved and must be escaped with the preceding '\\'"],
    ['>*b\n>ld \n>bo\nld*\nasd\ndef', "Can't find end of Bold entity at byte offset 1"],
    ['🏟 🏟_abacaba', "Can't find end of Italic entity at byte offset 9"],
    ['🏟 🏟_abac * asd _', "Can't find end of Italic entity at byte offset 21"],
    ['🏟 🏟```🏟 🏟`', "Can't find end of Code entity at byte offset 21"],
    ['🏟 🏟```a ', "Can't find end of PreCode entity at byte offset 9"],
    ['🏟 🏟||test\\|', "Can't find end of Spoiler entity at byte offset 9"],
    ['[telegram\\.org](asd', "Can't find end of a URL at byte offset 16"],
    ['🏟 🏟![👍]', 'Custom emoji entity must contain a tg://emoji URL'],
    ['*', "Can't find end of Bold entity at byte offset 0"],
  ])('%s is refused', (text, want) => expect(() => parseMarkdownV2(text)).toThrow(want))
})

describe('plainText', () => {
  it.each<[ParseMode, string, string]>([
    ['HTML', 'a<br>b <p>c</p>d', 'a\nb c\nd'],
    ['HTML', '<b>x</i> &amp; 1 < 2', 'x & 1 < 2'],
    ['HTML', '<a href="x>y">z</a><!-- c -->', 'z'],
    ['Markdown', 'snake_case \\*', 'snake_case *'],
    ['MarkdownV2', '1\\.5 *x', '1.5 *x'],
    ['', '<b>', '<b>'],
  ])('%s: %s', (mode, text, want) => expect(plainText(text, mode)).toBe(want))
})

describe('parse', () => {
  it('gives what goes out instead when Telegram refuses', () =>
    expect(parse('<b>x', 'HTML')).toEqual({
      nodes: ['x'],
      error: `Can't find end tag corresponding to start tag "b"`,
      formatted: true,
    }))
  it.each<[ParseMode, string, boolean]>([
    ['', '<b>x</b>', false],
    ['HTML', 'x', false],
    ['HTML', '&lt;', true],
    ['HTML', 'Q&A', false],
    ['MarkdownV2', 'a\\.', true],
  ])('%s: %s looks other than written: %s', (mode, text, want) => expect(parse(text, mode).formatted).toBe(want))

  // whatever is typed: it ends, and what may be formatted is never missed
  it('takes anything', () => {
    const alphabet = [
      '<',
      '>',
      'b',
      '/',
      '&',
      '"',
      '=',
      ' ',
      '*',
      '_',
      '`',
      '[',
      ']',
      '(',
      ')',
      '\\',
      '|',
      '~',
      '!',
      '\n',
      '😀',
    ]
    let seed = 42
    const random = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31
    const missed: string[] = [] // asserting each of thousands is what would take long
    for (let n = 0; n < 3000; n++) {
      const text = Array.from(
        { length: 1 + Math.floor(random() * 14) },
        () => alphabet[Math.floor(random() * alphabet.length)],
      ).join('')
      for (const mode of ['HTML', 'Markdown', 'MarkdownV2'] as const) {
        const p = parse(text, mode)
        if (typeof seen(p.nodes) !== 'string' || (p.formatted && !mayFormat(text, mode)))
          missed.push(mode + ': ' + text)
      }
    }
    expect(missed).toEqual([])
  })
})
