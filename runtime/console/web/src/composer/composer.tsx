// Where agents write: a reply to who wrote, or a note that stays inside.
import { useQuery } from '@tanstack/react-query'
import { ExternalLink, Lock, StickyNote } from 'lucide-react'
import { useEffect, useImperativeHandle, useRef, useState, type KeyboardEvent, type Ref } from 'react'
import { flushSync } from 'react-dom'
import { q } from '@/api/queries'
import type { InboxThread, Message } from '@/api/types'
import { useCommands } from '@/app/commands'
import { safeURL } from '@/conversation/links'
import { t } from '@/i18n'
import { providerText } from '@/ui/marks'
import { Box, type BoxHandle } from './box'
import { draftID, drafts, useDraft, type Kind } from './drafts'
import { obstacle } from './obstacle'
import './composer.css'

export interface ComposerHandle {
  /** Turns to the reply, to one message if one is given. */
  answer(m?: Message): void
}

interface Props {
  alias: string
  thread: InboxThread
  manage: boolean
  /** All that was read, oldest first. */
  messages: Message[]
  /** Gives the focus back to the conversation. */
  onLeave(): void
  onSend(): void
  ref?: Ref<ComposerHandle>
}

const kinds = ['reply', 'note'] as const

export function Composer({ alias, thread, manage, messages, onLeave, onSend, ref }: Props) {
  const channels = useQuery(q.channels(alias)).data
  const instance = useQuery(q.instances()).data?.find((i) => i.alias === alias)
  const wall = obstacle({ thread, manage, instance, channels })
  const reply = draftID(alias, thread.id, 'reply')
  const note = draftID(alias, thread.id, 'note')
  const written = { reply: useDraft(reply), note: useDraft(note) }
  const [kind, setKind] = useState<Kind>(() =>
    !drafts.get(reply) && (drafts.get(note) || wall?.key === 'composer.no.provider') ? 'note' : 'reply',
  )
  const box = useRef<BoxHandle>(null)
  const channel = channels?.find((c) => c.id === thread.channel_id)

  const write = (k: Kind) => {
    flushSync(() => setKind(k))
    box.current?.focus()
  }
  useImperativeHandle(ref, () => ({
    answer(m) {
      if (m) drafts.set(reply, { text: '', ...drafts.get(reply), parent: m.id })
      write('reply')
    },
  }))
  useCommands(
    wall?.all
      ? []
      : [
          { id: 'talk.reply', group: 'thread', title: t('command.reply'), keys: 'r', run: () => write('reply') },
          { id: 'talk.note', group: 'thread', title: t('command.note'), keys: 'n', run: () => write('note') },
          {
            id: 'talk.canned',
            group: 'thread',
            title: t('command.canned'),
            keys: 'c',
            run: () => {
              box.current?.focus()
              box.current?.canned()
            },
          },
        ],
  )

  // what was sent and never answered before the page was left: it comes back to where it was written
  useEffect(() => {
    for (const k of kinds) {
      const id = draftID(alias, thread.id, k)
      box.current?.recover(id)
    }
  }, [alias, thread.id])

  if (wall?.all)
    return (
      <div className="composer composer-closed">
        <Lock size={14} aria-hidden="true" /> {t(wall.key)}
      </div>
    )

  const original = messages.findLast((m) => safeURL(m.url))?.url
  const why =
    wall &&
    t(wall.key, { name: wall.key === 'composer.no.provider' ? providerText(wall.name ?? '') : (wall.name ?? '') })

  const onTabKey = (e: KeyboardEvent) => {
    if (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight') return
    e.preventDefault()
    const next = kind === 'reply' ? 'note' : 'reply'
    flushSync(() => setKind(next))
    document.getElementById('composer-tab-' + next)?.focus()
  }

  return (
    <section className="composer" aria-label={t('composer.label')} data-kind={kind}>
      <div className="composer-tabs" role="tablist" aria-label={t('composer.label')}>
        {kinds.map((k) => (
          <button
            key={k}
            type="button"
            role="tab"
            id={'composer-tab-' + k}
            aria-selected={k === kind}
            aria-controls="composer-panel"
            tabIndex={k === kind ? 0 : -1}
            className="composer-tab"
            onClick={() => write(k)}
            onKeyDown={onTabKey}
          >
            {k === 'note' && <StickyNote size={13} aria-hidden="true" />}
            {t(`composer.${k}`)}
            {k !== kind && written[k]?.text.trim() && (
              <span className="composer-dot" title={t('composer.draft')}>
                <span className="sr-only">{t('composer.draft')}</span>
              </span>
            )}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="composer-panel" aria-labelledby={'composer-tab-' + kind} className="composer-panel">
        {kind === 'reply' && why && (
          <p className="composer-wall" id="composer-wall">
            <Lock size={13} aria-hidden="true" />
            <span>{why}</span>
            {wall?.key === 'composer.no.provider' && original && (
              <a href={original} target="_blank" rel="noopener noreferrer nofollow">
                {t('message.original')} <ExternalLink size={12} aria-hidden="true" />
              </a>
            )}
          </p>
        )}
        <Box
          key={kind}
          ref={box}
          alias={alias}
          thread={thread}
          kind={kind}
          mode={(kind === 'reply' && channel?.parse_mode) || ''}
          wall={kind === 'reply' ? why : undefined}
          messages={messages}
          onLeave={onLeave}
          onSend={onSend}
        />
      </div>
    </section>
  )
}
