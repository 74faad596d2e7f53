import { beforeEach, describe, expect, it, vi } from 'vitest'
import { draftID, Drafts, draftsKey, type Shelf } from './drafts'

class Memory implements Shelf {
  items = new Map<string, string>()
  full = false
  getItem = (k: string) => this.items.get(k) ?? null
  removeItem = (k: string) => void this.items.delete(k)
  setItem(k: string, v: string) {
    if (this.full) throw new Error('QuotaExceededError')
    this.items.set(k, v)
  }
}

let shelf: Memory
let now: number
const open = (who = 'alice') => {
  const d = new Drafts(shelf, () => now)
  d.use(who)
  return d
}

beforeEach(() => {
  shelf = new Memory()
  now = Date.parse('2026-11-26T00:00:00Z')
  vi.useRealTimers()
})

describe('drafts', () => {
  it('survive a reload, each kind of each conversation by itself', () => {
    const a = open()
    a.set('support/t1/reply', { text: 'half a sent' })
    a.set('support/t1/note', { text: 'a remark', parent: 'm1' })
    a.flush()
    const b = open()
    expect(b.get('support/t1/reply')?.text).toBe('half a sent')
    expect(b.get('support/t1/note')).toMatchObject({ text: 'a remark', parent: 'm1' })
    expect(b.get('support/t2/reply')).toBeUndefined()
  })

  it('are written a moment after the last key', () => {
    vi.useFakeTimers()
    const a = open()
    a.set('x', { text: 'h' })
    a.set('x', { text: 'hi' })
    expect(shelf.items.size).toBe(0)
    vi.advanceTimersByTime(300)
    expect(shelf.getItem(draftsKey)).toContain('"hi"')
  })

  it('tell an attempt at once, as the page may go', () => {
    vi.useFakeTimers()
    const a = open()
    a.set('x', { text: '', attempt: { key: 'k', text: 'sent' } })
    expect(open().get('x')?.attempt).toEqual({ key: 'k', text: 'sent' })
  })

  it('go when they are empty', () => {
    const a = open()
    a.set('x', { text: 'hi' })
    a.set('x', { text: '' })
    expect(a.get('x')).toBeUndefined()
    expect(shelf.items.size).toBe(0)
  })

  it('are nobody else’s', () => {
    const a = open()
    a.set('x', { text: 'a secret' })
    a.flush()
    const b = open('bob')
    expect(b.get('x')).toBeUndefined()
    a.use('bob')
    expect(a.get('x')).toBeUndefined()
  })

  it('are gone after signing out', () => {
    const a = open()
    a.set('x', { text: 'hi' })
    a.flush()
    a.clear()
    expect(a.get('x')).toBeUndefined()
    expect(shelf.items.size).toBe(0)
    expect(open().get('x')).toBeUndefined()
  })

  it('are bounded: the oldest go', () => {
    const a = open()
    for (let i = 0; i < 80; i++) a.set('t' + i, { text: 'text ' + i })
    a.flush()
    const b = open()
    expect(b.get('t0')).toBeUndefined()
    expect(b.get('t79')?.text).toBe('text 79')
    for (let i = 0; i < 20; i++) a.set('big' + i, { text: 'x'.repeat(50_000) })
    a.flush()
    expect((shelf.getItem(draftsKey) ?? '').length).toBeLessThan(500_000)
    expect(open().get('big19')?.text.length).toBe(50_000)
  })

  it('are forgotten after two months', () => {
    const a = open()
    a.set('x', { text: 'hi' })
    a.flush()
    now += 61 * 86_400_000
    expect(open().get('x')).toBeUndefined()
  })

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"who":"alice"}',
    '{"who":"alice","drafts":{"x":{"text":5}}}',
    '{"who":"alice","drafts":{"x":null}}',
  ])('bear what they find stored: %s', (stored) => {
    shelf.items.set(draftsKey, stored)
    expect(open().get('x')).toBeUndefined()
  })

  it('of two tabs are kept both, and what one sent is gone in the other', () => {
    const a = open()
    const b = open()
    a.set('x', { text: 'in the first' })
    a.flush()
    now++
    b.set('y', { text: 'in the second' })
    b.flush()
    expect(open().get('x')?.text).toBe('in the first')
    expect(open().get('y')?.text).toBe('in the second')
    expect(b.get('x')?.text).toBe('in the first')
    b.set('x', { text: '' })
    a.merge() // as its storage event has it
    expect(a.get('x')).toBeUndefined()
    expect(a.get('y')?.text).toBe('in the second')
  })

  it('being written are not taken away by another tab', () => {
    vi.useFakeTimers()
    const a = open()
    const b = open()
    a.set('x', { text: 'typing' })
    b.set('x', { text: 'older' })
    b.flush()
    a.merge()
    expect(a.get('x')?.text).toBe('typing')
    a.flush()
    expect(open().get('x')?.text).toBe('typing')
  })

  it('live as long as the page when nothing can be stored', () => {
    shelf.full = true
    const a = open()
    a.set('x', { text: 'hi' })
    a.flush()
    expect(a.get('x')?.text).toBe('hi')
  })

  it('tell who follows them', () => {
    const a = open()
    const told = vi.fn()
    const stop = a.subscribe(told)
    a.set('x', { text: 'hi' })
    stop()
    a.set('x', { text: 'ho' })
    expect(told).toHaveBeenCalledTimes(1)
  })
})

describe('draftID', () => {
  it('names alias, conversation and kind', () => expect(draftID('support', 't1', 'note')).toBe('support/t1/note'))
})
