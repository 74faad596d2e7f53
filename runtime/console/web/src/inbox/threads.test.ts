import { describe, expect, it } from 'vitest'
import type { Message } from '@/api/types'
import { thread } from './fixtures'
import { Threads } from './threads'

const message = (seq: number, o: Partial<Message> = {}) =>
  ({ id: 'm' + seq, thread_id: thread(1).id, seq, text: 'text ' + seq, ...o }) as Message
const { id } = thread(1)

describe('Threads', () => {
  it('shows a change before the server has it, and what the server said after', () => {
    const s = new Threads()
    s.put(thread(1))
    const off = s.lay(id, { status: 'resolved', assignee: null })
    expect(s.get(id)?.status).toBe('resolved')
    s.put(thread(1, { priority: 'high' }))
    expect(s.get(id)).toMatchObject({ status: 'resolved', priority: 'high' })
    off()
    expect(s.get(id)?.status).toBe('open')
    off()
    expect(s.get(id)?.status).toBe('open')
  })

  it('keeps changes apart: the one that fails takes only itself back', () => {
    const s = new Threads()
    s.put(thread(1))
    const first = s.lay(id, { priority: 'urgent' })
    s.lay(id, { status: 'pending' })
    first()
    expect(s.get(id)).toMatchObject({ priority: 'normal', status: 'pending' })
  })

  it('takes away whose it was', () => {
    const s = new Threads()
    s.put(thread(1, { assignee: { id: 'soag_1', subject: 'alice', name: 'Alice' } }))
    const off = s.lay(id, { assignee: null })
    expect(s.get(id)?.assignee).toBeUndefined()
    off()
    expect(s.get(id)?.assignee?.id).toBe('soag_1')
  })

  it.each<[string, Message[], string]>([
    ['the newest message is shown', [message(1), message(2)], 'text 2'],
    ['one that comes late is not', [message(2), message(1)], 'text 2'],
    ['an edit of the newest is', [message(2), message(2, { text: 'edited' })], 'edited'],
  ])('%s', (_, messages, want) => {
    const s = new Threads()
    s.put(thread(1))
    messages.forEach((m) => s.hearMessage(m))
    expect(s.get(id)?.last_message?.text).toBe(want)
  })

  it('takes what the server said of a part, and nothing that is on its way', () => {
    const s = new Threads()
    s.put(thread(1, { unread_count: 2 }))
    const off = s.lay(id, { status: 'resolved' })
    s.amend(id, { unread_count: 0 })
    expect(s.get(id)).toMatchObject({ status: 'resolved', unread_count: 0 })
    expect(s.said(id)).toMatchObject({ status: 'open', unread_count: 0 })
    off()
    expect(s.get(id)).toMatchObject({ status: 'open', unread_count: 0 })
  })

  it('keeps the last message when a thread comes without', () => {
    const s = new Threads()
    s.put(thread(1, { last_message: message(1) }))
    s.put(thread(1, { status: 'pending' }))
    expect(s.get(id)?.last_message?.text).toBe('text 1')
  })

  it('forgets what nobody shows', () => {
    const s = new Threads()
    for (const n of [1, 2, 3, 4]) s.put(thread(n))
    s.subscribe(thread(2).id, () => {})
    s.lay(thread(3).id, { status: 'resolved' })
    s.sweep((x) => x === thread(4).id)
    expect([1, 2, 3, 4].map((n) => s.get(thread(n).id) !== undefined)).toEqual([false, true, true, true])
  })

  it('tells those that look, and only those', () => {
    const s = new Threads()
    s.put(thread(1))
    s.put(thread(2))
    let told = 0
    const off = s.subscribe(id, () => told++)
    s.put(thread(2, { status: 'pending' }))
    s.put(thread(1, { status: 'pending' }))
    off()
    s.put(thread(1))
    expect(told).toBe(1)
  })

  it('takes an answer, unless the stream told more since it was asked', () => {
    const s = new Threads()
    const asked = performance.now()
    expect(s.answer(thread(1), asked)).toBe(true)
    s.hear(thread(1, { status: 'resolved' }))
    s.hearMessage(message(1))
    expect(s.answer(thread(1, { last_message: message(0) }), asked)).toBe(true)
    expect(s.get(id)).toMatchObject({ status: 'resolved', last_message: { seq: 1 } })
    expect(s.answer(thread(1, { priority: 'high' }), performance.now() + 1)).toBe(true)
    expect(s.get(id)).toMatchObject({ status: 'open', priority: 'high' })
    s.hearGone(id)
    expect(s.answer(thread(1), asked)).toBe(false)
    expect(s.get(id)).toBeUndefined()
  })
})
