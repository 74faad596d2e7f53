import { Outside } from '@/conversation/text'
import { linkPieces, safeURL } from '@/conversation/links'
import type { Entity, Node } from './format/tree'

/** What Telegram makes of a text, as elements. Nothing of it is ever taken for HTML. */
export function Formatted({ nodes, bare }: { nodes: Node[]; bare?: boolean }) {
  return nodes.map((n, i) =>
    typeof n !== 'string' ? (
      <Element key={i} entity={n} />
    ) : bare ? (
      n
    ) : (
      linkPieces(n).map((p, k) => ('url' in p ? <Outside key={`${i}.${k}`} url={p.url} text={p.text} /> : p.text))
    ),
  )
}

function Element({ entity: e }: { entity: Entity }) {
  const inside = <Formatted nodes={e.children} bare={e.kind === 'code' || e.kind === 'pre' || e.kind === 'link'} />
  switch (e.kind) {
    case 'bold':
      return <strong>{inside}</strong>
    case 'italic':
      return <em>{inside}</em>
    case 'underline':
      return <u>{inside}</u>
    case 'strike':
      return <s>{inside}</s>
    case 'spoiler':
      return <span className="fmt-spoiler">{inside}</span>
    case 'code':
      return <code className="fmt-code">{inside}</code>
    case 'pre':
      return <pre className="fmt-pre">{inside}</pre>
    case 'quote':
      return <blockquote className="fmt-quote">{inside}</blockquote>
    case 'link': {
      const url = safeURL(e.href)
      // tg:, mailto: and whatever else Telegram may open is only shown as a link here
      return url ? (
        <a href={url} target="_blank" rel="noopener noreferrer nofollow">
          {inside}
        </a>
      ) : (
        <span className="fmt-link">{inside}</span>
      )
    }
    case 'emoji':
    case 'time':
      return inside
  }
}
