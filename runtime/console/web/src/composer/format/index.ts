// What a reply will look like at Telegram. No library: those there are turn CommonMark into MarkdownV2 or entities
// into text, and none says what the Bot API would refuse, and why.
import type { ParseMode } from '@/api/types'
import { parseHTML } from './html'
import { parseMarkdown } from './markdown'
import { parseMarkdownV2 } from './markdownv2'
import { plainText } from './plain'
import { MarkupError, seen, type Node } from './tree'

export interface Parsed {
  nodes: Node[]
  /** Why Telegram refuses the markup; nodes are then what goes out instead. */
  error?: string
  /** Whether it looks other than it was written. */
  formatted: boolean
}

const parsers: Record<Exclude<ParseMode, ''>, (text: string) => Node[]> = {
  HTML: parseHTML,
  Markdown: parseMarkdown,
  MarkdownV2: parseMarkdownV2,
}

export function parse(text: string, mode: ParseMode): Parsed {
  if (!mode) return { nodes: text ? [text] : [], formatted: false }
  try {
    const nodes = parsers[mode](text)
    return { nodes, formatted: nodes.some((n) => typeof n !== 'string') || seen(nodes) !== text }
  } catch (e) {
    if (!(e instanceof MarkupError)) throw e
    return { nodes: [plainText(text, mode)], error: e.message, formatted: true }
  }
}
