import { describe, expect, it } from 'vitest'
import type { AuditEntry, Message } from '@/api/types'
import { chunkOf, chunks, firstUnread, type Chunk } from './rows'
import { condense, trailLine } from './trail'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 5, 10, minute)).toISOString()

const message = (seq: number, minute: number, o: Partial<Message> = {}): Message => ({
  id: 'm' + seq,
  thread_id: 't',
  seq,
  direction: 'inbound',
  message_type: 'text',
  text: 'x',
  author: { kind: 'contact', id: 'c', name: 'Jane' },
  origin: 'theirs',
  attachments: [],
  created_at: at(minute),
  ...o,
})

const entry = (seq: number, minute: number, o: Partial<AuditEntry> = {}): AuditEntry => ({
  seq,
  at: at(minute),
  type: 'thread.updated',
  actor: 'agent:a',
  actor_name: 'Alice',
  changed: ['status'],
  status: 'resolved',
  ...o,
})

const show = (list: Chunk[]) =>
  list.flatMap((c) =>
    c.rows.map((r) =>
      r.kind === 'message'
        ? (r.lead ? '[' : '') + r.message.id + (r.tail ? ']' : '')
        : r.kind === 'trail'
          ? r.line.key
          : r.kind,
    ),
  )

const all = { complete: true }

describe('chunks', () => {
  it('groups what one person wrote in a go', () =>
    expect(show(chunks([message(1, 0), message(2, 2), message(3, 20)], [], all))).toEqual([
      'day',
      '[m1',
      'm2]',
      '[m3]',
    ]))

  it('parts by direction, day and what was not read', () => {
    const list = [
      message(1, 0),
      message(2, 1, { direction: 'outbound', author: { kind: 'agent', id: 'a', name: 'Alice' } }),
      message(3, 2),
      message(4, 3),
      message(5, 60 * 24 + 3),
    ]
    expect(show(chunks(list, [], { complete: true, unread: 'm4' }))).toEqual([
      'day',
      '[m1]',
      '[m2]',
      '[m3]',
      'unread',
      '[m4]',
      'day',
      '[m5]',
    ])
  })

  it('puts what people did where it happened, and leaves out what lies before what was read', () => {
    const list = [message(5, 10), message(6, 12)]
    const trail = [entry(9, 13), entry(8, 11, { changed: ['labels'] }), entry(7, 1)]
    expect(show(chunks(list, trail, { complete: false }))).toEqual([
      'day',
      '[m5]',
      'trail.labels',
      '[m6]',
      'trail.resolved',
    ])
    expect(show(chunks(list, trail, all))[0]).toBe('trail.resolved')
  })

  it('keeps its pieces when older ones are read', () => {
    const list = Array.from({ length: 100 }, (_, i) => message(i + 1, i))
    const late = chunks(list.slice(60), [], { complete: false })
    const whole = chunks(list, [], all)
    expect(whole.at(-1)?.sign).toBe(late.at(-1)?.sign)
    expect(whole.map((c) => c.key)).toEqual([0, 1, 2, 3])
    expect(chunkOf(100)).toBe(3)
  })

  it('has a new sign for what changed', () => {
    const list = [message(1, 0), message(2, 1)]
    const [before] = chunks(list, [], all)
    expect(chunks(list, [], all)[0]?.sign).toBe(before?.sign)
    expect(chunks([list[0] as Message, message(2, 1)], [], all)[0]?.sign).not.toBe(before?.sign)
  })
})

it.each([
  [0, undefined],
  [1, 'm3'],
  [2, 'm1'],
  [9, undefined],
])('firstUnread of %s', (n, want) =>
  expect(firstUnread([message(1, 0), message(2, 1, { direction: 'internal' }), message(3, 2)], n)).toBe(want),
)

describe('trail', () => {
  it.each<[Partial<AuditEntry>, string | undefined]>([
    [{}, 'trail.resolved'],
    [{ status: 'open' }, 'trail.open'],
    [{ status: undefined }, 'trail.status'],
    [{ changed: ['assignee'] }, 'trail.assigned'],
    [{ changed: ['status', 'labels'] }, 'trail.many'],
    [{ changed: ['unread'] }, undefined],
    [{ type: 'message.created' }, undefined],
    [{ type: 'raw.shown' }, 'trail.raw'],
    [{ type: 'action.updated', status: 'pending', changed: ['status'] }, 'trail.retried'],
    [{ type: 'action.updated', status: 'pending', changed: undefined }, undefined],
  ])('%o', (o, want) => expect(trailLine(entry(1, 0, o))?.key).toBe(want))

  it('says the same once', () => {
    const line = (seq: number, minute: number, actor = 'agent:a') =>
      trailLine(entry(seq, minute, { changed: ['labels'], actor }))
    const lines = [line(1, 0), line(2, 1), line(3, 2, 'agent:b'), line(4, 30, 'agent:b')].flatMap((l) => l ?? [])
    expect(condense(lines).map((l) => [l.seq, l.times])).toEqual([
      [1, 2],
      [3, undefined],
      [4, undefined],
    ])
  })
})
