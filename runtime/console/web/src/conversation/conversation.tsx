import './conversation.css'
import { Ghost, MessageSquareOff } from 'lucide-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { q } from '@/api/queries'
import type { Me, Message } from '@/api/types'
import { t } from '@/i18n'
import { deskOf, isMissing } from '@/inbox/desk'
import { inOrder } from '@/inbox/messages'
import { Composer, type ComposerHandle } from '@/composer/composer'
import { drafts } from '@/composer/drafts'
import { Button } from '@/ui/button'
import { EmptyState, reasonOf } from '@/ui/states'
import { Header } from './header'
import { Log, type LogHandle } from './log'
import { useOpenThread } from './use-thread'

const RawDialog = lazy(() => import('./raw'))

interface ConversationProps {
  alias: string
  id: string
  me?: Me
  manage: boolean
  onBack?(): void
}

/** The right pane: a thread, what was said in it, and the means to answer. */
export function Conversation({ alias, id, me, manage, onBack }: ConversationProps) {
  const { thread, error, again } = useOpenThread(alias, id)
  const [raw, setRaw] = useState<Message>()
  const showRaw = useCallback((m: Message) => setRaw(m), [])

  const { data } = useInfiniteQuery(q.messages(alias, id))
  const messages = useMemo(() => inOrder(data), [data])
  const log = useRef<LogHandle>(null)
  const composer = useRef<ComposerHandle>(null)
  const answer = useCallback((m: Message) => composer.current?.answer(m), [])
  const leave = useCallback(() => log.current?.focus(), [])
  const sent = useCallback(() => log.current?.toEnd(), [])

  const subject = me?.subject
  useEffect(() => {
    if (subject !== undefined) drafts.use(subject)
  }, [subject])

  const unread = thread?.unread_count ?? 0
  useEffect(() => {
    if (!manage || !unread) return
    const read = () => {
      if (document.visibilityState === 'visible') void deskOf(alias).markRead(id)
    }
    read()
    document.addEventListener('visibilitychange', read)
    return () => document.removeEventListener('visibilitychange', read)
  }, [alias, id, manage, unread])

  if (error !== undefined)
    return (
      <section className="talk" aria-label={t('talk.label')}>
        <EmptyState
          icon={isMissing(error) ? <Ghost /> : <MessageSquareOff />}
          title={t(isMissing(error) ? 'talk.missing' : 'talk.failed')}
          actions={
            <>
              {onBack && <Button onClick={onBack}>{t('talk.back')}</Button>}
              {!isMissing(error) && (
                <Button variant="primary" onClick={again}>
                  {t('action.retry')}
                </Button>
              )}
            </>
          }
        >
          <p>{isMissing(error) ? t('talk.missing.text') : reasonOf(error)}</p>
        </EmptyState>
      </section>
    )

  return (
    <section className="talk" aria-label={t('talk.label')}>
      <Header alias={alias} thread={thread} manage={manage} onBack={onBack} />
      <Log
        ref={log}
        alias={alias}
        id={id}
        manage={manage}
        messages={messages}
        onAnswer={manage ? answer : undefined}
        onRaw={manage ? showRaw : undefined}
      />
      {thread && (
        <Composer
          ref={composer}
          alias={alias}
          thread={thread}
          manage={manage}
          messages={messages}
          onLeave={leave}
          onSend={sent}
        />
      )}
      {raw && (
        <Suspense>
          <RawDialog alias={alias} message={raw} onClose={() => setRaw(undefined)} />
        </Suspense>
      )}
    </section>
  )
}
