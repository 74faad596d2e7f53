import type { CannedText } from '@/api/types'
import type { MessageKey } from '@/i18n'

export const nameLimit = 60 // characters
export const textLimit = 64 * 1024 // bytes, as of a reply

export const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/** Texts that have every word that is looked for, by name. */
export function find(texts: CannedText[], search: string): CannedText[] {
  const words = fold(search).split(/\s+/).filter(Boolean)
  return texts
    .filter((text) => {
      const all = fold(`${text.name}\n${text.text}`)
      return words.every((word) => all.includes(word))
    })
    .sort((a, b) => a.name.localeCompare(b.name))
}

// Without case and marks, so that "losung" finds "Lösung".
const fold = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase()

export function nameProblem(name: string, others: CannedText[]): MessageKey | undefined {
  const trimmed = name.trim()
  if (!trimmed) return 'canned.name.missing'
  if ([...trimmed].length > nameLimit) return 'canned.name.long'
  return others.some((o) => o.name === trimmed) ? 'canned.name.taken' : undefined
}

export function textProblem(text: string): MessageKey | undefined {
  if (!text.trim()) return 'canned.text.missing'
  return bytesOf(text) > textLimit ? 'canned.text.long' : undefined
}
