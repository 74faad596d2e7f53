import { Check, CircleAlert, Clock, CornerUpLeft, Ellipsis, ExternalLink, RotateCw } from 'lucide-react'
import { memo, Suspense } from 'react'
import type { Delivery, Message } from '@/api/types'
import { mayFormat } from '@/composer/format/may'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { Avatar, providerText } from '@/ui/marks'
import { Button } from '@/ui/button'
import { lazyPart } from '@/ui/lazy-part'
import { Attachments } from './attachments'
import { useTalk } from './context'
import { safeURL } from './links'
import { timeOf } from './rows'
import { Text } from './text'

const AsSent = lazyPart(() => import('./as-sent'))

export type Side = 'in' | 'out' | 'note'

export const sideOf = (m: Message): Side =>
  m.direction === 'internal' ? 'note' : m.direction === 'outbound' ? 'out' : 'in'

export const authorOf = (m: Message) =>
  m.author.name || (m.author.kind === 'system' ? t('message.system') : t('message.unknown'))

interface Props {
  message: Message
  lead: boolean
  tail: boolean
}

export const MessageView = memo(function MessageView({ message: m, lead, tail }: Props) {
  const talk = useTalk()
  const side = sideOf(m)
  const author = authorOf(m)
  const at = timeOf(m)
  const url = safeURL(m.url)
  return (
    <article
      className="message"
      data-row={m.id}
      data-side={side}
      data-lead={lead || undefined}
      data-tail={tail || undefined}
      aria-label={t(side === 'note' ? 'message.name.note' : 'message.name', { author, time: fmt.dateTime(at) })}
    >
      {lead && side === 'in' && <Avatar name={author} id={m.author.id} size={28} />}
      <div className="message-body">
        {lead && (
          <header className="message-head">
            <span className="message-author">{author}</span>
            {side === 'note' && <span className="message-mark">{t('message.note')}</span>}
            {m.author.kind === 'api_key' && <span className="message-mark">{t('message.key')}</span>}
            {m.origin === 'ours_elsewhere' && (
              <span className="message-mark">{t('message.elsewhere', { provider: providerText(talk.provider) })}</span>
            )}
            <Time at={at} />
          </header>
        )}
        <div className="message-line">
          <div className="message-bubble">
            {m.parent_id && <Quoted id={m.parent_id} />}
            {m.text ? (
              <div className="message-text" dir="auto">
                {side === 'out' && mayFormat(m.text, talk.mode) ? (
                  <Suspense fallback={<Text text={m.text} />}>
                    <AsSent text={m.text} mode={talk.mode} />
                  </Suspense>
                ) : (
                  <Text text={m.text} />
                )}
              </div>
            ) : (
              m.attachments.length === 0 && <div className="message-empty">{describe(m)}</div>
            )}
            {m.attachments.length > 0 && <Attachments alias={talk.alias} list={m.attachments} />}
            {m.data && <Facts data={m.data} />}
            {m.edited_at && (
              <span className="message-edited" title={t('message.edited.at', { time: fmt.exact(m.edited_at) })}>
                {t('message.edited')}
              </span>
            )}
          </div>
          <div className="message-tools">
            {!lead && <Time at={at} />}
            {url && (
              <a
                className="message-tool"
                href={url}
                target="_blank"
                rel="noopener noreferrer nofollow"
                title={t('message.original')}
                aria-label={t('message.original')}
              >
                <ExternalLink size={14} aria-hidden="true" />
              </a>
            )}
            <button
              type="button"
              className="message-tool"
              aria-label={t('message.more')}
              title={t('message.more')}
              aria-haspopup="menu"
              onClick={(e) => talk.menu(m, e.currentTarget)}
            >
              <Ellipsis size={15} aria-hidden="true" />
            </button>
          </div>
        </div>
        {m.delivery && <DeliveryState m={m} delivery={m.delivery} tail={tail} />}
      </div>
    </article>
  )
})

const Time = ({ at }: { at: string }) => (
  <time className="message-time" dateTime={at} title={fmt.exact(at)}>
    {fmt.time(at)}
  </time>
)

/** A message without words is named by what it is: the provider's own word, made readable. */
const describe = (m: Message) =>
  m.message_type && m.message_type !== 'text' ? m.message_type.replace(/[_-]+/g, ' ') : t('message.empty')

function Quoted({ id }: { id: string }) {
  const talk = useTalk()
  const m = talk.messageOf(id)
  if (!m) return null
  return (
    <button type="button" className="message-quoted" onClick={() => talk.reveal(id)}>
      <CornerUpLeft size={12} aria-hidden="true" />
      <span className="truncate">
        <strong>{authorOf(m)}</strong> {m.text.slice(0, 160) || describe(m)}
      </span>
    </button>
  )
}

/** Small structured content, such as a pressed button; what is nested is left to the API. */
function Facts({ data }: { data: Record<string, unknown> }) {
  const facts = Object.entries(data).flatMap(([name, v]) =>
    (typeof v === 'string' && v.trim()) || typeof v === 'number' || typeof v === 'boolean'
      ? [[name, String(v)] as const]
      : Array.isArray(v) && v.length > 0 && v.every((e) => typeof e === 'string' || typeof e === 'number')
        ? [[name, v.join(', ')] as const]
        : [],
  )
  if (!facts.length) return null
  return (
    <dl className="message-facts">
      {facts.slice(0, 6).map(([name, value]) => (
        <div key={name}>
          <dt>{name.replace(/_/g, ' ')}</dt>
          <dd>
            <Text text={value.slice(0, 300)} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function DeliveryState({ m, delivery: d, tail }: { m: Message; delivery: Delivery; tail: boolean }) {
  const talk = useTalk()
  switch (d.status) {
    case 'completed':
      return (
        <p className={tail ? 'delivery' : 'sr-only'} data-status="sent">
          <Check size={13} aria-hidden="true" /> {t('delivery.sent')}
        </p>
      )
    case 'failed':
      return (
        <div className="delivery" data-status="failed">
          <CircleAlert size={14} aria-hidden="true" />
          <span>{d.error ? t('delivery.failed.reason', { reason: d.error }) : t('delivery.failed')}</span>
          {talk.manage && (
            <Button size="small" icon={<RotateCw />} onClick={() => talk.retry(m)}>
              {t('delivery.retry')}
            </Button>
          )}
        </div>
      )
    default:
      return (
        <p className="delivery" data-status="pending">
          <Clock size={13} aria-hidden="true" />
          {d.status === 'awaiting'
            ? t('delivery.awaiting')
            : d.attempts > 1
              ? t('delivery.pending.again', { n: d.attempts })
              : t('delivery.pending')}
        </p>
      )
  }
}
