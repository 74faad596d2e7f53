import { regional } from '@/i18n'
import type { Step } from './periods'

// The ledger's days and hours are of UTC: shown in the reader's zone, a day would begin on the one before.

const formats = new Map<string, Intl.DateTimeFormat>()

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = regional() + JSON.stringify(options)
  let found = formats.get(key)
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(regional(), { ...options, timeZone: 'UTC' })))
  return found
}

export const shortStep = (at: Date, step: Step): string =>
  step === 'day'
    ? format({ day: 'numeric', month: 'short' }).format(at)
    : format({ hour: 'numeric', minute: '2-digit' }).format(at)

export const longStep = (at: Date, step: Step): string =>
  step === 'day'
    ? format({ dateStyle: 'full' }).format(at)
    : format({ dateStyle: 'medium', timeStyle: 'short' }).format(at)

export const tableStep = (at: Date, step: Step): string =>
  step === 'day'
    ? format({ dateStyle: 'medium' }).format(at)
    : format({ dateStyle: 'medium', timeStyle: 'short' }).format(at)

/** A period, its last day named rather than the one it ends before. */
export const span = (from: Date, to: Date): string =>
  format({ dateStyle: 'medium' }).formatRange(from, new Date(to.getTime() - 1))
