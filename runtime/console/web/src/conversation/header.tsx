import { ArrowLeft, Ban, Bot, Check, ExternalLink, RotateCcw, Tag, UserRound } from 'lucide-react'
import { memo, type ReactNode } from 'react'
import type { InboxThread } from '@/api/types'
import { t } from '@/i18n'
import { apply } from '@/inbox/changes'
import { deskOf } from '@/inbox/desk'
import { assigneeChoice, labelsChoice, priorityChoice, statusChoice } from '@/inbox/pickers'
import { titleOf, whoOf } from '@/inbox/title'
import { Button, IconButton } from '@/ui/button'
import { FieldButton } from '@/ui/field-button'
import { Avatar, PriorityIcon, priorityText, ProviderMark, providerText, StatusIcon, statusText } from '@/ui/marks'
import { Skeleton } from '@/ui/states'
import { Tooltip } from '@/ui/tooltip'
import { safeURL } from './links'

interface HeaderProps {
  alias: string
  thread?: InboxThread
  manage: boolean
  onBack?(): void
}

export const resolved = (x: InboxThread) => x.status === 'resolved' || x.status === 'archived'

export const resolve = (alias: string, x: InboxThread) =>
  void apply(deskOf(alias), [x.id], { status: resolved(x) ? 'open' : 'resolved' })

const shownLabels = 3

export const Header = memo(function Header({ alias, thread, manage, onBack }: HeaderProps) {
  const back = onBack && (
    <IconButton className="talk-back" label={t('talk.back')} icon={<ArrowLeft />} onClick={onBack} />
  )
  if (!thread)
    return (
      <header className="talk-head">
        <div className="talk-head-row">
          {back}
          <div className="talk-title">
            <Skeleton width={220} height={16} />
          </div>
        </div>
        <div className="talk-fields">
          <Skeleton width={260} height={14} />
        </div>
      </header>
    )
  const desk = deskOf(alias)
  const ids = [thread.id]
  const contact = thread.contact
  const handle = contact?.handle && '@' + contact.handle.replace(/^@/, '')
  const page = safeURL(contact?.url)
  const done = resolved(thread)
  const title = titleOf(thread)
  const labels = thread.labels
  const shut = manage ? undefined : t('readonly.reason')
  return (
    <header className="talk-head">
      <div className="talk-head-row">
        {back}
        <Avatar name={contact ? whoOf(thread) : providerText(thread.provider)} id={contact?.id} size={34} />
        <div className="talk-title">
          <h2 className="truncate" title={title}>
            {title}
          </h2>
          <p className="talk-contact">
            <ProviderMark provider={thread.provider} size={13} labelled />
            {contact && thread.subject && <span className="truncate">{whoOf(thread)}</span>}
            {!(contact && thread.subject) && <span className="truncate">{providerText(thread.provider)}</span>}
            {handle && handle !== title && <span className="truncate talk-handle">{handle}</span>}
            {page && (
              <a
                href={page}
                target="_blank"
                rel="noopener noreferrer nofollow"
                className="talk-profile"
                aria-label={t('talk.profile', { name: whoOf(thread), provider: providerText(thread.provider) })}
              >
                <ExternalLink size={13} aria-hidden="true" />
              </a>
            )}
            {contact?.blocked && (
              <Tooltip text={t('talk.blocked.hint')}>
                <span className="ui-badge" data-tone="red">
                  <Ban size={11} aria-hidden="true" />
                  {t('talk.blocked')}
                </span>
              </Tooltip>
            )}
            {thread.handler === 'bot' && (
              <span className="ui-badge" data-tone="blue">
                <Bot size={12} aria-hidden="true" />
                {t('talk.bot')}
              </span>
            )}
          </p>
        </div>
        <Button
          className="talk-resolve"
          variant={done ? 'secondary' : 'primary'}
          icon={done ? <RotateCcw /> : <Check />}
          reason={shut}
          onClick={() => resolve(alias, thread)}
        >
          {done ? t('talk.reopen') : t('talk.resolve')}
        </Button>
      </div>
      <div className="talk-fields">
        <FieldButton label={t('talk.field.status')} disabled={!manage} request={() => statusChoice(desk, ids)}>
          <StatusIcon status={thread.status} />
          {statusText(thread.status)}
        </FieldButton>
        <FieldButton label={t('talk.field.priority')} disabled={!manage} request={() => priorityChoice(desk, ids)}>
          <PriorityIcon priority={thread.priority} />
          {priorityText(thread.priority)}
        </FieldButton>
        <FieldButton label={t('talk.field.assignee')} disabled={!manage} request={() => assigneeChoice(desk, ids)}>
          {thread.assignee ? (
            <>
              <Avatar name={thread.assignee.name || thread.assignee.subject} id={thread.assignee.subject} size={16} />
              <span className="truncate">{thread.assignee.name || thread.assignee.subject}</span>
            </>
          ) : (
            <Quiet icon={<UserRound />}>{t('talk.nobody')}</Quiet>
          )}
        </FieldButton>
        <FieldButton
          label={t('talk.field.labels')}
          className="talk-labels"
          disabled={!manage}
          request={() => labelsChoice(desk, ids)}
        >
          {labels.length ? (
            <>
              {labels.slice(0, shownLabels).map((l) => (
                <span key={l} className="ui-badge">
                  <span className="truncate">{l}</span>
                </span>
              ))}
              {labels.length > shownLabels && (
                <span className="talk-more-labels" title={labels.slice(shownLabels).join(', ')}>
                  {t('talk.moreLabels', { n: labels.length - shownLabels })}
                </span>
              )}
            </>
          ) : (
            <Quiet icon={<Tag />}>{t('talk.noLabels')}</Quiet>
          )}
        </FieldButton>
      </div>
    </header>
  )
})

const Quiet = ({ icon, children }: { icon: ReactNode; children: ReactNode }) => (
  <>
    {icon}
    <span className="muted">{children}</span>
  </>
)
