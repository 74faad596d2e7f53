// Money is whole micro-USD in a bigint. Amounts come from the API as exact decimal text too (`usd`),
// which is what is read: an int64 in JSON may be more than a JavaScript number holds.

const micros = 1_000_000n
const fraction = 6 // digits after the point
const largest = 9_223_372_036_854_775_807n // int64, as the ledger has it

export interface MoneyText {
  usd: string
}

export type ParsedUsd =
  { ok: true; micro: bigint } | { ok: false; why: 'empty' | 'malformed' | 'digits' | 'large' | 'sign' }

const form = /^(-?)(\d+)(?:\.(\d+))?$/

// parseUsd reads an amount in US dollars, such as "0.0002" or "-12.5", exactly.
export function parseUsd(text: string): ParsedUsd {
  const trimmed = text.trim()
  if (trimmed === '') return { ok: false, why: 'empty' }
  const match = form.exec(trimmed)
  if (!match) return { ok: false, why: 'malformed' }
  const [, sign = '', whole = '', rest = ''] = match
  if (rest.replace(/0+$/, '').length > fraction) return { ok: false, why: 'digits' }
  const amount = BigInt(whole) * micros + BigInt(rest.slice(0, fraction).padEnd(fraction, '0'))
  if (amount > largest) return { ok: false, why: 'large' }
  return { ok: true, micro: sign ? -amount : amount }
}

// parseAmount reads what a person grants: more than nothing. A comma is taken as the point where no point is.
export function parseAmount(text: string): ParsedUsd {
  const parsed = parseUsd(text.includes('.') ? text : text.replace(',', '.'))
  return parsed.ok && parsed.micro <= 0n ? { ok: false, why: 'sign' } : parsed
}

// microOf is an amount of the API.
export function microOf(money: MoneyText): bigint {
  const parsed = parseUsd(money.usd)
  if (!parsed.ok) throw new Error(`the API's amount ${JSON.stringify(money.usd)} is no amount`)
  return parsed.micro
}

// plainUsd writes an amount as the API takes it, as short as it is exact: "0.0002", "3".
export function plainUsd(micro: bigint): string {
  const magnitude = micro < 0n ? -micro : micro
  const rest = (magnitude % micros).toString().padStart(fraction, '0').replace(/0+$/, '')
  return `${micro < 0n ? '-' : ''}${magnitude / micros}${rest ? `.${rest}` : ''}`
}

export interface MoneyFormat {
  sign?: boolean // a plus before what was added
  digits?: number // at least so many after the point; 2 unless told
}

const symbols = new Map<string, { currency: Intl.NumberFormat; whole: Intl.NumberFormat }>()

function formats(locale: string) {
  let found = symbols.get(locale)
  if (!found) {
    found = {
      currency: new Intl.NumberFormat(locale, {
        style: 'currency',
        currency: 'USD',
        currencyDisplay: 'narrowSymbol',
        minimumFractionDigits: 1,
        maximumFractionDigits: 1,
      }),
      whole: new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }),
    }
    symbols.set(locale, found)
  }
  return found
}

// formatUsd writes an amount for a reader: "$1,234.5678", in German "1.234,5678 $". It is exact: no digit is rounded away,
// and at least two stand after the point. Intl puts the signs and marks where the language has them; the digits are ours,
// as Intl of an older browser rounds a bigint's fraction through a float.
export function formatUsd(micro: bigint, locale: string, { sign = false, digits = 2 }: MoneyFormat = {}): string {
  const { currency, whole } = formats(locale)
  const magnitude = micro < 0n ? -micro : micro
  const rest = (magnitude % micros).toString().padStart(fraction, '0').replace(/0+$/, '').padEnd(digits, '0')
  const shape = micro < 0n ? -1 : 1
  const text = currency
    .formatToParts(shape)
    .map((part) => {
      switch (part.type) {
        case 'integer':
          return whole.format(magnitude / micros)
        case 'fraction':
          return rest
        case 'decimal':
          return rest === '' ? '' : part.value
        case 'minusSign':
          return '−'
        default:
          return part.value
      }
    })
    .join('')
  return sign && micro > 0n ? `+${text}` : text
}

// digitsOf is how many digits after the point the amounts need, so that a column of them can be aligned at the point.
export function digitsOf(amounts: Iterable<bigint>): number {
  let most = 2
  for (const amount of amounts) most = Math.max(most, plainUsd(amount).split('.')[1]?.length ?? 0)
  return most
}

// add sums amounts.
export const add = (amounts: Iterable<bigint>): bigint => {
  let sum = 0n
  for (const amount of amounts) sum += amount
  return sum
}

// share is a/b as a number between 0 and 1 for drawing, never for counting.
export function share(a: bigint, b: bigint): number {
  if (b === 0n) return 0
  return Number((a * 10_000n) / b) / 10_000
}

// niceCeiling is the least of 1, 2, 2.5 and 5 times a power of ten that holds the amount: the top of a plot's scale.
export function niceCeiling(micro: bigint): bigint {
  if (micro <= 0n) return 1n
  let power = 1n
  for (;;) {
    for (const [times, by] of [
      [1n, 1n],
      [2n, 1n],
      [5n, 2n],
      [5n, 1n],
    ] as const) {
      const top = (power * times) / by
      if (top * by === power * times && top >= micro) return top
    }
    power *= 10n
  }
}
