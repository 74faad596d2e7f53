// What Telegram makes of a text in one of its parse modes: stretches of text, and entities that may hold others.

export type EntityKind =
  'bold' | 'italic' | 'underline' | 'strike' | 'spoiler' | 'code' | 'pre' | 'link' | 'quote' | 'emoji' | 'time'

export interface Entity {
  kind: EntityKind
  children: Node[]
  /** Of a link: as it was written. It may be anything. */
  href?: string
  /** Of a block of code. */
  language?: string
}

export type Node = string | Entity

/** Markup that Telegram refuses, in its own words. */
export class MarkupError extends Error {}

/** Gathers text and entities while a text is read. */
export class Builder {
  private readonly root: Node[] = []
  private readonly open: Entity[] = []

  private get top(): Node[] {
    return this.open.at(-1)?.children ?? this.root
  }

  text(s: string) {
    const top = this.top
    const last = top.length - 1
    if (typeof top[last] === 'string') top[last] += s
    else if (s) top.push(s)
  }

  begin(e: Omit<Entity, 'children'>): Entity {
    const entity: Entity = { ...e, children: [] }
    this.top.push(entity)
    this.open.push(entity)
    return entity
  }

  end() {
    this.open.pop()
  }

  /** Entities without text are none, as in Telegram. */
  done(): Node[] {
    return tidy(this.root)
  }
}

function tidy(nodes: Node[]): Node[] {
  const out: Node[] = []
  for (const n of nodes) {
    if (typeof n === 'string') {
      out.push(n)
      continue
    }
    const children = tidy(n.children)
    if (children.length) out.push({ ...n, children })
  }
  return out
}

/** What is seen of a text. */
export const seen = (nodes: Node[]): string => nodes.map((n) => (typeof n === 'string' ? n : seen(n.children))).join('')

/** Telegram counts places in a text in bytes. */
export const byteOffset = (text: string, at: number) => new TextEncoder().encode(text.slice(0, at)).length
