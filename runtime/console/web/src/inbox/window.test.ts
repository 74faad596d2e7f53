import { describe, expect, it } from 'vitest'
import { rangeOf, scrollFor } from './window'

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
