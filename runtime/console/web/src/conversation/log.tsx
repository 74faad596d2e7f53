import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { ArrowDown, ChevronDown } from 'lucide-react'
import {
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type Ref,
} from 'react'
import { q, queryClient } from '@/api/queries'
import type { Message } from '@/api/types'
import { useCommands } from '@/app/commands'
import { t } from '@/i18n'
import { deskOf } from '@/inbox/desk'
import { unseen, useSending } from '@/composer/outbox'
import { Button } from '@/ui/button'
import { ErrorNote, Skeleton } from '@/ui/states'
import { ChunkView, type Reading } from './chunk'
import { OutgoingRow } from './outgoing'
import { chunks, firstUnread, type Chunk } from './rows'
import { Follower } from './scroll'

export interface LogHandle {
  toEnd(): void
  focus(): void
}

interface LogProps {
  alias: string
  id: string
  manage: boolean
  /** All that was read, oldest first. */
  messages: Message[]
  onAnswer?(m: Message): void
  onRaw?(m: Message): void
  ref?: Ref<LogHandle>
}

const ahead = 1600 // px from the top where older messages begin to be read
const kept = 3 // pages, once the reader is back at the end

export function Log({ alias, id, manage, messages, onAnswer, onRaw, ref }: LogProps) {
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage, isFetchNextPageError } =
    useInfiniteQuery(q.messages(alias, id))
  const trail = useQuery(q.threadAudit(alias, id)).data
  const sending = useSending(alias, id)
  const own = deskOf(alias).actor
  const outgoing = useMemo(
    () => unseen(sending, sending.length ? messages.toReversed() : [], own?.slice('agent:'.length)),
    [sending, messages, own],
  )
  // Where the reader stopped reading before this visit stays marked while it lasts.
  const [unread, setUnread] = useState<string | null>()
  if (unread === undefined && data) {
    const n = deskOf(alias).threads.get(id)?.unread_count ?? 0
    setUnread((n > 0 && firstUnread(messages, n)) || null)
  }
  const pieces = useMemo(
    () => chunks(messages, trail ?? [], { complete: !hasNextPage, unread: unread ?? undefined }),
    [messages, trail, hasNextPage, unread],
  )

  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const [atEnd, setAtEnd] = useState(true)
  const [far, setFar] = useState(false)
  const more = useRef(() => {})
  const [follower] = useState(
    () =>
      new Follower((end, fromTop, fromEnd) => {
        setAtEnd(end)
        setFar(fromEnd > 500)
        if (fromTop < ahead) more.current()
      }),
  )
  useEffect(() => {
    more.current = () => {
      if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage()
    }
    if ((scroller.current?.scrollTop ?? ahead) < ahead) more.current()
  })
  useEffect(() => {
    if (scroller.current && content.current) return follower.attach(scroller.current, content.current)
  }, [follower])
  useLayoutEffect(() => follower.settle(), [follower, pieces, outgoing.length])

  useImperativeHandle(ref, () => ({
    toEnd: () => follower.toEnd(),
    focus: () => scroller.current?.focus({ preventScroll: true }),
  }))

  const last = messages.at(-1)?.seq ?? 0
  const [seen, setSeen] = useState(last)
  if (atEnd && seen !== last) setSeen(last)
  const news = atEnd ? 0 : messages.filter((m) => m.seq > seen && 'agent:' + m.author.id !== own).length

  // Whoever is back at the end rarely wants all that was read above it.
  const pages = data?.pages.length ?? 0
  useEffect(() => {
    if (!atEnd || pages <= kept) return
    const timer = setTimeout(() => {
      queryClient.setQueryData(
        q.messages(alias, id).queryKey,
        (old) => old && { pages: old.pages.slice(0, kept), pageParams: old.pageParams.slice(0, kept) },
      )
    }, 4000)
    return () => clearTimeout(timer)
  }, [alias, id, atEnd, pages])

  useCommands([
    {
      id: 'thread.end',
      group: 'thread',
      title: t('command.end'),
      keys: 'shift+g',
      run: () => follower.toEnd(true),
    },
  ])

  const find = useCallback(
    (message: string) =>
      queryClient
        .getQueryData(q.messages(alias, id).queryKey)
        ?.pages.flatMap((p) => p.data)
        .find((m) => m.id === message),
    [alias, id],
  )
  const reading = useMemo<Reading>(
    () => ({ alias, manage, find, onAnswer, onRaw, scroller }),
    [alias, manage, find, onAnswer, onRaw],
  )

  return (
    <div className="talk-log-frame">
      <div
        ref={scroller}
        className="talk-log"
        role="log"
        aria-label={t('log.label')}
        aria-live="off" // the shell announces what comes in, wherever the reader is
        aria-busy={!data && !error}
        tabIndex={0}
      >
        <div ref={content} className="talk-log-content">
          {!data && !error && <Ghosts />}
          {error && !data ? <ErrorNote error={error} onRetry={() => void refetch()} /> : null}
          {data && (
            <div className="talk-log-head">
              {hasNextPage ? (
                isFetchNextPageError ? (
                  <Button size="small" onClick={() => void fetchNextPage()}>
                    {t('log.older')}
                  </Button>
                ) : (
                  <span className="talk-older" />
                )
              ) : (
                <span>{t(messages.length || outgoing.length ? 'log.begin' : 'talk.empty')}</span>
              )}
            </div>
          )}
          <Pieces pieces={pieces} reading={reading} />
          {outgoing.map((o) => (
            <OutgoingRow key={o.key} item={o} />
          ))}
        </div>
      </div>
      {news > 0 ? (
        <Button className="talk-pill" variant="primary" icon={<ArrowDown />} onClick={() => follower.toEnd(true)}>
          {t('log.new', { n: news })}
        </Button>
      ) : (
        far && (
          <button
            type="button"
            className="talk-to-end"
            aria-label={t('log.toEnd')}
            title={t('log.toEnd')}
            onClick={() => follower.toEnd(true)}
          >
            <ChevronDown size={18} aria-hidden="true" />
          </button>
        )
      )}
    </div>
  )
}

const Pieces = ({ pieces, reading }: { pieces: Chunk[]; reading: Reading }) =>
  pieces.map((c) => <ChunkView key={c.key} chunk={c} reading={reading} />)

function Ghosts() {
  return (
    <div className="talk-ghosts">
      <Skeleton width="52%" height={54} />
      <Skeleton width="38%" height={36} />
      <span className="talk-ghost-out">
        <Skeleton width="46%" height={54} />
      </span>
      <Skeleton width="60%" height={72} />
      <span className="sr-only">{t('log.loading')}</span>
    </div>
  )
}
