// One place for keys and calls of what the page reads. inbox/desk.ts invalidates by the same keys.
import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/react-query'
import { api, ApiError } from './client'
import { withHeard } from './heard'
import { read } from './reads'
import type {
  Account,
  Agent,
  AuditEntry,
  CannedText,
  Channel,
  Charge,
  Entry,
  EntryKind,
  Instance,
  Key,
  Me,
  Message,
  SavedView,
  Usage,
} from './types'

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      gcTime: 5 * 60_000,
      refetchOnWindowFocus: false, // the stream of events keeps what is shown fresh
      networkMode: 'always', // what failed is told at once; the stream's banner tells of the network
      retry: (n, e) => n < 2 && e instanceof ApiError && (e.status === 0 || e.status === 503 || e.status === 429),
      retryDelay: (n, e) => (e instanceof ApiError && e.retryAfter ? e.retryAfter * 1000 : 400 * 2 ** n),
    },
    mutations: { networkMode: 'always' },
  },
})

const after = (p: { pagination: { next_cursor: string | null } }) => p.pagination.next_cursor

export const q = {
  me: () => queryOptions({ queryKey: ['me'], queryFn: () => api.read<Me>(read.me()), staleTime: 5 * 60_000 }),
  instances: () => queryOptions({ queryKey: ['instances'], queryFn: () => api.read<Instance[]>(read.instances()) }),

  messages: (alias: string, thread: string) =>
    infiniteQueryOptions({
      queryKey: ['messages', alias, thread],
      queryFn: async ({ pageParam, signal }) => {
        const asked = performance.now()
        const p = await api.readList<Message>(read.messages(alias, thread, pageParam), signal)
        return withHeard(p, thread, asked, pageParam === null)
      },
      initialPageParam: null as string | null,
      getNextPageParam: after,
      staleTime: Infinity, // events keep it fresh; inbox/desk.ts invalidates after a gap
      gcTime: 60_000,
    }),
  threadAudit: (alias: string, thread: string) =>
    queryOptions({
      queryKey: ['audit', alias, 'thread', thread],
      queryFn: () =>
        api.list<AuditEntry>(`/${alias}/audit`, { thread_id: thread, people: true, limit: 100 }).then((p) => p.data),
      gcTime: 60_000,
    }),

  counts: (alias: string, views: string[]) =>
    queryOptions({
      queryKey: ['counts', alias, views],
      queryFn: () => api.get<{ counts: number[] }>(`/${alias}/counts`, { view: views }).then((d) => d.counts),
      placeholderData: (old) => old,
    }),
  agents: (alias: string) =>
    queryOptions({ queryKey: ['agents', alias], queryFn: () => api.get<Agent[]>(`/${alias}/agents`) }),
  labels: (alias: string) =>
    queryOptions({ queryKey: ['labels', alias], queryFn: () => api.get<string[]>(`/${alias}/labels`) }),
  views: (alias: string) =>
    queryOptions({ queryKey: ['views', alias], queryFn: () => api.get<SavedView[]>(`/${alias}/views`) }),
  canned: (alias: string) =>
    queryOptions({ queryKey: ['canned', alias], queryFn: () => api.get<CannedText[]>(`/${alias}/canned`) }),

  channels: (alias: string) =>
    queryOptions({ queryKey: ['channels', alias], queryFn: () => api.get<Channel[]>(`/${alias}/channels`) }),
  accounts: (alias: string) =>
    queryOptions({
      queryKey: ['channels', alias, 'accounts'],
      queryFn: () => api.get<Account[]>(`/${alias}/accounts`),
    }),
  keys: (alias: string) => queryOptions({ queryKey: ['keys', alias], queryFn: () => api.get<Key[]>(`/${alias}/keys`) }),
  usage: (alias: string, from?: string, to?: string) =>
    queryOptions({
      queryKey: ['usage', alias, 'sum', from, to],
      queryFn: () => api.get<Usage>(`/${alias}/usage`, { from, to }),
    }),
  charges: (alias: string, from: string, to: string, step: 'day' | 'hour') =>
    queryOptions({
      queryKey: ['usage', alias, 'charges', from, to, step],
      queryFn: () => api.get<Charge[]>(`/${alias}/charges`, { from, to, step }),
      placeholderData: (old) => old,
    }),
  entries: (alias: string, kind?: EntryKind) =>
    infiniteQueryOptions({
      queryKey: ['usage', alias, 'entries', kind],
      queryFn: ({ pageParam, signal }) =>
        api.list<Entry>(`/${alias}/entries`, { kind, limit: 50, cursor: pageParam }, signal),
      initialPageParam: null as string | null,
      getNextPageParam: after,
    }),
  audit: (alias: string, f: { actor?: string; type?: string; people?: boolean; thread_id?: string }) =>
    infiniteQueryOptions({
      queryKey: ['audit', alias, 'all', f],
      queryFn: ({ pageParam, signal }) =>
        api.list<AuditEntry>(
          `/${alias}/audit`,
          { ...f, people: f.people || undefined, limit: 50, cursor: pageParam },
          signal,
        ),
      initialPageParam: null as string | null,
      getNextPageParam: after,
    }),
}
