export type Piece = { text: string } | { name: string }

/** Takes a text apart at its placeholders, so that elements can stand in their places. */
export function split(text: string): Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const match of text.matchAll(/\{(\w+)\}/g)) {
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) })
    pieces.push({ name: match[1] as string })
    end = match.index + match[0].length
  }
  if (end < text.length) pieces.push({ text: text.slice(end) })
  return pieces
}
