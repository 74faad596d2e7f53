import { describe, expect, it } from 'vitest'
import type { EntrySum } from '@/api/types'
import { balanceChange, charged, labelled, net, series } from './series'

const entry = (count: number, usd: string): EntrySum => ({
  count,
  sum: { usd, micro_usd: Math.round(Number(usd) * 1e6) },
})
const period = { from: new Date('2026-11-23T00:00:00Z'), to: new Date('2026-11-26T00:00:00Z') }

describe('series', () => {
  const points = series(
    [
      {
        at: '2026-11-24T00:00:00Z',
        entries: { inbound: entry(3, '-0.000600'), reply: entry(1, '-0.001000'), refund: entry(1, '0.001000') },
      },
      { at: '2026-11-20T00:00:00Z', entries: { inbound: entry(9, '-0.001800') } },
    ],
    period,
    'day',
  )
  it('fills the days without entries', () => {
    expect(points.map((p) => p.messages)).toEqual([0, 3, 0])
  })
  it('counts charges as positive, and refunds against them', () => {
    const [, day] = points
    if (!day) throw new Error('no day')
    expect(charged(day)).toBe(1600n)
    expect(net(day)).toBe(600n)
  })
})

it('sums up what the balance changed by', () => {
  expect(
    balanceChange({ inbound: entry(3, '-0.000600'), credit: entry(1, '25.000000'), reply: entry(0, '0.000000') }),
  ).toBe(24_999_400n)
})

it.each([
  [0, 6, []],
  [1, 6, [0]],
  [7, 8, [0, 1, 2, 3, 4, 5, 6]],
  [30, 6, [0, 6, 12, 18, 24]],
  [366, 2, [0, 365]],
])('labels %d steps with room for %d', (n, room, at) => {
  expect(labelled(n, room)).toEqual(at)
})
