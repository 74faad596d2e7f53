// What is on its way to the server: shown in the log at once, sent until it is answered, and given back when it is
// refused. Each attempt has one Idempotency-Key, so however often it is sent it is taken once.
import { useSyncExternalStore } from 'react'
import { api, ApiError } from '@/api/client'
import type { Message, Queued } from '@/api/types'
import { t } from '@/i18n'
import { addMessage } from '@/inbox/messages'
import { toastError } from '@/ui/toast'
import { draftID, drafts, type Attempt, type Kind } from './drafts'

export interface Sending extends Attempt {
  alias: string
  thread: string
  kind: Kind
  at: string
  /** sending: asked, not answered yet. waiting: no answer came; it is asked again. */
  state: 'sending' | 'waiting'
  /** The newest message when it was sent, so that its own is told from an equal one before. */
  after: number
}

interface Refusal {
  error: ApiError
}

const none: readonly Sending[] = []
const mostWait = 15_000

/** Nothing that the server decided: the same call may succeed. */
export const mayPass = (e: unknown) =>
  !(e instanceof ApiError) || e.status === 0 || e.status === 408 || e.status === 429 || e.status >= 500

const randomKey = () =>
  crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16)).join('-')

class Outbox {
  private threads = new Map<string, readonly Sending[]>()
  private listeners = new Set<() => void>()
  private wake = new Map<string, () => void>()
  private refusals = new Map<string, Refusal>()
  private last = new Map<string, Promise<unknown>>()
  /** Where a refusal is seen by itself. */
  readonly watched = new Set<string>()

  constructor() {
    globalThis.addEventListener?.('online', () => this.wake.forEach((f) => f()))
  }

  subscribe = (f: () => void) => {
    this.listeners.add(f)
    return () => void this.listeners.delete(f)
  }

  of(alias: string, thread: string): readonly Sending[] {
    return this.threads.get(alias + '/' + thread) ?? none
  }

  /** Why the last text was given back. */
  refusal(id: string) {
    return this.refusals.get(id)
  }

  forgive(id: string) {
    if (this.refusals.delete(id)) this.tell()
  }

  /** Sends a text. The draft is its own until the server has it. */
  send(alias: string, thread: string, kind: Kind, text: string, after: number, parent?: string): Promise<boolean> {
    const id = draftID(alias, thread, kind)
    const old = drafts.get(id)?.attempt
    const key = old && old.text === text && old.parent === parent ? old.key : randomKey()
    const s: Sending = { alias, thread, kind, text, parent, key, after, at: new Date().toISOString(), state: 'sending' }
    if (this.of(alias, thread).some((o) => o.key === key)) return Promise.resolve(false) // it is on its way already
    this.refusals.delete(id)
    drafts.set(id, { text: '', attempt: { key, text, parent } })
    this.put(s)
    // one after the other, so that they stand in the order in which they were written
    const place = alias + '/' + thread
    const mine = (this.last.get(place) ?? Promise.resolve()).then(() => this.run(s, id))
    this.last.set(place, mine)
    void mine.finally(() => this.last.get(place) === mine && this.last.delete(place))
    return mine
  }

  /** Asks again now. */
  retry(key: string) {
    this.wake.get(key)?.()
  }

  private async run(s: Sending, id: string): Promise<boolean> {
    for (let n = 0; ; n++) {
      try {
        const done = await api.post<Queued>(
          `/${s.alias}/threads/${s.thread}/${s.kind === 'reply' ? 'replies' : 'notes'}`,
          { text: s.text, parent_id: s.parent },
          { 'Idempotency-Key': s.key },
        )
        this.settle(s, id, done.message)
        return true
      } catch (e) {
        if (!mayPass(e)) {
          this.giveBack(s, id, e as ApiError)
          return false
        }
        this.put({ ...s, state: 'waiting' })
        const after = e instanceof ApiError ? e.retryAfter : undefined
        await this.pause(s.key, after ? after * 1000 : Math.min(mostWait, 400 * 2 ** n))
        this.put({ ...s, state: 'sending' })
      }
    }
  }

  private pause(key: string, ms: number) {
    return new Promise<void>((resolve) => {
      const go = () => {
        clearTimeout(timer)
        this.wake.delete(key)
        resolve()
      }
      const timer = setTimeout(go, ms)
      this.wake.set(key, go)
    })
  }

  private settle(s: Sending, id: string, m: Message) {
    const d = drafts.get(id)
    if (d?.attempt?.key === s.key) drafts.set(id, { ...d, attempt: undefined })
    addMessage(s.alias, m)
    this.drop(s)
  }

  /** The text goes back to where it was written, before what was written since. */
  private giveBack(s: Sending, id: string, error: ApiError) {
    const since = drafts.get(id)?.text ?? ''
    drafts.set(id, { text: since.trim() ? s.text + '\n\n' + since : s.text, parent: s.parent })
    this.refusals.set(id, { error })
    this.drop(s)
    if (!this.watched.has(id))
      toastError(t(s.kind === 'reply' ? 'composer.refused.reply' : 'composer.refused.note'), error)
  }

  private put(s: Sending) {
    const list = this.of(s.alias, s.thread)
    const at = list.findIndex((o) => o.key === s.key)
    this.threads.set(s.alias + '/' + s.thread, at < 0 ? [...list, s] : list.with(at, s))
    this.tell()
  }

  private drop(s: Sending) {
    const left = this.of(s.alias, s.thread).filter((o) => o.key !== s.key)
    if (left.length) this.threads.set(s.alias + '/' + s.thread, left)
    else this.threads.delete(s.alias + '/' + s.thread)
    this.tell()
  }

  private tell() {
    this.listeners.forEach((f) => f())
  }
}

export const outbox = new Outbox()

export const useSending = (alias: string, thread: string) =>
  useSyncExternalStore(outbox.subscribe, () => outbox.of(alias, thread))

export const useRefusal = (id: string) => useSyncExternalStore(outbox.subscribe, () => outbox.refusal(id))

/** Those that the log does not have yet: a message may come by the stream before its call is answered. */
export function unseen(
  sending: readonly Sending[],
  newestFirst: readonly Message[],
  me: string | undefined,
): Sending[] {
  const taken = new Set<string>()
  return sending.filter((s) => {
    const m = newestFirst.find(
      (x) =>
        x.seq > s.after &&
        x.text === s.text &&
        x.direction === (s.kind === 'reply' ? 'outbound' : 'internal') &&
        x.author.kind === 'agent' &&
        (!me || x.author.id === me) &&
        !taken.has(x.id),
    )
    if (m) taken.add(m.id)
    return !m
  })
}
