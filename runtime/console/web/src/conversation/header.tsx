import { useQuery } from '@tanstack/react-query'
import { ArrowLeft, Ban, Bot, Check, ExternalLink, Info, RotateCcw, Tag, UserRound } from 'lucide-react'
import { Suspense, useRef, useState } from 'react'
import { q } from '@/api/queries'
import type { InboxThread } from '@/api/types'
import { t } from '@/i18n'
import { apply } from '@/inbox/changes'
import type { Desk } from '@/inbox/desk'
import { assigneeChoice, labelsChoice, priorityChoice, statusChoice } from '@/inbox/pickers'
import { titleOf, whoOf } from '@/inbox/title'
import { Button, IconButton } from '@/ui/button'
import { FieldButton } from '@/ui/field-button'
import { Avatar, PriorityIcon, priorityText, ProviderMark, providerText, StatusIcon, statusText } from '@/ui/marks'
import { Skeleton } from '@/ui/states'
import { lazyPart } from '@/ui/lazy-part'
import { safeURL } from './links'

const Details = lazyPart(() => import('./details'))

interface Props {
  desk: Desk
  thread: InboxThread | undefined
  manage: boolean
  onBack?(): void
}

/** Who it is with and what it is about, and what can be changed of it. */
export function Header({ desk, thread: x, manage, onBack }: Props) {
  const back = onBack && (
    <IconButton className="talk-back" label={t('talk.back')} icon={<ArrowLeft />} onClick={onBack} />
  )
  if (!x)
    return (
      <header className="talk-head" aria-busy="true">
        <div className="talk-head-main">
          {back}
          <Skeleton width={32} height={32} />
          <Skeleton width={180} height={16} />
        </div>
      </header>
    )
  const done = x.status === 'resolved' || x.status === 'archived'
  return (
    <header className="talk-head">
      <div className="talk-head-main">
        {back}
        <Avatar name={x.contact ? whoOf(x) : providerText(x.provider)} id={x.contact?.id ?? x.id} size={34} />
        <div className="talk-who">
          <h2 className="truncate" dir="auto" title={titleOf(x)}>
            {titleOf(x)}
          </h2>
          <Contact desk={desk} thread={x} />
        </div>
        <Facts desk={desk} thread={x} />
        {manage && (
          <Button
            variant={done ? 'secondary' : 'primary'}
            icon={done ? <RotateCcw /> : <Check />}
            className="talk-resolve"
            onClick={() => void apply(desk, [x.id], { status: done ? 'open' : 'resolved' })}
          >
            {t(done ? 'talk.reopen' : 'talk.resolve')}
          </Button>
        )}
      </div>
      <Fields desk={desk} thread={x} manage={manage} />
      {x.ai_summary && (
        <p className="talk-summary">
          <strong>{t('talk.summary')}</strong> {x.ai_summary}
        </p>
      )}
    </header>
  )
}

function Contact({ desk, thread: x }: { desk: Desk; thread: InboxThread }) {
  const channel = useQuery(q.channels(desk.alias)).data?.find((c) => c.id === x.channel_id)
  const c = x.contact
  const url = safeURL(c?.url)
  const handle = c?.handle && '@' + c.handle.replace(/^@/, '')
  const via = channel?.channel_name ?? providerText(x.provider)
  return (
    <p className="talk-contact">
      {c && whoOf(x) !== titleOf(x) && <span className="truncate">{whoOf(x)}</span>}
      {handle &&
        (url ? (
          <a
            className="truncate"
            href={url}
            target="_blank"
            rel="noopener noreferrer nofollow"
            title={t('talk.profile', { name: whoOf(x), provider: providerText(x.provider) })}
          >
            {handle}
          </a>
        ) : (
          <span className="truncate">{handle}</span>
        ))}
      {!handle && url && (
        <a
          href={url}
          target="_blank"
          rel="noopener noreferrer nofollow"
          aria-label={t('talk.profile', { name: whoOf(x), provider: providerText(x.provider) })}
        >
          <ExternalLink size={13} aria-hidden="true" />
        </a>
      )}
      <span className="talk-via truncate">
        <ProviderMark provider={x.provider} size={12} /> <span>{via}</span>
      </span>
      {c?.blocked && (
        <span className="ui-badge" data-tone="red" title={t('talk.blocked.hint')}>
          <Ban size={11} aria-hidden="true" /> {t('talk.blocked')}
        </span>
      )}
      {x.handler === 'bot' && (
        <span className="ui-badge" data-tone="blue">
          <Bot size={11} aria-hidden="true" /> {t('talk.bot')}
        </span>
      )}
    </p>
  )
}

function Facts({ desk, thread }: { desk: Desk; thread: InboxThread }) {
  const [open, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  return (
    <>
      <IconButton
        ref={button}
        label={t('talk.details')}
        icon={<Info />}
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(true)}
      />
      {open && (
        <Suspense>
          <Details alias={desk.alias} thread={thread} anchor={button.current} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}

function Fields({ desk, thread: x, manage }: { desk: Desk; thread: InboxThread; manage: boolean }) {
  // the choices list people and labels: both are known before a list is opened
  useQuery({ ...q.agents(desk.alias), enabled: manage })
  useQuery({ ...q.labels(desk.alias), enabled: manage })
  const ids = [x.id]
  const off = !manage
  return (
    <div className="talk-fields">
      <FieldButton label={t('talk.field.status')} disabled={off} request={() => statusChoice(desk, ids)}>
        <StatusIcon status={x.status} /> {statusText(x.status)}
      </FieldButton>
      <FieldButton label={t('talk.field.priority')} disabled={off} request={() => priorityChoice(desk, ids)}>
        <PriorityIcon priority={x.priority} /> {priorityText(x.priority)}
      </FieldButton>
      <FieldButton label={t('talk.field.assignee')} disabled={off} request={() => assigneeChoice(desk, ids)}>
        {x.assignee ? (
          <>
            <Avatar name={x.assignee.name || x.assignee.subject} id={x.assignee.subject} size={16} />
            <span className="truncate">{x.assignee.name || x.assignee.subject}</span>
          </>
        ) : (
          <>
            <UserRound aria-hidden="true" /> {t('talk.nobody')}
          </>
        )}
      </FieldButton>
      <FieldButton
        className="talk-labels"
        label={t('talk.field.labels')}
        disabled={off}
        request={() => labelsChoice(desk, ids)}
      >
        {x.labels.length ? (
          <>
            {x.labels.slice(0, 3).map((l) => (
              <span key={l} className="ui-badge">
                <span className="truncate">{l}</span>
              </span>
            ))}
            {x.labels.length > 3 && t('talk.moreLabels', { n: x.labels.length - 3 })}
          </>
        ) : (
          <>
            <Tag aria-hidden="true" /> {t(manage ? 'talk.noLabels' : 'talk.noLabels.read')}
          </>
        )}
      </FieldButton>
    </div>
  )
}
