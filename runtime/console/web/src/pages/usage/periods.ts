// Periods of the ledger. They are of UTC, as its sums and invoices are, whatever the reader's zone.

export const presets = ['this-month', 'last-month', '7d', '30d', '90d', 'custom'] as const
export type Preset = (typeof presets)[number]
export type Step = 'day' | 'hour'

export interface Period {
  from: Date
  to: Date // not in it
}

const day = 24 * 60 * 60 * 1000
export const maxDays = 366 // that the API sums up at once

const utc = (year: number, month: number, date = 1) => new Date(Date.UTC(year, month, date))
const midnight = (at: Date) => utc(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate())

export function isPreset(text: string | null | undefined): text is Preset {
  return presets.includes(text as Preset)
}

// periodOf is the period that a preset means now. Rolling periods hold whole days, today's included.
export function periodOf(preset: Exclude<Preset, 'custom'>, now: Date): Period {
  const tomorrow = new Date(midnight(now).getTime() + day)
  switch (preset) {
    case 'this-month':
      return { from: utc(now.getUTCFullYear(), now.getUTCMonth()), to: tomorrow }
    case 'last-month':
      return {
        from: utc(now.getUTCFullYear(), now.getUTCMonth() - 1),
        to: utc(now.getUTCFullYear(), now.getUTCMonth()),
      }
    case '7d':
    case '30d':
    case '90d':
      return { from: new Date(tomorrow.getTime() - Number.parseInt(preset, 10) * day), to: tomorrow }
  }
}

export type CustomProblem = 'first' | 'last' | 'order' | 'long'

const dateForm = /^(\d{4})-(\d{2})-(\d{2})$/

// parseDate reads a date as a date field has it; what no calendar has is none.
export function parseDate(text: string): Date | undefined {
  const match = dateForm.exec(text)
  if (!match) return undefined
  const at = new Date(`${text}T00:00:00Z`)
  return Number.isNaN(at.getTime()) || isoDate(at) !== text || at.getUTCFullYear() < 1970 ? undefined : at
}

// customPeriod goes from one day's beginning to another's end.
export function customPeriod(first: string, last: string): Period | { problem: CustomProblem } {
  const from = parseDate(first)
  if (!from) return { problem: 'first' }
  const until = parseDate(last)
  if (!until) return { problem: 'last' }
  if (until < from) return { problem: 'order' }
  const to = new Date(until.getTime() + day)
  if ((to.getTime() - from.getTime()) / day > maxDays) return { problem: 'long' }
  return { from, to }
}

export const isoDate = (at: Date): string => at.toISOString().slice(0, 10)

// lastDay is the last day of a period, for its fields.
export const lastDay = (p: Period): string => isoDate(new Date(p.to.getTime() - 1))

export const days = (p: Period): number => Math.round((p.to.getTime() - p.from.getTime()) / day)

// stepOf is how finely a period is plotted: hours up to two days, else days, which are at most 366.
export const stepOf = (p: Period): Step => (days(p) <= 2 ? 'hour' : 'day')

// steps lists the beginnings of a period's steps: the API leaves out those without an entry.
export function steps(p: Period, step: Step): Date[] {
  const length = step === 'day' ? day : day / 24
  const list: Date[] = []
  for (let at = p.from.getTime(); at < p.to.getTime(); at += length) list.push(new Date(at))
  return list
}
