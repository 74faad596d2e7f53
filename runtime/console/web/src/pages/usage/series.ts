import type { Charge, EntryKind, EntrySum } from '@/api/types'
import { add, microOf } from './money'
import { steps, type Period, type Step } from './periods'

/** What was charged in one step. Charges are counted as positive here, as people speak of them. */
export interface Point {
  at: Date
  received: bigint
  replies: bigint
  refunds: bigint
  credits: bigint
  messages: number
  deliveries: number
}

export const charged = (p: Point): bigint => p.received + p.replies
export const net = (p: Point): bigint => charged(p) - p.refunds

/** One point for each step of the period: the API leaves out the empty ones. */
export function series(charges: Charge[], period: Period, step: Step): Point[] {
  const byTime = new Map(charges.map((c) => [Date.parse(c.at), c.entries]))
  return steps(period, step).map((at) => {
    const entries = byTime.get(at.getTime()) ?? {}
    return {
      at,
      received: -sum(entries, 'inbound'),
      replies: -sum(entries, 'reply'),
      refunds: sum(entries, 'refund'),
      credits: sum(entries, 'credit'),
      messages: entries.inbound?.count ?? 0,
      deliveries: entries.reply?.count ?? 0,
    }
  })
}

function sum(entries: Record<string, EntrySum>, kind: EntryKind): bigint {
  const entry = entries[kind]
  return entry ? microOf(entry.sum) : 0n
}

/** What came and went in all: the change of the balance over the period. */
export const balanceChange = (entries: Record<string, EntrySum>): bigint =>
  add(Object.values(entries).map((e) => microOf(e.sum)))

/** Where labels stand below the plot: the first, the last, and some between, evenly. */
export function labelled(n: number, room: number): number[] {
  if (n <= 0) return []
  const most = Math.max(2, Math.min(n, room))
  const every = Math.max(1, Math.ceil((n - 1) / (most - 1)))
  return Array.from({ length: Math.floor((n - 1) / every) + 1 }, (_, i) => i * every)
}
