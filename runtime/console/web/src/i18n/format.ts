import type { Money } from '@/api/types'
import { language, regional, t } from '.'

const cache = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat | Intl.ListFormat>()

function dates(name: string, options: Intl.DateTimeFormatOptions) {
  const key = 'd' + name + regional()
  let f = cache.get(key) as Intl.DateTimeFormat | undefined
  if (!f) cache.set(key, (f = new Intl.DateTimeFormat(regional(), options)))
  return f
}

function numbers(name: string, options: Intl.NumberFormatOptions) {
  const key = 'n' + name + regional()
  let f = cache.get(key) as Intl.NumberFormat | undefined
  if (!f) cache.set(key, (f = new Intl.NumberFormat(regional(), options)))
  return f
}

type When = string | number | Date
const date = (w: When) => (w instanceof Date ? w : new Date(w))
const startOfDay = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime()

/** Dates, numbers and money as the reader writes them, in the reader's time zone. */
export const fmt = {
  time: (w: When) => dates('time', { hour: 'numeric', minute: '2-digit' }).format(date(w)),
  date: (w: When) => dates('date', { dateStyle: 'medium' }).format(date(w)),
  dateTime: (w: When) => dates('dateTime', { dateStyle: 'medium', timeStyle: 'short' }).format(date(w)),
  exact: (w: When) => dates('exact', { dateStyle: 'full', timeStyle: 'long' }).format(date(w)),
  day(w: When, now: When = Date.now()) {
    const d = date(w)
    const days = Math.round((startOfDay(date(now)) - startOfDay(d)) / 86_400_000)
    if (days === 0) return t('day.today')
    if (days === 1) return t('day.yesterday')
    if (days > 1 && days < 7) return dates('weekday', { weekday: 'long' }).format(d)
    const sameYear = d.getFullYear() === date(now).getFullYear()
    return sameYear
      ? dates('day', { weekday: 'short', day: 'numeric', month: 'long' }).format(d)
      : dates('dayYear', { day: 'numeric', month: 'long', year: 'numeric' }).format(d)
  },
  /** Short age for lists: now, 5m, 3h, 2d, then a date. */
  age(w: When, now: When = Date.now()) {
    const s = Math.max(0, (date(now).getTime() - date(w).getTime()) / 1000)
    if (s < 60) return t('age.now')
    if (s < 3600) return t('age.minutes', { n: Math.floor(s / 60) })
    if (s < 86_400) return t('age.hours', { n: Math.floor(s / 3600) })
    if (s < 7 * 86_400) return t('age.days', { n: Math.floor(s / 86_400) })
    return date(w).getFullYear() === date(now).getFullYear()
      ? dates('short', { day: 'numeric', month: 'short' }).format(date(w))
      : dates('shortYear', { year: '2-digit', month: 'numeric', day: 'numeric' }).format(date(w))
  },
  number: (n: number) => numbers('number', {}).format(n),
  /** Counts are exact up to 1000; more is 1000+. */
  count: (n: number) => (n < 1000 ? String(n) : numbers('number', {}).format(1000) + (n > 1000 ? '+' : '')),
  bytes(n: number) {
    const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte']
    let i = 0
    while (n >= 1000 && i < units.length - 1) {
      n /= 1000
      i++
    }
    return numbers('b' + i, {
      style: 'unit',
      unit: units[i],
      unitDisplay: i ? 'short' : 'narrow',
      maximumFractionDigits: n < 10 && i ? 1 : 0,
    }).format(n)
  },
  /** Charges are fractions of a cent, so small sums keep their digits. */
  money(m: Money) {
    const usd = m.micro_usd / 1e6
    const digits = usd !== 0 && Math.abs(usd) < 1 ? 4 : 2
    return numbers('usd' + digits, {
      style: 'currency',
      currency: 'USD',
      minimumFractionDigits: 2,
      maximumFractionDigits: digits,
    }).format(usd)
  },
  list: (items: string[]) => new Intl.ListFormat(language(), { type: 'conjunction' }).format(items),
}
