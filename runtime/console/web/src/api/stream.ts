// The stream of an alias's events: one connection, resumed where it broke off. EventSource can't send a token.
import { createParser } from 'eventsource-parser'
import { request } from './client'
import type { LogEvent } from './types'

/** refused: there is nothing to follow for whoever asks. */
export type StreamState = 'connecting' | 'live' | 'lost' | 'refused'

export interface StreamHandlers {
  events(batch: LogEvent[]): void
  state(s: StreamState): void
  /** The stream begins at this event. first: nothing was followed before. */
  hello(first: boolean): void
  /** What lies between is gone: everything has to be read anew. */
  gap(): void
}

const silence = 40_000 // the server says something each 15 s
const refusedFor = 30_000 // an inbox that is not there, or no longer the reader's, may come
const gather = 40 // ms that events are collected before they are shown

/** Waiting grows to 15 s, with chance in it, so that a restart is not met by everybody at once. */
export const backoff = (attempt: number, random = Math.random()) =>
  Math.min(15_000, 500 * 2 ** Math.min(attempt, 5)) * (0.6 + 0.4 * random)

/** Follows an alias until the function that it returns is called. */
export function follow(alias: string, on: StreamHandlers): () => void {
  let lastID = ''
  let attempt = 0
  let stopped = false
  let abort: AbortController | undefined
  let retry: ReturnType<typeof setTimeout> | undefined
  let watch: ReturnType<typeof setTimeout> | undefined
  let flush: ReturnType<typeof setTimeout> | undefined
  let batch: LogEvent[] = []

  const deliver = () => {
    flush = undefined
    const b = batch
    batch = []
    if (b.length) on.events(b)
  }

  const heard = () => {
    clearTimeout(watch)
    watch = setTimeout(() => abort?.abort(), silence)
  }

  const again = (state: StreamState = 'lost') => {
    clearTimeout(watch)
    if (stopped) return
    on.state(state)
    retry = setTimeout(() => void connect(), state === 'refused' ? refusedFor : backoff(attempt++))
  }

  async function connect() {
    clearTimeout(retry)
    if (stopped) return
    const mine = (abort = new AbortController())
    heard()
    try {
      const res = await request('GET', `/${alias}/events`, {
        headers: { Accept: 'text/event-stream', ...(lastID && { 'Last-Event-ID': lastID }) },
        signal: mine.signal,
      })
      if (res.status === 410) {
        lastID = ''
        on.gap()
        return void connect()
      }
      if (!res.ok || !res.body) {
        await res.body?.cancel()
        return again(res.status === 403 || res.status === 404 ? 'refused' : 'lost')
      }
      let greeted = false
      const first = !lastID
      const parser = createParser({
        onEvent(e) {
          if (e.id) lastID = e.id
          if (!e.data) return
          try {
            batch.push(JSON.parse(e.data) as LogEvent)
          } catch {
            return // not an event of ours
          }
          flush ??= setTimeout(deliver, gather)
        },
      })
      const reader = res.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        heard()
        if (!greeted) {
          // an id without data is no event to the parser, yet it is where the stream begins
          const id = /^id: ?(\d+)$/m.exec(value)?.[1]
          if (id && !lastID) lastID = id
          greeted = true
          attempt = 0
          on.state('live')
          on.hello(first)
        }
        parser.feed(value)
      }
    } catch {
      // cut off, or refused: tried again either way
    }
    if (abort === mine) again()
  }

  const online = () => {
    attempt = 0
    abort?.abort()
    void connect()
  }
  const offline = () => {
    on.state('lost')
    abort?.abort()
  }
  window.addEventListener('online', online)
  window.addEventListener('offline', offline)
  on.state('connecting')
  void connect()

  return () => {
    stopped = true
    window.removeEventListener('online', online)
    window.removeEventListener('offline', offline)
    clearTimeout(retry)
    clearTimeout(watch)
    clearTimeout(flush)
    abort?.abort()
  }
}
