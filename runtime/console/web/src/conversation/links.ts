// Addresses in plain text. Only http and https: whatever else looks like an address stays text.

export type Piece = { text: string } | { text: string; url: string }

const address = /\bhttps?:\/\/[^\s<>"'`{}|\\^]+/gi
const closing: Record<string, string> = { ')': '(', ']': '[' }

/** A text in pieces, those that are addresses with where they lead. */
export function linkPieces(text: string): Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const m of text.matchAll(address)) {
    const shown = trim(m[0])
    if (!safeURL(shown)) continue
    if (m.index > end) pieces.push({ text: text.slice(end, m.index) })
    pieces.push({ text: shown, url: shown })
    end = m.index + shown.length
  }
  if (end < text.length) pieces.push({ text: text.slice(end) })
  return pieces
}

/** What ends a sentence, or closes a bracket that was opened before the address, is not part of it. */
function trim(s: string): string {
  for (;;) {
    const last = s.at(-1) ?? ''
    if (/[.,:;!?…*_~]/.test(last)) s = s.slice(0, -1)
    else if (closing[last] && count(s, last) > count(s, closing[last])) s = s.slice(0, -1)
    else return s
  }
}

const count = (s: string, c: string) => s.split(c).length - 1

/** An address that may be linked to, or nothing. */
export function safeURL(s: string | undefined): string | undefined {
  if (!s || !/^https?:\/\//i.test(s)) return undefined
  try {
    return new URL(s).host ? s : undefined
  } catch {
    return undefined
  }
}
