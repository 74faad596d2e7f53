// A list of threads, of any length, in bounded memory: pages far from what is shown keep their cursor and their
// length, and are read again when they are scrolled to. Rows have one height, so a place is arithmetic.
import { firstThreads } from '@/api/reads'
import type { InboxThread, Page } from '@/api/types'
import { matches, type Filter } from './filter'
import type { Threads } from './threads'

interface Slot {
  cursor: string | null
  /** null: forgotten, to be read again */
  ids: string[] | null
  count: number
  loading?: boolean
}

export type Fetch = (cursor: string | null, limit: number) => Promise<Page<InboxThread>>

const limit = 100
const kept = 14 // pages with their ids
const around = 250 // rows beside those shown that are kept ready

export class ThreadList {
  private slots: Slot[] = []
  private next: string | null | undefined // undefined: nothing read yet
  private pending = new Set<string>()
  private listeners = new Set<() => void>()
  private generation = 0
  private busy = false
  private filling = false
  private refreshed: Promise<void> = Promise.resolve()
  version = 0
  error: unknown
  /** What the reader does with the list; set by the component that shows it. */
  reader = { atTop: true, shown: false, scrollTop: 0 }
  private seen = { first: 0, last: 0 }
  /** The thread that the reader is at: it neither moves nor goes while it is. */
  sticky: string | undefined

  constructor(
    readonly filter: Filter,
    private threads: Threads,
    private fetch: Fetch,
    private subject: () => string,
  ) {}

  get loaded() {
    return this.next !== undefined
  }
  get hasMore() {
    return this.next !== null
  }
  get length() {
    return this.slots.reduce((n, s) => n + s.count, 0)
  }
  /** Threads that came while the reader was further down, and are not shown yet. */
  get fresh() {
    return this.pending.size
  }
  get refreshing() {
    return this.busy
  }

  subscribe = (f: () => void) => {
    this.listeners.add(f)
    return () => void this.listeners.delete(f)
  }

  idAt(index: number): string | undefined {
    if (index < 0) return undefined
    for (const s of this.slots) {
      if (index < s.count) return s.ids?.[index]
      index -= s.count
    }
    return undefined
  }

  indexOf(id: string): number {
    let start = 0
    for (const s of this.slots) {
      const i = s.ids?.indexOf(id) ?? -1
      if (i >= 0) return start + i
      start += s.count
    }
    return -1
  }

  ids(): string[] {
    return this.slots.flatMap((s) => s.ids ?? [])
  }

  /** Reads the beginning. What is shown is replaced if the reader is at the top, else only what is new is told. */
  refresh(): Promise<void> {
    return (this.refreshed = this.begin())
  }

  /** Waits for a reading of the beginning that is under way. */
  settled(): Promise<void> {
    return this.refreshed
  }

  /** Reads the beginning once more, after a reading that is under way. */
  async refreshAgain(): Promise<void> {
    await this.refreshed
    await this.refresh()
  }

  private async begin(): Promise<void> {
    const g = ++this.generation
    this.busy = true
    const asked = performance.now()
    try {
      const p = await this.fetch(null, firstThreads)
      if (g !== this.generation) return
      this.error = undefined
      const ids = this.take(p, asked)
      if (this.loaded && this.reader.shown && !this.reader.atTop) {
        for (const id of ids) if (this.indexOf(id) < 0) this.pending.add(id)
        this.age()
      } else {
        this.slots = [{ cursor: null, ids, count: ids.length }]
        this.next = p.pagination.next_cursor
        this.pending.clear()
      }
      this.placeSince(asked)
    } catch (e) {
      if (g === this.generation) this.error = e
    } finally {
      if (g === this.generation) this.busy = false
      this.changed()
    }
  }

  /** The threads of a page that are not gone since. */
  private take(p: Page<InboxThread>, asked: number): string[] {
    return p.data.filter((t) => this.threads.answer(t, asked)).map((t) => t.id)
  }

  /** What came or changed while a page was read may not be in it. */
  private placeSince(asked: number) {
    for (const { id } of this.threads.heardSince(asked)) {
      const t = this.threads.get(id)
      if (t) this.place(t, false)
    }
  }

  /** What is in sight is read again where it is; the rest when it is scrolled to. */
  private age() {
    const { first, last } = this.seen
    let start = 0
    for (const s of this.slots) {
      const end = start + s.count
      if (start > 0 && s.ids) {
        if (end > first && start < last) void this.refill(s)
        else s.ids = null
      }
      start = end
    }
  }

  /** Reads on after something could not be read. */
  retry() {
    this.error = undefined
    if (!this.loaded) void this.refresh()
    else void this.more()
    this.changed()
  }

  /** Shows what is new: the list begins anew at the top. */
  showFresh() {
    this.reader.atTop = true
    for (const id of this.pending) {
      const t = this.threads.get(id)
      this.drop(id)
      if (t && this.belongs(t)) this.insert(t)
    }
    this.pending.clear()
    this.changed()
  }

  /** Has the rows from first to last ready, and those around; forgets those far away. */
  ensure(first: number, last: number) {
    if (!this.loaded) return
    this.seen = { first, last }
    let start = 0
    for (const s of this.slots) {
      const end = start + s.count
      if (!s.ids && start < last + around && end > first - around) void this.refill(s)
      start = end
    }
    if (last > start - around && this.next && this.error === undefined) void this.more()
    this.forget(first, last)
  }

  private async more() {
    const cursor = this.next
    if (this.filling || !cursor) return
    this.filling = true
    const g = this.generation
    const asked = performance.now()
    try {
      const p = await this.fetch(cursor, limit)
      if (g !== this.generation) return
      const known = new Set(this.ids())
      const ids = this.take(p, asked).filter((id) => !known.has(id))
      this.slots.push({ cursor, ids, count: ids.length })
      this.next = p.pagination.next_cursor
      this.placeSince(asked)
      this.error = undefined
    } catch (e) {
      if (g === this.generation) this.error = e
    } finally {
      this.filling = false
      this.changed()
    }
  }

  private async refill(s: Slot) {
    if (s.loading) return
    s.loading = true
    const g = this.generation
    const asked = performance.now()
    try {
      const p = await this.fetch(s.cursor, s.cursor ? limit : firstThreads)
      if (g !== this.generation) return
      const known = new Set(this.slots.flatMap((other) => (other === s ? [] : (other.ids ?? []))))
      s.ids = this.take(p, asked).filter((id) => !known.has(id))
      s.count = s.ids.length
      this.placeSince(asked)
    } catch (e) {
      if (g === this.generation) this.error = e
    } finally {
      s.loading = false
      this.changed()
    }
  }

  private forget(first: number, last: number) {
    if (this.slots.reduce((n, s) => n + (s.ids ? 1 : 0), 0) <= kept) return
    let start = 0
    for (const s of this.slots) {
      const end = start + s.count
      // the first page is where new threads come in
      if (s.ids && start > 0 && (end < first - 3 * around || start > last + 3 * around)) s.ids = null
      start = end
    }
  }

  /**
   * Looks again where a thread belongs, after it changed. own: the reader changed it, so the list follows at once;
   * what others change moves nothing unless the reader is at the top.
   */
  place(t: InboxThread, own: boolean) {
    if (!this.loaded) return
    const at = this.indexOf(t.id)
    const free = !this.reader.shown || (this.reader.atTop && !this.pending.size)
    if (!this.belongs(t)) {
      this.pending.delete(t.id)
      if (at >= 0 && t.id !== this.sticky && (own || free)) this.drop(t.id)
      this.changed() // what stays is shown as done
      return
    }
    if (at >= 0) {
      if (this.inPlace(t, at)) return
      if (t.id === this.sticky) return
      if (free) {
        this.drop(t.id)
        this.insert(t)
      } else if (!own) this.pending.add(t.id)
    } else if (this.filter.q && !own) return
    else if (own || free) this.insert(t)
    else if (this.within(t)) this.pending.add(t.id)
    this.changed()
  }

  /** The reader has left a thread: it goes if it no longer belongs here. */
  leave(id: string) {
    if (this.sticky === id) this.sticky = undefined
    const t = this.threads.get(id)
    if (t && !this.belongs(t) && this.indexOf(id) >= 0) {
      this.drop(id)
      this.changed()
    }
  }

  remove(id: string) {
    this.pending.delete(id)
    this.drop(id)
    this.changed()
  }

  belongs(t: InboxThread) {
    return matches(this.filter, t, this.subject())
  }

  private before(a: InboxThread, b: InboxThread) {
    return a.last_message_at !== b.last_message_at
      ? Date.parse(a.last_message_at) > Date.parse(b.last_message_at)
      : a.id > b.id
  }

  private inPlace(t: InboxThread, at: number) {
    const up = this.threads.get(this.idAt(at - 1) ?? '')
    const down = this.threads.get(this.idAt(at + 1) ?? '')
    return !(up && this.before(t, up)) && !(down && this.before(down, t))
  }

  private within(t: InboxThread) {
    if (this.next === null) return true
    const last = this.threads.get(this.slots.at(-1)?.ids?.at(-1) ?? '')
    return !last || this.before(t, last)
  }

  private insert(t: InboxThread) {
    if (this.indexOf(t.id) >= 0) return
    for (const s of this.slots) {
      if (!s.ids) continue
      const i = s.ids.findIndex((id) => {
        const other = this.threads.get(id)
        return !other || this.before(t, other)
      })
      if (i < 0) continue
      s.ids.splice(i, 0, t.id)
      s.count++
      return
    }
    if (this.next !== null) return // further down than was read: it will come with its page
    if (!this.slots.length) this.slots.push({ cursor: null, ids: [], count: 0 })
    const s = this.slots.at(-1) as Slot
    s.ids?.push(t.id)
    if (s.ids) s.count++
  }

  private drop(id: string) {
    for (const s of this.slots) {
      const i = s.ids?.indexOf(id) ?? -1
      if (i < 0) continue
      s.ids?.splice(i, 1)
      s.count--
    }
  }

  private changed() {
    this.version++
    this.listeners.forEach((f) => f())
  }
}
