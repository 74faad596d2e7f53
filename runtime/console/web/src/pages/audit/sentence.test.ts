import { describe, expect, it } from 'vitest'
import type { AuditEntry } from '@/api/types'
import { addEnglish, t } from '@/i18n'
import { admin } from '@/i18n/en/admin'
import { sentence, threadIn, types, type Part } from './sentence'

addEnglish(admin)

const alice = { actor: 'agent:soag_1', actor_name: 'Alice' }
const entry = (over: Partial<AuditEntry>): AuditEntry => ({
  seq: 1,
  at: '2026-11-25T12:00:00Z',
  type: 'thread.updated',
  ...alice,
  ...over,
})

const names = {
  channel: (id: string) => (id === 'soch_1' ? 'Support Telegram' : undefined),
  key: (id: string) => (id === 'sokey_1' ? 'CI' : undefined),
}

// As a reader sees it, the thread's link in brackets.
function read(e: AuditEntry): string {
  const { key, parts, remark } = sentence(e, names)
  const word = (part: Part): string => {
    switch (part.kind) {
      case 'name':
        return part.text
      case 'word':
        return t(part.key, part.names)
      case 'words':
        return [...part.keys.map((k) => t(k)), ...part.rest].join(', ')
      case 'thread':
        return `[${part.subject ?? part.id}]`
    }
  }
  const text = t(key).replace(/\{(\w+)\}/g, (_, name: string) => (parts[name] ? word(parts[name]) : `{${name}}`))
  return remark ? `${text} — ${remark}` : text
}

const thread = { thread_id: 'soth_1', thread_subject: 'Refund' }

describe('sentence', () => {
  it.each<[Partial<AuditEntry>, string]>([
    [{ ...thread, changed: ['status'], status: 'resolved' }, 'Alice resolved [Refund]'],
    [{ ...thread, changed: ['status'], status: 'open' }, 'Alice reopened [Refund]'],
    [{ ...thread, changed: ['status'] }, 'Alice changed the status of [Refund]'],
    [
      { ...thread, changed: ['status', 'priority'], status: 'resolved' },
      'Alice changed the status, the priority of [Refund]',
    ],
    [{ ...thread, changed: ['labels'] }, 'Alice changed the labels of [Refund]'],
    [{ ...thread, changed: ['assignee'] }, 'Alice changed who takes care of [Refund]'],
    [{ ...thread, changed: ['mood'] }, 'Alice changed mood of [Refund]'],
    [{ thread_id: 'soth_1' }, 'Alice changed [soth_1]'],
    [{ ...thread, type: 'message.created' }, 'Alice wrote in [Refund]'],
    [{ ...thread, type: 'message.created', actor: 'provider', actor_name: '' }, 'A message arrived in [Refund]'],
    [
      { ...thread, type: 'message.updated', actor: 'provider', changed: ['text'] },
      'A message in [Refund] was edited by who wrote it',
    ],
    [{ ...thread, type: 'message.deleted' }, 'Alice deleted a message in [Refund]'],
    [
      { type: 'thread.deleted', actor: 'retention', actor_name: '' },
      'Retention deleted a conversation and all that was in it',
    ],
    [{ ...thread, type: 'action.updated', status: 'pending' }, 'Alice queued a reply in [Refund]'],
    [
      { ...thread, type: 'action.updated', status: 'pending', changed: ['status'] },
      'Alice had a failed reply in [Refund] sent again',
    ],
    [
      { ...thread, type: 'action.updated', status: 'failed', actor: 'worker', detail: 'delivery outcome unknown' },
      'A delivery in [Refund] failed — delivery outcome unknown',
    ],
    [{ type: 'channel.created', channel_id: 'soch_1' }, 'Alice added the channel “Support Telegram”'],
    [
      { type: 'channel.updated', channel_id: 'soch_1', changed: ['channel_name', 'parse_mode'] },
      'Alice changed the name, the parse mode of the channel “Support Telegram”',
    ],
    [
      { type: 'channel.updated', channel_id: 'soch_1', changed: ['status'], status: 'inactive' },
      'Alice switched off the channel “Support Telegram”',
    ],
    [{ type: 'channel.updated', channel_id: 'soch_2' }, 'Alice changed the channel that is gone'],
    [{ type: 'key.created', key_id: 'sokey_1' }, 'Alice created the key “CI”'],
    [{ type: 'key.revoked', key_id: 'sokey_2' }, 'Alice revoked the key that is gone'],
    [
      { type: 'credit.granted', actor: 'admin', actor_name: '', detail: 'invoice-42' },
      'An administrator granted credit for invoice-42',
    ],
    [{ ...thread, type: 'raw.shown' }, 'Alice looked at the original payload of a message in [Refund]'],
    [{ type: 'moon.landed', detail: 'softly' }, 'Alice: moon.landed — softly'],
  ])('%j', (over, text) => {
    expect(read(entry(over))).toBe(text)
  })

  it('names a key that did it', () => {
    expect(read(entry({ ...thread, changed: ['labels'], actor: 'key:sokey_1', actor_name: '' }))).toBe(
      'Key “CI” changed the labels of [Refund]',
    )
    expect(read(entry({ ...thread, changed: ['labels'], actor: 'key:sokey_9', actor_name: '' }))).toBe(
      'Key “sokey_9” changed the labels of [Refund]',
    )
  })

  it('takes names for text', () => {
    expect(read(entry({ ...thread, actor_name: '<b>{thread}</b>', changed: ['labels'] }))).toBe(
      '<b>{thread}</b> changed the labels of [Refund]',
    )
  })
})

it('has a name for each type that the trail can be narrowed to', () => {
  for (const type of types) expect(t(`audit.type.${type}`)).not.toContain('audit.type')
})

it.each([
  ['soth_01kc0w3v2pf0bvd9m4v9wq7x5e', 'soth_01kc0w3v2pf0bvd9m4v9wq7x5e'],
  ['https://x/a/support/t/soth_01kc0w3v2pf0bvd9m4v9wq7x5e?status=open', 'soth_01kc0w3v2pf0bvd9m4v9wq7x5e'],
  ['soth_', undefined],
  ['hello', undefined],
])('finds the thread in %j', (text, id) => {
  expect(threadIn(text)).toBe(id)
})
