// A small typed catalogue: keys are checked by the compiler, plurals and formats are Intl's. A library would
// bring interpolation, loading and caching that two flat files have no use for, and 15 KB to the first view.
import { first, type English } from './en'

/** A text, or its plural forms, chosen by the variable n. */
export type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>
export type MessageKey = keyof English
export type Catalogue = Partial<Record<MessageKey, Text>>
export type Vars = Record<string, string | number>

/** Languages and how to load them; to add one, translate en/*.ts and name it here. */
export const languages: Record<string, { name: string; load?: () => Promise<Catalogue> }> = {
  en: { name: 'English' },
  de: { name: 'Deutsch', load: () => import('./de').then((m) => m.de) },
}

const stored = 'socialops.language'

let locale = 'en'
let english: Catalogue = first
let catalogue: Catalogue = {}
let plural: Intl.PluralRules | undefined // made when it is wanted, as that takes a while
const listeners = new Set<() => void>()

/** The language of the texts. */
export const language = () => locale
export const onLanguage = (f: () => void) => {
  listeners.add(f)
  return () => void listeners.delete(f)
}

export function preferredLanguage(
  saved = localStorage.getItem(stored),
  wanted: readonly string[] = navigator.languages,
) {
  for (const tag of [saved, ...wanted]) {
    const short = tag?.split('-')[0]
    if (short && short in languages) return short
  }
  return 'en'
}

export async function setLanguage(tag: string, remember = true) {
  catalogue = (await languages[tag]?.load?.()) ?? {}
  locale = tag
  plural = undefined
  document.documentElement.lang = tag
  if (remember) localStorage.setItem(stored, tag)
  listeners.forEach((f) => f())
}

/** Texts that come later than the first view. */
export const addEnglish = (more: Catalogue) => void (english = { ...english, ...more })

/** The text of a key, with {name} replaced by vars.name; vars.n chooses the plural form. */
export function t(key: MessageKey, vars?: Vars): string {
  const found: Text = catalogue[key] ?? english[key] ?? key
  const text = typeof found === 'string' ? found : (found[form(Number(vars?.n ?? 0))] ?? found.other ?? key)
  if (!vars) return text
  return text.replace(/\{(\w+)\}/g, (all, name: string) => {
    const v = vars[name]
    return v === undefined ? all : typeof v === 'number' ? digits(v) : v
  })
}

const form = (n: number) => (plural ??= new Intl.PluralRules(locale)).select(n)
const digits = (n: number) => (Number.isInteger(n) && n >= 0 && n < 1000 ? String(n) : n.toLocaleString(regional()))

/** Formats follow the reader's region where it speaks the page's language: en-GB dates for a British reader. */
export function regional() {
  return globalThis.navigator?.languages.find((l) => l.split('-')[0] === locale) ?? locale // tests have none
}
