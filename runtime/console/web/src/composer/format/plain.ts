// The delivery worker's fallback when Telegram can't parse the markup: the text without it, as well as can be told.
import type { ParseMode } from '@/api/types'

export function plainText(text: string, mode: ParseMode): string {
  switch (mode) {
    case 'HTML':
      return unescape(stripTags(text))
    case 'Markdown':
      return text.replace(/\\([_*`[])/g, '$1')
    case 'MarkdownV2':
      return text.replace(/\\([!-/:-@[-`{-~])/g, '$1')
    case '':
      return text
  }
}

const breaks = /^(p|div|li|tr|h[1-6])$/

function stripTags(text: string): string {
  return text
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/<(\/?)([a-z][a-z0-9-]*)(?:\s(?:"[^"]*"|'[^']*'|[^>"'])*)?\/?>/gi, (_, close: string, tag: string) => {
      const name = tag.toLowerCase()
      return name === 'br' || (close && breaks.test(name)) ? '\n' : ''
    })
}

const named: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'", nbsp: '\u00a0' }

const unescape = (text: string) =>
  text.replace(/&(?:(lt|gt|amp|quot|apos|nbsp)|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi, (all, name, dec, hex) => {
    if (name) return named[String(name).toLowerCase()] ?? all
    const code = dec ? Number(dec) : Number.parseInt(String(hex), 16)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all
  })
