import { describe, expect, it } from 'vitest'
import type { Channel, Condition } from '@/api/types'
import { complaint, repeats, siblings, signOf, sorted } from './health'

const condition = (type: string, status: Condition['status'], message = ''): Condition => ({
  type,
  status,
  reason: 'Because',
  message,
  last_transition_at: '2026-11-25T12:00:00Z',
})

const channel = (over: Partial<Channel> = {}): Channel => ({
  id: 'soch_1',
  name: 'support-telegram',
  provider: 'telegram',
  channel_name: 'Support Telegram',
  parse_mode: '',
  status: 'active',
  health: 'ok',
  conditions: [],
  created_at: '2026-11-25T12:00:00Z',
  ...over,
})

it.each([
  ['Ready', 'True', 'good'],
  ['Ready', 'False', 'bad'],
  ['AccountProven', 'Unknown', 'waiting'],
  ['Stalled', 'True', 'bad'],
  ['Stalled', 'False', 'good'],
  ['Reconciling', 'True', 'waiting'],
  ['SomethingNew', 'False', 'bad'],
] as const)('%s=%s is %s', (type, status, sign) => {
  expect(signOf(condition(type, status))).toBe(sign)
})

it('lists the summary first, and what it does not know last', () => {
  const types = ['Zebra', 'WebhookRegistered', 'Ant', 'Ready', 'AccountProven'].map((type) => condition(type, 'True'))
  expect(sorted(types).map((c) => c.type)).toEqual(['Ready', 'AccountProven', 'WebhookRegistered', 'Ant', 'Zebra'])
})

it.each([
  ['Ready', 'twice', true],
  ['Stalled', 'twice', true],
  ['Ready', 'once', false],
  ['ChannelBound', 'twice', false],
] as const)('%s saying %j only repeats: %s', (type, message, want) => {
  const one = condition(type, 'False', message)
  expect(repeats(one, [one, condition('ChannelBound', 'False', 'twice')])).toBe(want)
})

describe('complaint', () => {
  const ready = condition('Ready', 'False', 'the token is refused')
  const stalled = condition('Stalled', 'True', 'put in another token')
  it('tells what to do', () => {
    expect(complaint(channel({ health: 'problem', conditions: [ready, stalled] }))).toBe(stalled)
  })
  it('falls back to what is known', () => {
    expect(complaint(channel({ health: 'problem', conditions: [ready] }))).toBe(ready)
    const unproven = condition('AccountProven', 'False')
    expect(complaint(channel({ health: 'problem', conditions: [unproven] }))).toBe(unproven)
  })
  it('is silent when nothing is wrong', () => {
    expect(complaint(channel({ health: 'off', conditions: [ready] }))).toBeUndefined()
  })
})

it('knows who shares a bot', () => {
  const one = channel({ id: 'a', connected_account_id: 'conn_1' })
  const all = [
    one,
    channel({ id: 'b', connected_account_id: 'conn_1' }),
    channel({ id: 'c', connected_account_id: 'conn_1', status: 'inactive' }),
    channel({ id: 'd', connected_account_id: 'conn_2' }),
    channel({ id: 'e' }),
  ]
  expect(siblings(one, all).map((c) => c.id)).toEqual(['b'])
  expect(siblings(channel({ id: 'e' }), all)).toEqual([])
})
