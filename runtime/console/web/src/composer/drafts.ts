// What was written and not sent yet. It survives a reload, in this browser, for who wrote it, until it is sent.
import { useSyncExternalStore } from 'react'

export type Kind = 'reply' | 'note'

/** A call that was made and not answered: asked again with its key, it does nothing twice. */
export interface Attempt {
  key: string
  text: string
  parent?: string
}

export interface Draft {
  text: string
  /** The message that it answers. */
  parent?: string
  attempt?: Attempt
}

interface Stored extends Draft {
  at: number
}

export const draftsKey = 'socialops.drafts'
const most = 60 // drafts
const mostChars = 400_000 // of all of them; a browser keeps some five million
const shelfLife = 60 * 86_400_000

export interface Shelf {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

/** Drafts of one person. Those of others in the same browser are not shown, and stay until they are too old. */
export class Drafts {
  private all = new Map<string, Stored>()
  /** What this page changed and has not stored; the rest is as another tab may have left it. */
  private changed = new Set<string>()
  private listeners = new Set<() => void>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private who: string | undefined

  constructor(
    private readonly shelf: Shelf,
    private readonly now: () => number = Date.now,
  ) {}

  get owner() {
    return this.who
  }

  /** Takes up the drafts of who is signed in; again when that is somebody else. */
  use(subject: string) {
    if (this.who === subject) return
    this.flush()
    this.who = subject
    this.read()
  }

  get(id: string): Draft | undefined {
    return this.all.get(id)
  }

  /** Keeps a draft, or forgets it when there is nothing in it. */
  set(id: string, d: Draft | undefined) {
    const known = this.all.get(id)?.attempt
    this.all.delete(id) // the map's order is by use
    if (d && (d.text || d.parent || d.attempt)) this.all.set(id, { ...d, at: this.now() })
    this.changed.add(id)
    this.listeners.forEach((f) => f())
    clearTimeout(this.timer)
    if (d?.text && d.attempt === known) this.timer = setTimeout(() => this.flush(), 250)
    else this.flush() // an attempt must be known even if the page goes at once
  }

  /** Forgets everything: who used this browser has signed out. */
  clear() {
    this.all.clear()
    this.changed.clear()
    clearTimeout(this.timer)
    this.timer = undefined
    this.shelf.removeItem(draftsKey)
    this.listeners.forEach((f) => f())
  }

  flush() {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.who === undefined || !this.changed.size) return
    this.merge()
    this.bound()
    try {
      const kept = [...this.all].filter(([, d]) => d.text.trim() || d.attempt)
      if (kept.length)
        this.shelf.setItem(draftsKey, JSON.stringify({ who: this.who, drafts: Object.fromEntries(kept) }))
      else this.shelf.removeItem(draftsKey)
      this.changed.clear()
    } catch {
      // the browser keeps nothing, or is full: the draft lives as long as the page
    }
  }

  /** Takes what another tab stored, but for what was changed here. */
  merge() {
    const stored = this.stored()
    if (!stored) return
    const mine = [...this.all].filter(([id]) => this.changed.has(id))
    const theirs = Object.entries(stored).filter(([id]) => !this.changed.has(id))
    const before = this.all
    this.all = new Map([...theirs, ...mine].sort(([, a], [, b]) => a.at - b.at))
    for (const [id, d] of this.all) {
      const old = before.get(id)
      if (old && old.at === d.at) this.all.set(id, old) // the same object, so that nobody draws anew
    }
    const same = before.size === this.all.size && [...this.all].every(([id, d]) => before.get(id) === d)
    if (!same) this.listeners.forEach((f) => f())
  }

  subscribe = (f: () => void) => {
    this.listeners.add(f)
    return () => void this.listeners.delete(f)
  }

  private read() {
    this.all = new Map(Object.entries(this.stored() ?? {}).sort(([, a], [, b]) => a.at - b.at))
    this.changed.clear()
    this.listeners.forEach((f) => f())
  }

  /** Nothing where somebody else's drafts are. */
  private stored(): Record<string, Stored> | undefined {
    try {
      const s = JSON.parse(this.shelf.getItem(draftsKey) ?? 'null') as {
        who?: unknown
        drafts?: Record<string, Stored>
      } | null
      if (s === null) return {}
      if (s.who !== this.who) return undefined
      return Object.fromEntries(
        Object.entries(s.drafts ?? {}).filter(([, d]) => typeof d.text === 'string' && this.now() - d.at < shelfLife),
      )
    } catch {
      return {} // written by something else: nothing is lost that was ours
    }
  }

  /** The oldest go when there are too many. */
  private bound() {
    let chars = 0
    let n = 0
    for (const [id, d] of [...this.all].reverse()) {
      chars += d.text.length + (d.attempt?.text.length ?? 0)
      if (++n > most || (chars > mostChars && n > 1)) this.all.delete(id)
    }
  }
}

export const drafts = new Drafts(globalThis.localStorage)
globalThis.addEventListener?.('pagehide', () => drafts.flush())
globalThis.addEventListener?.('storage', (e) => e.key === draftsKey && drafts.merge())

export const draftID = (alias: string, thread: string, kind: Kind) => `${alias}/${thread}/${kind}`

/** Whether a thread has something written and not sent. */
export const hasDraft = (alias: string, thread: string) =>
  (['reply', 'note'] as const).some((k) => drafts.get(draftID(alias, thread, k))?.text.trim())

export const useHasDraft = (alias: string, thread: string) =>
  useSyncExternalStore(drafts.subscribe, () => Boolean(hasDraft(alias, thread)))

export const useDraft = (id: string) => useSyncExternalStore(drafts.subscribe, () => drafts.get(id))

export const forgetDrafts = () => drafts.clear()
