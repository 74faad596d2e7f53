// An alias as the page has it open: its threads, the lists of them, and what comes in by the stream.
import { api, ApiError } from '@/api/client'
import { q, queryClient } from '@/api/queries'
import { read } from '@/api/reads'
import { follow, type StreamState } from '@/api/stream'
import type { Agent, BulkChange, BulkResult, InboxThread, LogEvent, Me, ThreadPatch } from '@/api/types'
import { createStore } from '@/app/store'
import { formatFilter, type Filter } from './filter'
import { ThreadList } from './list'
import { hearGone, hearMessage } from './messages'
import { Threads, type Fields } from './threads'

const keptLists = 8
const manyThreads = 3000

export interface Arrival {
  thread: InboxThread
  event: LogEvent
}

export class Desk {
  readonly threads = new Threads()
  readonly connection = createStore<StreamState>('connecting')
  /** The last message that somebody sent us, to be announced. */
  readonly arrival = createStore<Arrival | undefined>(undefined)
  private lists = new Map<string, ThreadList>()
  private later = new Map<string, ReturnType<typeof setTimeout>>()
  /** The thread that is open in the conversation. */
  open: string | undefined

  constructor(readonly alias: string) {}

  get me() {
    return queryClient.getQueryData(q.me().queryKey)
  }

  /** The reader as events name them. Agents are per instance, so /me does not tell. */
  get actor() {
    const subject = this.me?.subject
    const agent = queryClient.getQueryData(q.agents(this.alias).queryKey)?.find((a) => a.subject === subject)
    return agent && 'agent:' + agent.id
  }

  list(filter: Filter): ThreadList {
    const key = formatFilter(filter)
    let l = this.lists.get(key)
    if (l) {
      this.lists.delete(key)
      this.lists.set(key, l) // the map's order is by use
      return l
    }
    const fetch = async (cursor: string | null, limit: number) => {
      const subject = filter.assignee === 'me' ? await this.subject() : ''
      if (this.threads.size > manyThreads) this.sweep()
      return api.readList<InboxThread>(read.inbox(this.alias, filter, subject, limit, cursor))
    }
    l = new ThreadList(filter, this.threads, fetch, () => this.me?.subject ?? '')
    this.lists.set(key, l)
    for (const [k, old] of this.lists) if (this.lists.size > keptLists && !old.reader.shown) this.lists.delete(k)
    void l.refresh()
    return l
  }

  private async subject() {
    return (await queryClient.ensureQueryData(q.me())).subject
  }

  /** A thread that was opened by its address, and is in no list. */
  async load(id: string): Promise<InboxThread> {
    const asked = performance.now()
    const t = await api.read<InboxThread>(read.thread(this.alias, id))
    this.threads.answer(t, asked)
    return t
  }

  follow(): () => void {
    const stop = follow(this.alias, {
      events: (batch) => this.apply(batch),
      state: (s) => {
        this.connection.set(s)
        if (s === 'refused') void queryClient.invalidateQueries({ queryKey: ['instances'] }) // it may be gone
      },
      hello: (first) => first && this.catchUp(),
      gap: () => this.reload(),
    })
    return () => {
      stop()
      this.later.forEach(clearTimeout)
      this.later.clear()
    }
  }

  /** What was read before the stream began may be older than the stream's beginning. */
  private catchUp() {
    const run = async () => {
      for (const l of this.lists.values()) void l.refreshAgain()
      const queryKey = ['messages', this.alias]
      const reads = queryClient.getQueryCache().findAll({ queryKey })
      await Promise.allSettled(reads.map((r) => r.promise))
      void queryClient.invalidateQueries({ queryKey })
      if (this.open) void this.load(this.open).catch(() => {})
    }
    // after the first view, which it would slow down
    const timer = setTimeout(() => void run(), 700)
    this.later.set('catch up', timer)
  }

  /** Reads everything anew, as events were missed. */
  reload() {
    for (const [key, l] of this.lists) {
      if (l.reader.shown) void l.refresh()
      else this.lists.delete(key)
    }
    void queryClient.invalidateQueries({
      predicate: (x) => x.queryKey[1] === this.alias || x.queryKey[0] === 'instances',
    })
    if (this.open) void this.load(this.open).catch(() => {})
  }

  apply(batch: LogEvent[]) {
    const touched = new Map<string, boolean>()
    const me = this.actor
    for (const e of batch) {
      const id = e.thread_id
      if (e.thread) this.threads.hear(e.thread)
      if (e.message) {
        this.threads.hearMessage(e.message)
        hearMessage(this.alias, e.message)
      } else if (e.type === 'message.deleted' && id && e.message_id) hearGone(this.alias, id, e.message_id)
      if (e.type === 'thread.deleted' && id) {
        this.threads.hearGone(id)
        for (const l of this.lists.values()) l.remove(id)
        touched.delete(id)
        if (id === this.open) void queryClient.invalidateQueries({ queryKey: ['messages', this.alias, id] })
      } else if (id && e.thread) touched.set(id, (touched.get(id) ?? true) && e.actor === me)
      if (e.type === 'message.created' && e.message?.direction === 'inbound' && e.thread)
        this.arrival.set({ thread: e.thread, event: e })
      this.refetch(e)
    }
    for (const [id, own] of touched) {
      const t = this.threads.get(id)
      if (t) this.place(t, own)
    }
  }

  /** What else an event makes stale: read again a moment later, and not with each of many events. */
  private refetch(e: LogEvent) {
    const what = e.type.split('.')[0]
    const { alias } = this
    if (what === 'thread' || what === 'message') {
      this.soon(1500, ['counts', alias])
      this.soon(4000, ['instances'])
    }
    if (e.thread_id && what !== 'action') this.soon(600, ['audit', alias, 'thread', e.thread_id])
    if (what === 'channel') this.soon(200, ['channels', alias])
    if (what === 'key') this.soon(200, ['keys', alias])
    if (what === 'credit') this.soon(200, ['usage', alias])
    if (what === 'message' || what === 'action') this.soon(5000, ['usage', alias])
    if (e.changed?.includes('labels')) this.soon(3000, ['labels', alias])
    this.soon(3000, ['audit', alias, 'all'])
  }

  private soon(ms: number, queryKey: unknown[]) {
    const name = queryKey.join('\n')
    if (this.later.has(name)) return
    const run = () => {
      this.later.delete(name)
      void queryClient.invalidateQueries({ queryKey })
    }
    this.later.set(name, setTimeout(run, ms))
  }

  private place(t: InboxThread, own: boolean) {
    for (const l of this.lists.values()) l.place(t, own)
    if (this.threads.size > manyThreads) this.sweep()
  }

  /** Forgets threads that no list has any longer. */
  sweep() {
    const keep = new Set<string>()
    for (const l of this.lists.values()) for (const id of l.ids()) keep.add(id)
    if (this.open) keep.add(this.open)
    this.threads.sweep((id) => keep.has(id))
  }

  /** Changes a thread: at once on the page, then on the server. Rejects with what the server said, after taking it back. */
  async change(id: string, patch: ThreadPatch): Promise<InboxThread> {
    return this.during([id], patch, async () => {
      const asked = performance.now()
      const t = await api.patch<InboxThread>(`/${this.alias}/threads/${id}`, patch)
      this.threads.answer(t, asked)
      return t
    })
  }

  /** Changes many threads; those that could not be changed are given back with why. */
  async changeMany(change: BulkChange): Promise<BulkResult[]> {
    const results: BulkResult[] = []
    await this.during(change.thread_ids, change, async () => {
      for (let i = 0; i < change.thread_ids.length; i += 100) {
        const part = { ...change, thread_ids: change.thread_ids.slice(i, i + 100) }
        const asked = performance.now()
        const d = await api.post<{ results: BulkResult[] }>(`/${this.alias}/bulk`, part)
        for (const r of d.results) if (r.thread) this.threads.answer(r.thread, asked)
        results.push(...d.results)
      }
    })
    return results.filter((r) => !r.ok)
  }

  async markRead(id: string) {
    const t = this.threads.get(id)
    if (!t?.unread_count) return
    const off = this.threads.lay(id, { unread_count: 0 })
    try {
      await api.post(`/${this.alias}/threads/${id}/read`)
      // what came meanwhile is unread, and marked when it is seen
      if (this.threads.said(id)?.last_message_at === t.last_message_at) this.threads.amend(id, { unread_count: 0 })
      this.soon(400, ['counts', this.alias])
      this.soon(400, ['instances'])
    } catch {
      // it stays unread, and is tried again when it is opened next
    } finally {
      off()
    }
  }

  private async during<T>(ids: string[], patch: ThreadPatch & Partial<BulkChange>, run: () => Promise<T>): Promise<T> {
    const off = ids.map((id) => this.threads.lay(id, this.fields(id, patch)))
    const place = () =>
      ids.forEach((id) => {
        const t = this.threads.get(id)
        if (t) this.place(t, true)
      })
    place()
    try {
      return await run()
    } finally {
      off.forEach((f) => f())
      place()
      this.soon(150, ['counts', this.alias])
      this.soon(300, ['instances'])
    }
  }

  private fields(id: string, p: ThreadPatch & Partial<BulkChange>): Fields {
    const f: Fields = {}
    if (p.status) f.status = p.status
    if (p.priority) f.priority = p.priority
    if (p.labels) f.labels = p.labels
    if (p.add_labels || p.remove_labels) {
      const old = this.threads.get(id)?.labels ?? []
      f.labels = [...new Set([...old.filter((l) => !p.remove_labels?.includes(l)), ...(p.add_labels ?? [])])].sort()
    }
    if (p.assignee === null) f.assignee = null
    else if (p.assignee) f.assignee = this.agent(p.assignee)
    return f
  }

  private agent(name: string): Agent {
    const agents = queryClient.getQueryData(q.agents(this.alias).queryKey) ?? []
    const subject = name.startsWith('sub:') ? name.slice(4) : undefined
    const found = agents.find((a) => a.id === name || (subject !== undefined && a.subject === subject))
    const me: Me | undefined = this.me
    return (
      found ?? {
        id: name,
        subject: subject ?? '',
        name: subject === me?.subject && me ? me.name || me.subject : (subject ?? '…'),
      }
    )
  }
}

const desks = new Map<string, Desk>()

/** The desk of an alias. Only the one that is looked at follows the stream; others are let go. */
export function deskOf(alias: string): Desk {
  let d = desks.get(alias)
  if (!d) {
    desks.clear()
    desks.set(alias, (d = new Desk(alias)))
  }
  return d
}

export const isMissing = (e: unknown) => e instanceof ApiError && e.status === 404
