// Telegram's MarkdownV2: entities nest, and whatever else could be a mark has to be escaped.
import { Builder, byteOffset, MarkupError, type Entity, type EntityKind, type Node } from './tree'

interface Open {
  /** Telegram's name for it, as its errors have it. */
  name: string
  end: string
  begin: number
  entity: Entity
}

const quote = 'BlockQuote'
const isCode = (o: Open | undefined) => o !== undefined && /^(Code|Pre|PreCode)$/.test(o.name)
const isBreak = (c: string | undefined) => c === '\n' || c === '\r'

/** Marks by how they begin; longer ones first. */
const marks: [mark: string, name: string, kind: EntityKind, end: string][] = [
  ['`', 'Code', 'code', '`'],
  ['__', 'Underline', 'underline', '__'],
  ['_', 'Italic', 'italic', '_'],
  ['*', 'Bold', 'bold', '*'],
  ['~', 'Strikethrough', 'strike', '~'],
  ['||', 'Spoiler', 'spoiler', '||'],
  ['![', 'CustomEmoji', 'emoji', ']'],
  ['[', 'TextUrl', 'link', ']'],
]

export function parseMarkdownV2(text: string): Node[] {
  return new Reader(text).read()
}

class Reader {
  private at = 0
  private readonly out = new Builder()
  private readonly open: Open[] = []
  /** Whether ">" begins a quote here: nothing was seen of the line yet. */
  private quotable = true

  constructor(private readonly text: string) {}

  read(): Node[] {
    while (this.at < this.text.length) this.step()
    if (this.top?.name === quote) this.pop()
    if (this.top) this.unended(this.top)
    return this.out.done()
  }

  private get top() {
    return this.open.at(-1)
  }

  private unended(o: Open): never {
    throw new MarkupError(`Can't find end of ${o.name} entity at byte offset ${byteOffset(this.text, o.begin)}`)
  }

  private push(name: string, kind: EntityKind, mark: string, end: string, more?: Partial<Entity>) {
    const entity = this.out.begin({ kind, ...more })
    this.open.push({ name, end, begin: this.at, entity })
    this.at += mark.length
  }

  private pop() {
    this.open.pop()
    this.out.end()
  }

  private show(s: string) {
    this.out.text(s)
    this.quotable = false
  }

  private has(s: string, from = this.at) {
    return this.text.startsWith(s, from)
  }

  private step() {
    const c = this.text[this.at] as string
    const after = this.text[this.at + 1]
    const top = this.top
    if (c === '\\' && after !== undefined && after > '\0' && after <= '~') {
      this.show(after)
      this.at += 2
      return
    }
    // two underscores are never the end of an italic stretch
    if (top?.end && this.has(top.end) && !(top.name === 'Italic' && this.has('__'))) return this.end(top)
    if (isCode(top)) {
      if (c === '`') return this.push('Code', 'code', '`', '`') // in a block, a single one begins code
      this.show(c)
      this.at++
      return
    }
    if (isBreak(c)) return this.line()
    if (c === '>' && this.quotable) {
      if (this.inQuote()) this.at++
      else this.push(quote, 'quote', '>', '')
      return
    }
    const beyond = this.text[this.at + 2]
    if (this.has('||') && top?.name === quote && (beyond === undefined || isBreak(beyond))) {
      this.at += 2 // the quote can be expanded
      return
    }
    this.begin(c)
  }

  private inQuote() {
    return this.open.some((o) => o.name === quote)
  }

  /** Ends a line, and a quote that the next one does not go on with. */
  private line() {
    const c = this.text[this.at++] as string
    const goesOn = this.has('>') || (c === '\r' && this.has('\n'))
    if (this.inQuote() && !goesOn) {
      const top = this.top as Open
      if (top.name !== quote) this.unended(top)
      this.pop()
    }
    this.show(c)
    this.quotable = true
  }

  private begin(c: string) {
    if (this.has('```')) return this.beginPre()
    for (const [mark, name, kind, end] of marks) if (this.has(mark)) return this.push(name, kind, mark, end)
    if (']()>#+-=|{}.!'.includes(c))
      throw new MarkupError(`Character '${c}' is reserved and must be escaped with the preceding '\\'`)
    this.show(c)
    this.at++
  }

  /** A block of code, whose language is the word up to a space. */
  private beginPre() {
    const after = this.text.slice(this.at + 3)
    const n = after.search(/[ \t\r\n`]/)
    const language = n > 0 && after[n] !== '`' ? after.slice(0, n) : ''
    if (language) this.push('PreCode', 'pre', '```', '```', { language })
    else this.push('Pre', 'pre', '```', '```')
    this.at += language.length
    if (this.has('\r\n') || this.has('\n\r')) this.at += 2
    else if (isBreak(this.text[this.at])) this.at++
  }

  /** Ends an entity, and reads the address that a link's end may carry. */
  private end(o: Open) {
    this.pop()
    this.at += o.end.length
    if (o.end !== ']') return
    const emoji = o.name === 'CustomEmoji'
    if (!this.has('(')) {
      if (emoji) throw new MarkupError('Custom emoji entity must contain a tg://emoji URL')
      o.entity.href = textOf(o.entity)
      return
    }
    const begin = this.at + 1
    let href = ''
    for (this.at++; this.at < this.text.length; this.at++) {
      const c = this.text[this.at] as string
      if (c === '\\') href += this.text[++this.at] ?? ''
      else if (c === ')') {
        this.at++
        if (!emoji) o.entity.href = href
        return
      } else href += c
    }
    throw new MarkupError(
      `Can't find end of ${emoji ? 'a custom emoji URL' : 'a URL'} at byte offset ${byteOffset(this.text, begin)}`,
    )
  }
}

const textOf = (e: Entity): string => e.children.map((n) => (typeof n === 'string' ? n : textOf(n))).join('')
