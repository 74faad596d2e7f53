// Threads for tests.
import type { InboxThread, Page } from '@/api/types'

export const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()

/** A thread that is newer the greater its number is. */
export const thread = (n: number, o: Partial<InboxThread> = {}): InboxThread => ({
  id: 't' + String(n).padStart(6, '0'),
  provider: 'telegram',
  subject: 'Thread ' + n,
  ai_summary: '',
  status: 'open',
  priority: 'normal',
  labels: [],
  handler: 'agents',
  custom_data: {},
  unread_count: 0,
  last_message_at: at(n),
  created_at: at(0),
  ...o,
})

/** A server with threads, the newest first; a cursor is a place in them. */
export function server(threads: InboxThread[]) {
  const calls: (string | null)[] = []
  const fetch = (cursor: string | null, limit: number): Promise<Page<InboxThread>> => {
    calls.push(cursor)
    const from = Number(cursor ?? 0)
    const data = threads.slice(from, from + limit)
    const end = from + limit
    const more = end < threads.length
    return Promise.resolve({
      data,
      pagination: { page: 1, limit, next_cursor: more ? String(end) : null, has_more: more },
    })
  }
  return { fetch, calls }
}
