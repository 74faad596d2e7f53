import { describe, expect, it } from 'vitest'
import type { Channel, Key } from '@/api/types'
import { apiBase, curlOf, nameProblem, sorted, stateOf } from './keys'

const now = Date.parse('2026-11-25T12:00:00Z')
const key = (over: Partial<Key> = {}): Key => ({
  id: 'sokey_1',
  name: 'CI',
  hint: 'wxyz',
  scopes: ['socialops:read'],
  origin: 'api',
  created_at: '2026-11-01T00:00:00Z',
  ...over,
})

it.each([
  [{}, 'valid'],
  [{ expires_at: '2027-11-25T12:00:00Z' }, 'valid'],
  [{ expires_at: '2026-11-30T12:00:00Z' }, 'expiring'],
  [{ expires_at: '2026-11-25T12:00:00Z' }, 'expired'],
  [{ revoked_at: '2026-11-24T12:00:00Z' }, 'revoked'],
  [{ revoked_at: '2026-11-26T12:00:00Z' }, 'valid'], // rotated: the old one stays valid for a day
  [{ revoked_at: '2026-11-24T12:00:00Z', expires_at: '2026-11-20T12:00:00Z' }, 'revoked'],
])('%j is %s', (over, state) => {
  expect(stateOf(key(over), now)).toBe(state)
})

it('parts the usable from the ended, newest first', () => {
  const list = sorted(
    [
      key({ id: 'old' }),
      key({ id: 'new', created_at: '2026-11-20T00:00:00Z' }),
      key({ id: 'gone', revoked_at: '2026-11-20T00:00:00Z' }),
    ],
    now,
  )
  expect(list.usable.map((k) => k.id)).toEqual(['new', 'old'])
  expect(list.ended.map((k) => k.id)).toEqual(['gone'])
})

it.each([
  ['CI', undefined],
  ['  ', 'keys.name.missing'],
  ['ä'.repeat(31), undefined],
  ['ä'.repeat(32), 'keys.name.long'],
])('the name %j: %s', (name, problem) => {
  expect(nameProblem(name)).toBe(problem)
})

describe('apiBase', () => {
  it('is what the webhooks say', () => {
    const channels = [
      { id: 'a' },
      { webhook_url: 'https://inbox.example.com/v1/apps/socialops/support/webhook/github' },
    ] as Channel[]
    expect(apiBase('support', channels, 'http://x')).toBe('https://inbox.example.com/v1/apps/socialops/support')
  })
  it('falls back to where the page is', () => {
    expect(apiBase('support', undefined, 'http://127.0.0.1:8080')).toBe(
      'http://127.0.0.1:8080/v1/apps/socialops/support',
    )
  })
})

it('shows a call that the key may make', () => {
  expect(curlOf('http://x/a', 'sk_1', ['socialops:read', 'socialops:write'])).toContain("'http://x/a/inbox?limit=5'")
  expect(curlOf('http://x/a', 'sk_1', ['socialops:write'])).toContain("-X POST 'http://x/a/webhook/generic-webhook'")
})
