// The threads of one alias that anything on the page shows, each once. What the server said lies beneath;
// changes that are on their way lie above it, and are taken off when they arrive or fail.
import { Heard } from '@/api/heard'
import type { InboxThread, Message } from '@/api/types'

export type Fields = Partial<
  Pick<InboxThread, 'status' | 'priority' | 'labels' | 'unread_count' | 'last_message' | 'last_message_at'>
> & {
  assignee?: InboxThread['assignee'] | null
}

interface Entry {
  base: InboxThread
  layers: { fields: Fields }[]
  shown: InboxThread
}

export class Threads {
  private entries = new Map<string, Entry>()
  private listeners = new Map<string, Set<() => void>>()
  private heard = new Heard<InboxThread>()

  get size() {
    return this.entries.size
  }

  get(id: string): InboxThread | undefined {
    return this.entries.get(id)?.shown
  }

  /**
   * Takes what a call was answered that was asked at a time of performance.now(), or something later that the stream
   * told since. False: it is gone since.
   */
  answer(t: InboxThread, asked: number): boolean {
    const h = this.heard.since(t.id, asked)
    if (!h) this.put(t)
    else if (h.value && !this.entries.has(t.id)) this.put(h.value)
    return !h || h.value !== undefined
  }

  /** Takes what the stream told of a thread. */
  hear(t: InboxThread) {
    this.put(t)
    this.heard.note(t.id, this.said(t.id))
  }

  /** Those that the stream told of since. */
  heardSince(asked: number): InboxThread[] {
    return this.heard.all(asked)
  }

  /** Takes what the server said. Without a last message, the one that is known stays. */
  put(t: InboxThread) {
    const old = this.entries.get(t.id)
    const base = t.last_message || !old?.base.last_message ? t : { ...t, last_message: old.base.last_message }
    const e: Entry = old ?? { base, layers: [], shown: base }
    e.base = base
    this.entries.set(t.id, e)
    this.render(t.id, e)
  }

  /** Takes a message that the stream told of; it is shown in lists if none is newer. */
  hearMessage(m: Message) {
    const e = this.entries.get(m.thread_id)
    if (!e || (e.base.last_message && e.base.last_message.seq > m.seq)) return
    e.base = { ...e.base, last_message: m }
    this.heard.note(m.thread_id, e.base)
    this.render(m.thread_id, e)
  }

  /** Takes what the server said of a part of it. */
  amend(id: string, part: Partial<InboxThread>) {
    const e = this.entries.get(id)
    if (!e) return
    e.base = { ...e.base, ...part }
    this.render(id, e)
  }

  /** What the server said last, without changes that are on their way. */
  said(id: string): InboxThread | undefined {
    return this.entries.get(id)?.base
  }

  /** Takes from the stream that a thread is gone. */
  hearGone(id: string) {
    this.heard.note(id, undefined)
    if (this.entries.delete(id)) this.tell(id)
  }

  /** Shows a change before the server has it. The function that comes back takes it off again. */
  lay(id: string, fields: Fields): () => void {
    const e = this.entries.get(id)
    if (!e) return () => {}
    const layer = { fields }
    e.layers.push(layer)
    this.render(id, e)
    return () => {
      const now = this.entries.get(id)
      const i = now?.layers.indexOf(layer) ?? -1
      if (!now || i < 0) return
      now.layers.splice(i, 1)
      this.render(id, now)
    }
  }

  /** Forgets all threads but those to be kept. */
  sweep(keep: (id: string) => boolean) {
    for (const [id, e] of this.entries)
      if (!e.layers.length && !this.listeners.has(id) && !keep(id)) this.entries.delete(id)
  }

  subscribe(id: string, f: () => void): () => void {
    let set = this.listeners.get(id)
    if (!set) this.listeners.set(id, (set = new Set()))
    set.add(f)
    return () => {
      set.delete(f)
      if (!set.size && this.listeners.get(id) === set) this.listeners.delete(id)
    }
  }

  private render(id: string, e: Entry) {
    e.shown = e.layers.reduce<InboxThread>((t, { fields }) => {
      const { assignee, ...rest } = fields
      const next = { ...t, ...rest }
      if (assignee === null) delete next.assignee
      else if (assignee) next.assignee = assignee
      return next
    }, e.base)
    this.tell(id)
  }

  private tell(id: string) {
    this.listeners.get(id)?.forEach((f) => f())
  }
}
