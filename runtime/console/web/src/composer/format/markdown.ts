// Telegram's old Markdown, in which nothing nests.
import { Builder, byteOffset, MarkupError, type EntityKind, type Node } from './tree'

const marks: Record<string, EntityKind> = { _: 'italic', '*': 'bold', '`': 'code', '[': 'link' }

export function parseMarkdown(text: string): Node[] {
  const out = new Builder()
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string
    const next = text[i + 1]
    if (c === '\\' && next !== undefined && next in marks) {
      out.text(next)
      i++
      continue
    }
    let kind = marks[c]
    if (!kind) {
      out.text(c)
      continue
    }
    const begin = i
    let end = c === '[' ? ']' : c
    let mark = c
    if (text.startsWith('```', i)) {
      kind = 'pre'
      mark = end = '```'
    }
    const unended = (): never => {
      throw new MarkupError(`Can't find end of the entity starting at byte offset ${byteOffset(text, begin)}`)
    }
    const from = i + mark.length
    const to = text.indexOf(end, from)
    if (to < 0) unended()
    let inner = text.slice(from, to)
    i = to + end.length - 1
    if (kind === 'link') {
      if (text[i + 1] !== '(') {
        out.text(inner) // brackets without an address are dropped
        continue
      }
      const close = text.indexOf(')', i + 2)
      if (close < 0) unended()
      out.begin({ kind, href: text.slice(i + 2, close) })
      i = close
    } else if (kind === 'pre') {
      const language = /^([^\s`]+)(?=\s)/.exec(inner)?.[1]
      if (language) inner = inner.slice(language.length)
      inner = inner.replace(/^\r?\n/, '')
      out.begin({ kind, ...(language && { language }) })
    } else out.begin({ kind })
    out.text(inner)
    out.end()
  }
  return out.done()
}
