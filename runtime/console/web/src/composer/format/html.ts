// Telegram's HTML: few tags, strictly nested, four named references. Errors are in the Bot API's words.
import { Builder, byteOffset, MarkupError, type EntityKind, type Node } from './tree'

const kinds: Record<string, EntityKind> = {
  a: 'link',
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  s: 'strike',
  strike: 'strike',
  del: 'strike',
  u: 'underline',
  ins: 'underline',
  'tg-spoiler': 'spoiler',
  'tg-emoji': 'emoji',
  'tg-time': 'time',
  span: 'spoiler',
  pre: 'pre',
  code: 'code',
  blockquote: 'quote',
}

const isSpace = (c: string | undefined) => c === ' ' || c === '\t' || c === '\r' || c === '\n'

export function parseHTML(text: string): Node[] {
  return new Reader(text).read()
}

class Reader {
  private at = 0
  private readonly out = new Builder()
  private readonly open: string[] = []

  constructor(private readonly text: string) {}

  read(): Node[] {
    while (this.at < this.text.length) {
      const c = this.text[this.at]
      if (c === '&') this.reference()
      else if (c !== '<') this.plain()
      else if (this.text[this.at + 1] === '/') this.endTag()
      else this.startTag()
    }
    const last = this.open.at(-1)
    if (last !== undefined) throw new MarkupError(`Can't find end tag corresponding to start tag "${last}"`)
    return this.out.done()
  }

  private plain() {
    const rest = this.text.slice(this.at)
    const n = rest.search(/[<&]/)
    this.out.text(n < 0 ? rest : rest.slice(0, n))
    this.at += n < 0 ? rest.length : n
  }

  /** &lt; and its like; any other ampersand stands for itself. */
  private reference() {
    const ref = referenceAt(this.text.slice(this.at, this.at + 16))
    this.out.text(ref?.char ?? '&')
    this.at += ref?.length ?? 1
  }

  private skip(goOn: (c: string) => boolean): string {
    const from = this.at
    while (this.at < this.text.length && goOn(this.text[this.at] as string)) this.at++
    return this.text.slice(from, this.at)
  }

  private fail(what: string, at: number): never {
    throw new MarkupError(`${what} at byte offset ${byteOffset(this.text, at)}`)
  }

  private startTag() {
    const begin = this.at++
    const name = this.skip((c) => !isSpace(c) && c !== '>').toLowerCase()
    if (this.at >= this.text.length) this.fail('Unclosed start tag', begin)
    const kind = kinds[name]
    if (!kind || !Object.hasOwn(kinds, name)) this.fail(`Unsupported start tag "${name}"`, begin)
    const attributes = this.attributes(name, begin)
    if (name === 'span' && attributes.get('class') !== 'tg-spoiler')
      this.fail('Tag "span" must have class "tg-spoiler"', begin)
    const language = /^language-(.+)$/.exec(attributes.get('class') ?? '')?.[1]
    this.open.push(name)
    // code that alone fills a block only names the block's language
    this.out.begin({
      kind,
      ...(kind === 'link' && { href: attributes.get('href') ?? '' }),
      ...(name === 'code' && language && { language }),
    })
  }

  private attributes(name: string, begin: number) {
    const found = new Map<string, string>()
    while (this.text[this.at] !== '>') {
      this.skip(isSpace)
      if (this.text[this.at] === '>') break
      const attribute = this.skip((c) => !isSpace(c) && c !== '=' && c !== '>')
      if (!attribute) this.fail(`Empty attribute name in the tag "${name}"`, begin)
      this.skip(isSpace)
      if (this.text[this.at] !== '=') {
        if (this.at >= this.text.length) this.fail(`Unclosed start tag "${name}"`, begin)
        found.set(attribute.toLowerCase(), '')
        continue
      }
      this.at++
      this.skip(isSpace)
      const value = this.value()
      if (this.at >= this.text.length) this.fail('Unclosed start tag', begin)
      found.set(attribute.toLowerCase(), value)
    }
    this.at++
    return found
  }

  private value(): string {
    const begin = this.at
    const quote = this.text[this.at]
    if (quote !== '"' && quote !== "'") {
      const value = this.skip((c) => /[a-z0-9.-]/i.test(c))
      const next = this.text[this.at]
      if (next !== undefined && next !== '>' && !isSpace(next)) this.fail('Unexpected end of name token', begin)
      return value.toLowerCase()
    }
    this.at++
    const value = this.skip((c) => c !== quote)
    this.at++
    return unescapeHTML(value)
  }

  private endTag() {
    const begin = this.at
    const want = this.open.at(-1)
    if (want === undefined) this.fail('Unexpected end tag', begin)
    this.at += 2
    const name = this.skip((c) => !isSpace(c) && c !== '>').toLowerCase()
    this.skip(isSpace)
    if (this.text[this.at] !== '>') this.fail('Unclosed end tag', begin)
    this.at++
    if (name && name !== want)
      throw new MarkupError(
        `Unmatched end tag at byte offset ${byteOffset(this.text, begin)}, expected "</${want}>", found "</${name}>"`,
      )
    this.open.pop()
    this.out.end()
  }
}

const named: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"' }

function referenceAt(s: string): { char: string; length: number } | undefined {
  const m = /^&(?:(lt|gt|amp|quot)|#x([0-9a-f]{1,6})(?![0-9a-z])|#([0-9]{1,7})(?![0-9a-z]));?/i.exec(s)
  if (!m) return undefined
  if (m[1]) {
    const char = named[m[1]]
    return char === undefined ? undefined : { char, length: m[0].length }
  }
  const code = m[2] ? Number.parseInt(m[2], 16) : Number(m[3])
  return code > 0 && code <= 0x10ffff ? { char: String.fromCodePoint(code), length: m[0].length } : undefined
}

function unescapeHTML(s: string): string {
  return s.replace(/&[^;]{1,8};?/g, (all) => {
    const ref = referenceAt(all)
    return ref ? ref.char + all.slice(ref.length) : all
  })
}
