import { describe, expect, it } from 'vitest'
import { add, digitsOf, formatUsd, microOf, niceCeiling, parseAmount, parseUsd, plainUsd, share } from './money'

describe('parseUsd', () => {
  it.each([
    ['0.0002', 200n],
    ['-0.000200', -200n],
    ['25', 25_000_000n],
    [' 12.50 ', 12_500_000n],
    ['0.1', 100_000n],
    ['1.0000000', 1_000_000n],
    ['9007199254.740993', 9_007_199_254_740_993n], // 2^53 + 1, which a number can't hold
    ['9223372036854.775807', 9_223_372_036_854_775_807n],
  ])('%s', (text, micro) => {
    expect(parseUsd(text)).toEqual({ ok: true, micro })
  })

  it.each([
    ['', 'empty'],
    ['   ', 'empty'],
    ['abc', 'malformed'],
    ['1.', 'malformed'],
    ['.5', 'malformed'],
    ['1e3', 'malformed'],
    ['+1', 'malformed'],
    ['1,5', 'malformed'],
    ['0x10', 'malformed'],
    ['0.0000001', 'digits'],
    ['9223372036854.775808', 'large'],
  ])('refuses %j', (text, why) => {
    expect(parseUsd(text)).toEqual({ ok: false, why })
  })
})

describe('parseAmount', () => {
  it('takes a comma as the point', () => {
    expect(parseAmount('12,5')).toEqual({ ok: true, micro: 12_500_000n })
  })
  it.each(['1,000.50', '1,000,000'])('does not guess what %s means', (text) => {
    expect(parseAmount(text)).toEqual({ ok: false, why: 'malformed' })
  })
  it.each(['0', '-1', '0.000000'])('refuses %s', (text) => {
    expect(parseAmount(text)).toEqual({ ok: false, why: 'sign' })
  })
})

describe('microOf', () => {
  it('reads the text, so that nothing is lost', () => {
    expect(microOf({ usd: '-9007199254.740993' })).toBe(-9_007_199_254_740_993n)
  })
  it('does not take what is no amount for nothing', () => {
    expect(() => microOf({ usd: 'free' })).toThrow('free')
  })
})

describe('plainUsd', () => {
  it.each([
    [200n, '0.0002'],
    [-200n, '-0.0002'],
    [3_000_000n, '3'],
    [0n, '0'],
    [12_500_000n, '12.5'],
  ])('%s', (micro, text) => {
    expect(plainUsd(micro)).toBe(text)
    expect(parseUsd(text)).toEqual({ ok: true, micro })
  })
})

describe('formatUsd', () => {
  it.each([
    [0n, '$0.00', '0,00 $'],
    [200n, '$0.0002', '0,0002 $'],
    [-200n, '−$0.0002', '−0,0002 $'],
    [1_234_567_800_000n, '$1,234,567.80', '1.234.567,80 $'],
    [9_007_199_254_740_993n, '$9,007,199,254.740993', '9.007.199.254,740993 $'],
    [-500_000n, '−$0.50', '−0,50 $'],
  ])('%s', (micro, english, german) => {
    expect(formatUsd(micro, 'en')).toBe(english)
    expect(formatUsd(micro, 'de').replaceAll('\u00a0', ' ')).toBe(german)
  })
  it('marks what was added', () => {
    expect(formatUsd(25_000_000n, 'en', { sign: true })).toBe('+$25.00')
    expect(formatUsd(-200n, 'en', { sign: true })).toBe('−$0.0002')
    expect(formatUsd(0n, 'en', { sign: true })).toBe('$0.00')
  })
  it('leaves the point out where nothing stands after it', () => {
    expect(formatUsd(5_000_000n, 'en', { digits: 0 })).toBe('$5')
    expect(formatUsd(2_500_000n, 'en', { digits: 0 })).toBe('$2.5')
  })
})

it('adds exactly', () => {
  expect(add(Array.from({ length: 10 }, () => 100_000n))).toBe(1_000_000n)
})

it('draws shares between 0 and 1', () => {
  expect(share(1n, 4n)).toBe(0.25)
  expect(share(1n, 0n)).toBe(0)
  expect(share(9_007_199_254_740_993n, 9_007_199_254_740_993n)).toBe(1)
})

it.each([
  [0n, 1n],
  [1n, 1n],
  [3n, 5n],
  [200n, 200n],
  [201n, 250n],
  [999n, 1000n],
  [26_000_000n, 50_000_000n],
])('the scale that holds %s ends at %s', (micro, top) => {
  expect(niceCeiling(micro)).toBe(top)
})

it.each([
  [[], 2],
  [[25_000_000n], 2],
  [[25_000_000n, -200n], 4],
  [[1n], 6],
])('the column %s needs %d digits', (amounts, digits) => {
  expect(digitsOf(amounts)).toBe(digits)
})
