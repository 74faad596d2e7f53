import { describe, expect, it } from 'vitest'
import {
  customPeriod,
  days,
  isoDate,
  isPreset,
  lastDay,
  parseDate,
  periodOf,
  stepOf,
  steps,
  type Period,
} from './periods'

const text = (p: Period) => `${p.from.toISOString()} ${p.to.toISOString()}`

describe('periodOf', () => {
  it.each([
    ['this-month', '2026-11-25T20:00:00Z', '2026-11-01T00:00:00.000Z 2026-11-26T00:00:00.000Z'],
    ['last-month', '2026-11-25T20:00:00Z', '2026-10-01T00:00:00.000Z 2026-11-01T00:00:00.000Z'],
    ['last-month', '2026-01-31T00:00:00Z', '2025-12-01T00:00:00.000Z 2026-01-01T00:00:00.000Z'],
    ['7d', '2026-03-01T23:59:59Z', '2026-02-23T00:00:00.000Z 2026-03-02T00:00:00.000Z'],
    ['30d', '2026-11-25T00:00:00Z', '2026-10-27T00:00:00.000Z 2026-11-26T00:00:00.000Z'],
    ['90d', '2026-11-25T12:00:00Z', '2026-08-28T00:00:00.000Z 2026-11-26T00:00:00.000Z'],
  ] as const)('%s at %s', (preset, now, want) => {
    expect(text(periodOf(preset, new Date(now)))).toBe(want)
  })
  it('has as many days as it says', () => {
    const now = new Date('2026-03-29T12:00:00Z') // clocks change in Europe
    expect([7, 30, 90].map((n) => days(periodOf(`${n}d` as '7d', now)))).toEqual([7, 30, 90])
  })
})

describe('customPeriod', () => {
  it('holds both its days', () => {
    const p = customPeriod('2026-11-01', '2026-11-30')
    if ('problem' in p) throw new Error(p.problem)
    expect(text(p)).toBe('2026-11-01T00:00:00.000Z 2026-12-01T00:00:00.000Z')
    expect(lastDay(p)).toBe('2026-11-30')
  })
  it.each([
    ['', '2026-11-01', 'first'],
    ['2026-02-30', '2026-11-01', 'first'],
    ['2026-11-01', 'soon', 'last'],
    ['2026-11-02', '2026-11-01', 'order'],
    ['2025-11-01', '2026-11-02', 'long'],
  ])('%s to %s', (first, last, problem) => {
    expect(customPeriod(first, last)).toEqual({ problem })
  })
  it('takes the longest that the API sums up', () => {
    expect(customPeriod('2025-11-01', '2026-11-01')).toHaveProperty('from')
  })
})

it('knows a date from what only looks like one', () => {
  expect(parseDate('2026-13-01')).toBeUndefined()
  expect(parseDate('1969-12-31')).toBeUndefined()
  expect(parseDate('2024-02-29')?.toISOString()).toBe('2024-02-29T00:00:00.000Z')
})

it('plots up to two days by the hour', () => {
  const two = { from: new Date('2026-11-24T00:00:00Z'), to: new Date('2026-11-26T00:00:00Z') }
  expect(stepOf(two)).toBe('hour')
  expect(steps(two, 'hour')).toHaveLength(48)
  const three = { ...two, from: new Date('2026-11-23T00:00:00Z') }
  expect(stepOf(three)).toBe('day')
  expect(steps(three, 'day').map(isoDate)).toEqual(['2026-11-23', '2026-11-24', '2026-11-25'])
})

it('never asks for more than 400 steps', () => {
  const year = customPeriod('2025-11-01', '2026-11-01')
  if ('problem' in year) throw new Error(year.problem)
  expect(steps(year, stepOf(year)).length).toBeLessThanOrEqual(400)
})

it('knows presets', () => {
  expect(isPreset('7d')).toBe(true)
  expect(isPreset('8d')).toBe(false)
  expect(isPreset(null)).toBe(false)
})
