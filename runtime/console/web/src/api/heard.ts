// What the stream told lately. An answer holds what was so when the server read it, and may come after an event of
// something later: what was heard since a call was asked is newer than its answer.
import type { Message, Page } from './types'

const kept = 2 * 60_000 // ms; the server gives a call 30 s

export class Heard<T> {
  private told = new Map<string, { at: number; value: T | undefined }>() // in the order of their time

  constructor(private now: () => number = () => performance.now()) {}

  /** Notes what something is now; undefined: it is gone. */
  note(id: string, value: T | undefined) {
    const at = this.now()
    this.told.delete(id)
    this.told.set(id, { at, value })
    for (const [old, { at: then }] of this.told) {
      if (then >= at - kept) break
      this.told.delete(old)
    }
  }

  /** What was told of it since; undefined: nothing was. */
  since(id: string, asked: number): { value: T | undefined } | undefined {
    const e = this.told.get(id)
    return e && e.at >= asked ? e : undefined
  }

  /** All that was told since, and is not gone. */
  all(asked: number): T[] {
    return [...this.told.values()].flatMap((e) => (e.at >= asked && e.value !== undefined ? [e.value] : []))
  }
}

export const heardMessages = new Heard<Message>()

/** A page of a thread's messages, newest first, as it is by now. newest: no page is newer. */
export function withHeard(
  p: Page<Message>,
  thread: string,
  asked: number,
  newest: boolean,
  heard = heardMessages,
): Page<Message> {
  const data = p.data.flatMap((m) => {
    const h = heard.since(m.id, asked)
    return h ? (h.value ?? []) : m
  })
  const last = p.data[0]?.seq ?? 0
  const come = newest ? heard.all(asked).filter((m) => m.thread_id === thread && m.seq > last) : []
  return { ...p, data: [...come.sort((a, b) => b.seq - a.seq), ...data] }
}
