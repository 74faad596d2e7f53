// The addresses of what the first view reads: app/early.ts asks for them before the page's code is there.
import { apiQuery, type Filter } from '@/inbox/filter'
import type { Query } from './client'

export interface Read {
  path: string
  query?: Query
}

/** How many threads a list begins with. */
export const firstThreads = 50

export const read = {
  me: (): Read => ({ path: '/me' }),
  instances: (): Read => ({ path: '/instances' }),
  inbox: (alias: string, filter: Filter, subject: string, limit: number, cursor: string | null): Read => ({
    path: `/${alias}/inbox`,
    query: { ...apiQuery(filter, subject), limit, cursor },
  }),
  thread: (alias: string, thread: string): Read => ({ path: `/${alias}/threads/${thread}` }),
  messages: (alias: string, thread: string, cursor: string | null): Read => ({
    path: `/${alias}/threads/${thread}/messages`,
    query: { order: 'newest', limit: 40, cursor },
  }),
}
