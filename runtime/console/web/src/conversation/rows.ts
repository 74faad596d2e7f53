// What stands in the log, from top to bottom: messages, day breaks, and what people did, in pieces of bounded length.
import type { AuditEntry, Message } from '@/api/types'
import { condense, trailLine, type TrailLine } from './trail'

export type Row =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'unread'; key: string }
  | { kind: 'message'; key: string; message: Message; lead: boolean; tail: boolean }
  | { kind: 'trail'; key: string; line: TrailLine }

export interface Chunk {
  key: number
  rows: Row[]
  /** Equal for equal content, so that what did not change is not drawn again. */
  sign: string
}

const perChunk = 32
const named = 16 // in a long run, the name stands again
const together = 5 * 60_000 // messages of one author within it stand under one name

export const timeOf = (m: Message) => m.sent_at ?? m.created_at

/** A message's place never changes within its thread, so neither does its chunk. */
export const chunkOf = (seq: number) => Math.floor(seq / perChunk)

interface When {
  ms: number
  day: number
}

const whens = new WeakMap<Message, When>()

/** Told once per message: a thread may have ten thousand, and dates are slow. */
function whenOf(m: Message): When {
  let w = whens.get(m)
  if (!w) {
    const d = new Date(timeOf(m))
    w = { ms: d.getTime(), day: d.getFullYear() * 10_000 + d.getMonth() * 100 + d.getDate() }
    whens.set(m, w)
  }
  return w
}

const sameVoice = (a: Message, b: Message) =>
  a.direction === b.direction &&
  a.author.kind === b.author.kind &&
  a.author.id === b.author.id &&
  a.author.name === b.author.name &&
  Math.abs(whenOf(b).ms - whenOf(a).ms) < together

interface Options {
  /** None older is to be read, so everything that people did may be shown. */
  complete: boolean
  /** The first message that the reader had not read. */
  unread?: string
}

/** messages oldest first. */
export function chunks(messages: Message[], trail: AuditEntry[], { complete, unread }: Options): Chunk[] {
  const lines = trail
    .flatMap((e) => trailLine(e) ?? [])
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.seq - b.seq))
  const out: Chunk[] = []
  let next = 0
  const first = messages[0]
  if (first && !complete) while (next < lines.length && (lines[next] as TrailLine).at < first.created_at) next++

  let day = 0
  let run = 0
  let previous: Extract<Row, { kind: 'message' }> | undefined
  let chunk: Chunk | undefined
  const push = (row: Row) => chunk?.rows.push(row)
  const linesUpTo = (at?: string) => {
    const from = next
    while (next < lines.length && (at === undefined || (lines[next] as TrailLine).at < at)) next++
    for (const line of condense(lines.slice(from, next))) {
      push({ kind: 'trail', key: 't' + line.seq, line })
      previous = undefined
    }
  }
  for (const m of messages) {
    const n = chunkOf(m.seq)
    if (chunk?.key !== n) out.push((chunk = { key: n, rows: [], sign: '' }))
    linesUpTo(m.created_at)
    const d = whenOf(m).day
    if (d !== day) {
      day = d
      previous = undefined
      push({ kind: 'day', key: 'd' + m.id, at: timeOf(m) })
    }
    if (m.id === unread) {
      previous = undefined
      push({ kind: 'unread', key: 'unread' })
    }
    // by its place, which stays when older ones come before it
    const lead = !previous || !sameVoice(previous.message, m) || (run > 4 && m.seq % named === 0)
    run = lead ? 1 : run + 1
    if (previous && !lead) previous.tail = false
    previous = { kind: 'message', key: m.id, message: m, lead, tail: true }
    push(previous)
  }
  if (!chunk && next < lines.length) out.push((chunk = { key: 0, rows: [], sign: '' }))
  linesUpTo()
  for (const c of out) c.sign = c.rows.map(signOf).join('|')
  return out
}

const ids = new WeakMap<Message, number>()
let lastID = 0

/** The cache replaces a message that changed by another object, so the object tells. */
function signOf(r: Row) {
  if (r.kind === 'trail') return r.key + r.line.name + (r.line.times ?? '')
  if (r.kind !== 'message') return r.key
  let id = ids.get(r.message)
  if (!id) ids.set(r.message, (id = ++lastID))
  return `${r.lead ? 'L' : 'm'}${r.tail ? 'T' : ''}${id}`
}

/** Where the reader stopped reading: the first of the newest n messages from outside. */
export function firstUnread(messages: Message[], n: number): string | undefined {
  for (let i = messages.length - 1; i >= 0 && n > 0; i--)
    if (messages[i]?.direction === 'inbound' && --n === 0) return messages[i]?.id
  return undefined
}
