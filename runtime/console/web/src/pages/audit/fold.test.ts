import { describe, expect, it } from 'vitest'
import type { AuditEntry } from '@/api/types'
import { fold } from './fold'

const entry = (seq: number, over: Partial<AuditEntry>): AuditEntry => ({
  seq,
  at: '2026-11-25T12:00:00Z',
  type: 'message.created',
  actor: 'agent:soag_1',
  actor_name: 'Alice',
  thread_id: 'soth_1',
  ...over,
})
const written = (seq: number, over: Partial<AuditEntry> = {}) => entry(seq, { message_id: 'somsg_1', ...over })
const queued = (seq: number, over: Partial<AuditEntry> = {}) =>
  entry(seq, { type: 'action.updated', status: 'pending', message_id: 'somsg_1', ...over })

describe('fold', () => {
  it.each<[string, AuditEntry[], [number, boolean][]]>([
    ['a delivery and its message', [queued(2), written(1)], [[1, true]]],
    ['either order', [written(2), queued(1)], [[2, true]]],
    [
      'each pair for itself',
      [queued(4), written(3), queued(2), written(1)],
      [
        [3, true],
        [1, true],
      ],
    ],
    ['a note', [written(1)], [[1, false]]],
    [
      'another’s message',
      [queued(2), written(1, { actor: 'agent:soag_2' })],
      [
        [2, false],
        [1, false],
      ],
    ],
    [
      'another conversation',
      [queued(2), written(1, { thread_id: 'soth_2' })],
      [
        [2, false],
        [1, false],
      ],
    ],
    [
      'another message',
      [queued(2), written(1, { message_id: 'somsg_2' })],
      [
        [2, false],
        [1, false],
      ],
    ],
    [
      'a retry',
      [queued(2, { changed: ['status'] }), written(1)],
      [
        [2, false],
        [1, false],
      ],
    ],
    ['nothing', [], []],
  ])('%s', (_, entries, want) => {
    expect(fold(entries).map((d) => [d.seq, d.replied ?? false])).toEqual(want)
  })
})
