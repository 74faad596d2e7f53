import { describe, expect, it } from 'vitest'
import { preferredLanguage, t } from '.'
import { de } from './de'
import { admin } from './en/admin'
import { common } from './en/common'
import { conversation } from './en/conversation'

const en = { ...common, ...conversation, ...admin }

const names = (text: unknown) =>
  [...JSON.stringify(text).matchAll(/\{(\w+)\}/g)]
    .map((m) => m[1] as string)
    .filter((v, i, a) => a.indexOf(v) === i)
    .sort()

describe('catalogues', () => {
  it('German has every text', () => {
    expect(Object.keys(en).filter((k) => !(k in de))).toEqual([])
  })
  it('German uses the same variables', () => {
    const other = Object.entries(de).filter(([k, v]) => names(v).join() !== names(en[k as keyof typeof en]).join())
    expect(other.map(([k]) => k)).toEqual([])
  })
})

describe('t', () => {
  it('chooses the plural form', () => {
    expect(t('list.selected', { n: 1 })).toBe('1 selected')
    expect(t('list.new', { n: 1 })).toBe('1 new conversation')
    expect(t('list.new', { n: 3 })).toBe('3 new conversations')
  })
})

describe('preferredLanguage', () => {
  it.each([
    [null, ['de-AT', 'en'], 'de'],
    ['en', ['de'], 'en'],
    [null, ['fr', 'de'], 'de'],
    ['xx', ['fr'], 'en'],
  ])('%s, %s: %s', (saved, wanted, want) => expect(preferredLanguage(saved, wanted)).toBe(want))
})
