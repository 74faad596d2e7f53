// The right pane: one conversation, all that was written in it, and where to write.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { MessageCircleOff } from 'lucide-react'
import { Suspense, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { api } from '@/api/client'
import { q, queryClient } from '@/api/queries'
import type { AuditEntry, InboxThread, Me, Message } from '@/api/types'
import { useCommands } from '@/app/commands'
import { Composer, type ComposerHandle } from '@/composer/composer'
import { drafts } from '@/composer/drafts'
import { unseen, useSending } from '@/composer/outbox'
import { t } from '@/i18n'
import { deskOf, isMissing, type Desk } from '@/inbox/desk'
import { answerMessage, inOrder, putMessage } from '@/inbox/messages'
import { useThread } from '@/inbox/use-thread'
import { Button } from '@/ui/button'
import { EmptyState, ErrorNote } from '@/ui/states'
import { toastError } from '@/ui/toast'
import { lazyPart } from '@/ui/lazy-part'
import { TalkContext, type Talk } from './context'
import { Header } from './header'
import { Log, LogSkeleton, type LogHandle } from './log'
import type { MenuAt } from './message-menu'
import './conversation.css'

const MessageMenu = lazyPart(() => import('./message-menu'))
const RawPayload = lazyPart(() => import('./raw'))

interface Props {
  alias: string
  id: string
  me?: Me
  manage: boolean
  onBack?(): void
}

export function Conversation({ alias, id, me, manage, onBack }: Props) {
  const desk = deskOf(alias)
  const thread = useThread(desk, id)
  const [error, setError] = useState<unknown>()
  const [attempt, setAttempt] = useState(0)
  const known = thread !== undefined
  useEffect(() => {
    if (known) return
    let gone = false
    desk.load(id).then(
      () => gone || setError(undefined),
      (e: unknown) => gone || setError(e),
    )
    return () => void (gone = true)
  }, [desk, id, known, attempt])

  return (
    <section className="talk" aria-label={t('talk.label')}>
      {error !== undefined && !thread ? (
        <EmptyState
          icon={<MessageCircleOff />}
          title={t(isMissing(error) ? 'talk.missing' : 'talk.failed')}
          actions={
            <>
              {onBack && <Button onClick={onBack}>{t('talk.back')}</Button>}
              {!isMissing(error) && <Button onClick={() => setAttempt((n) => n + 1)}>{t('action.retry')}</Button>}
            </>
          }
        >
          {isMissing(error) ? <p>{t('talk.missing.text')}</p> : <ErrorNote error={error} />}
        </EmptyState>
      ) : (
        <Talking desk={desk} id={id} thread={thread} me={me} manage={manage} onBack={onBack} />
      )}
    </section>
  )
}

interface TalkingProps extends Omit<Props, 'alias'> {
  desk: Desk
  thread: InboxThread | undefined
}

const nothing: AuditEntry[] = []

function Talking({ desk, id, thread, me, manage, onBack }: TalkingProps) {
  const { alias } = desk
  const read = useInfiniteQuery(q.messages(alias, id))
  const trail = useQuery(q.threadAudit(alias, id)).data ?? nothing
  const messages = useMemo(() => inOrder(read.data), [read.data])
  const own = desk.actor?.replace(/^agent:/, '')
  const sending = useSending(alias, id)
  const going = useMemo(() => unseen(sending, messages, own), [sending, messages, own])
  // as it was when the thread was first known: it is marked as read right after
  const [unread, setUnread] = useState(thread?.unread_count)
  if (unread === undefined && thread) setUnread(thread.unread_count)

  const log = useRef<LogHandle>(null)
  const composer = useRef<ComposerHandle>(null)
  const [menu, setMenu] = useState<MenuAt>()
  const [raw, setRaw] = useState<Message>()

  const byID = useRef(new Map<string, Message>())
  useLayoutEffect(() => {
    byID.current = new Map(messages.map((m) => [m.id, m]))
  }, [messages])
  const provider = thread?.provider ?? ''
  const channel = useQuery(q.channels(alias)).data?.find((c) => c.id === thread?.channel_id)
  const mode = channel?.parse_mode ?? ''
  const talk = useMemo<Talk>(
    () => ({
      alias,
      provider,
      manage,
      mode,
      messageOf: (x) =>
        byID.current.get(x) ??
        inOrder(queryClient.getQueryData(q.messages(alias, id).queryKey)).find((m) => m.id === x),
      menu: (message, anchor) => setMenu({ message, anchor }),
      retry: (m) => void retry(alias, m),
      reveal: (x) => log.current?.reveal(x),
    }),
    [alias, id, provider, manage, mode],
  )

  useCommands([
    { id: 'talk.end', group: 'thread', title: t('command.end'), keys: 'end', run: () => log.current?.toEnd() },
  ])

  const older = {
    has: read.hasNextPage,
    busy: read.isFetchingNextPage,
    error: read.isFetchNextPageError ? read.error : undefined,
    read: () => void read.fetchNextPage({ cancelRefetch: false }),
    forget: () => forgetOlder(alias, id),
  }
  const subject = me?.subject
  useLayoutEffect(() => {
    if (subject) drafts.use(subject)
  }, [subject])
  const ready = useSyncExternalStore(drafts.subscribe, () => drafts.owner !== undefined && drafts.owner === subject)

  return (
    <TalkContext value={talk}>
      <Header desk={desk} thread={thread} manage={manage} onBack={onBack} />
      {read.data ? (
        <Log ref={log} messages={messages} trail={trail} sending={going} older={older} unread={unread ?? 0} me={own} />
      ) : read.error ? (
        <div className="talk-failed">
          <ErrorNote error={read.error} onRetry={() => void read.refetch()} />
        </div>
      ) : (
        <LogSkeleton />
      )}
      {thread && ready ? (
        <Composer
          ref={composer}
          alias={alias}
          thread={thread}
          manage={manage}
          messages={messages}
          onLeave={() => log.current?.focus()}
          onSend={() => log.current?.toEnd()}
        />
      ) : (
        <div className="composer composer-waits" />
      )}
      <Suspense>
        {menu && (
          <MessageMenu
            {...menu}
            manage={manage}
            mayAnswer={manage && provider === 'telegram'}
            onAnswer={(m) => requestAnimationFrame(() => composer.current?.answer(m))}
            onRaw={setRaw}
            onClose={() => setMenu(undefined)}
          />
        )}
        {raw && <RawPayload alias={alias} message={raw} onClose={() => setRaw(undefined)} />}
      </Suspense>
    </TalkContext>
  )
}

const keptPages = 3

/** Lets go of what was read far up: it would stay in memory, and be read again whenever events were missed. */
function forgetOlder(alias: string, id: string) {
  queryClient.setQueryData(
    q.messages(alias, id).queryKey,
    (old) => old && { pages: old.pages.slice(0, keptPages), pageParams: old.pageParams.slice(0, keptPages) },
  )
}

/** Has a failed reply sent again: at once on the page, and taken back when it is refused. */
async function retry(alias: string, m: Message) {
  const asked = performance.now()
  if (m.delivery) putMessage(alias, { ...m, delivery: { ...m.delivery, status: 'pending', error: '', attempts: 0 } })
  try {
    const now = await api.post<Message>(`/${alias}/threads/${m.thread_id}/messages/${m.id}/retry`)
    answerMessage(alias, now, asked)
  } catch (e) {
    answerMessage(alias, m, asked)
    toastError(t('delivery.notRetried'), e)
  }
}
