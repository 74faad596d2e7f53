import { memo } from 'react'
import { linkPieces } from './links'

/** What somebody wrote: text as it is, with its addresses made links. */
export const Text = memo(function Text({ text }: { text: string }) {
  return linkPieces(text).map((p, i) => ('url' in p ? <Outside key={i} url={p.url} text={p.text} /> : p.text))
})

/** A link out of the console that tells the other side nothing. */
export const Outside = ({ url, text }: { url: string; text: string }) => (
  <a href={url} target="_blank" rel="noopener noreferrer nofollow">
    {text}
  </a>
)
