// The messages of threads that were looked at, as TanStack Query keeps them: pages, each newest first.
import type { InfiniteData } from '@tanstack/react-query'
import { heardMessages } from '@/api/heard'
import { q, queryClient } from '@/api/queries'
import type { Message, Page } from '@/api/types'

type Pages = InfiniteData<Page<Message>>

const keyOf = (alias: string, thread: string) => q.messages(alias, thread).queryKey

/** Adds a message, or replaces it where it is. */
export function withMessage(old: Pages, m: Message): Pages {
  let found = false
  const pages = old.pages.map((p) => {
    const i = p.data.findIndex((x) => x.id === m.id)
    if (i < 0) return p
    found = true
    return { ...p, data: p.data.with(i, m) }
  })
  const first = pages[0]
  if (!found && first) pages[0] = { ...first, data: [m, ...first.data] }
  return { ...old, pages }
}

/** Takes what the stream told of a message. */
export function hearMessage(alias: string, m: Message) {
  heardMessages.note(m.id, m)
  putMessage(alias, m)
}

/** Takes a message that a call made, unless it is known: what is known is as new, or newer. */
export function addMessage(alias: string, m: Message) {
  const shown = inOrder(queryClient.getQueryData(keyOf(alias, m.thread_id)))
  if (!heardMessages.since(m.id, 0) && !shown.some((x) => x.id === m.id)) putMessage(alias, m)
}

/** Takes what a call was answered that was asked at a time of performance.now(), unless the stream told more since. */
export function answerMessage(alias: string, m: Message, asked: number) {
  if (!heardMessages.since(m.id, asked)) putMessage(alias, m)
}

/** Shows a message as it is, or is about to be. */
export function putMessage(alias: string, m: Message) {
  const key = keyOf(alias, m.thread_id)
  const old = queryClient.getQueryData(key)
  // one that is older than all that was read will come with its page
  if (!old || (old.pages.at(-1)?.pagination.has_more && m.seq < (old.pages.at(-1)?.data.at(-1)?.seq ?? 0))) return
  queryClient.setQueryData(key, withMessage(old, m))
}

/** Takes from the stream that a message is gone. */
export function hearGone(alias: string, thread: string, id: string) {
  heardMessages.note(id, undefined)
  queryClient.setQueryData(
    keyOf(alias, thread),
    (old) => old && { ...old, pages: old.pages.map((p) => ({ ...p, data: p.data.filter((m) => m.id !== id) })) },
  )
}

/** All that was read, oldest first. */
export const inOrder = (data: Pages | undefined): Message[] =>
  data ? data.pages.flatMap((p) => p.data).sort((a, b) => a.seq - b.seq) : []

/** Has a thread's newest messages at hand before it is opened. */
export function prefetch(alias: string, thread: string | undefined) {
  if (!thread) return
  void queryClient.prefetchInfiniteQuery(q.messages(alias, thread))
  void queryClient.prefetchQuery(q.threadAudit(alias, thread))
}
