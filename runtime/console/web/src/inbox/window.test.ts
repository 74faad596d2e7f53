import { describe, expect, it } from 'vitest'
import { rangeOf, scrollFor, towards } from './window'

describe('rangeOf', () => {
  it.each([
    ['the top', 0, 800, 100, { from: 0, to: 16 }],
    ['a short list', 0, 800, 3, { from: 0, to: 3 }],
    ['nothing', 0, 800, 0, { from: 0, to: 0 }],
    ['somewhere in the middle', 50_000, 800, 10_000, { from: 492, to: 516 }],
    ['the end', 999_200, 800, 10_000, { from: 9984, to: 10_000 }],
    ['beyond the end, after rows went', 50_000, 800, 10, { from: 9, to: 10 }],
  ])('%s', (_, top, height, count, want) => expect(rangeOf(top, height, 100, count)).toEqual(want))

  it('has every row that is in sight', () => {
    for (let top = 0; top < 5000; top += 7) {
      const { from, to } = rangeOf(top, 333, 84, 1000)
      expect(from * 84).toBeLessThanOrEqual(top)
      expect(to * 84).toBeGreaterThanOrEqual(top + 333)
    }
  })
})

describe('rangeOf, before the first view is painted', () => {
  it.each([
    ['the top', 0, 800, 100, { from: 0, to: 8 }],
    ['part of a row on either side', 150, 800, 100, { from: 1, to: 10 }],
    ['a short list', 0, 800, 3, { from: 0, to: 3 }],
    ['beyond the end', 5000, 800, 3, { from: 2, to: 3 }],
  ])('%s', (_, top, height, count, want) => expect(rangeOf(top, height, 100, count, true)).toEqual(want))
})

describe('scrollFor', () => {
  it.each<[string, number, number, number | undefined]>([
    ['in sight: stays', 3, 0, undefined],
    ['the first, at the top: stays', 0, 0, undefined],
    ['above: just in sight, with half of the one before', 4, 1000, 350],
    ['the first', 0, 1000, 0],
    ['below: just in sight', 20, 0, 1650],
  ])('%s', (_, index, top, want) => expect(scrollFor(index, top, 500, 100)).toBe(want))
})

describe('towards', () => {
  const r = (from: number, to: number) => ({ from, to })
  it.each([
    ['a row or two are added at once', r(0, 20), r(4, 24), r(8, 18), r(4, 24)],
    ['of many, a share', r(0, 20), r(16, 40), r(22, 32), r(16, 26)],
    ['what is in sight comes before what is above it', r(100, 120), r(84, 106), r(90, 100), r(94, 106)],
    ['and then the rest', r(90, 106), r(84, 106), r(90, 100), r(84, 106)],
    ['far away, it begins where the reader is', r(0, 20), r(500, 524), r(506, 516), r(506, 512)],
    ['and goes on down to the last in sight before it goes up', r(506, 512), r(500, 524), r(506, 516), r(504, 516)],
    ['shorter than before', r(0, 20), r(0, 4), r(0, 4), r(0, 4)],
    ['empty', r(0, 20), r(0, 0), r(0, 10), r(0, 0)],
    ['nothing yet', r(0, 0), r(0, 24), r(0, 10), r(0, 6)],
  ])('%s', (_, now, want, sight, next) => {
    expect(towards(now, want, sight, 6)).toEqual(next)
  })

  it('gets there, from anywhere, and never shows what is not wanted', () => {
    for (const [now, want, sight] of [
      [r(0, 20), r(500, 524), r(506, 516)],
      [r(500, 524), r(0, 16), r(0, 10)],
      [r(10, 34), r(20, 44), r(26, 36)],
    ] as const) {
      let at: { from: number; to: number } = now
      let steps = 0
      while (at.from !== want.from || at.to !== want.to) {
        at = towards(at, want, sight)
        expect(at.from).toBeGreaterThanOrEqual(want.from)
        expect(at.to).toBeLessThanOrEqual(want.to)
        expect(++steps).toBeLessThan(10)
      }
    }
  })
})
