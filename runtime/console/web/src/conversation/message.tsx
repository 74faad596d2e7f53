import { CornerUpLeft, Ellipsis } from 'lucide-react'
import { lazy, memo, Suspense, useState } from 'react'
import type { Message } from '@/api/types'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { IconButton } from '@/ui/button'
import { Avatar } from '@/ui/marks'
import { Attachments } from './attachments'
import type { Reading } from './chunk'
import { Delivery } from './delivery'
import { timeOf } from './rows'
import { Text } from './text'

const MessageMenu = lazy(() => import('./message-menu'))

export const authorOf = (m: Message) =>
  m.author.name || t(m.author.kind === 'system' ? 'message.system' : 'message.unknown')

interface RowProps {
  message: Message
  lead: boolean
  tail: boolean
  reading: Reading
}

export const MessageRow = memo(function MessageRow({ message: m, lead, tail, reading }: RowProps) {
  const at = timeOf(m)
  const note = m.direction === 'internal'
  const author = authorOf(m)
  const name = t(note ? 'message.name.note' : 'message.name', { author, time: fmt.time(at) })
  const parent = m.parent_id ? reading.find(m.parent_id) : undefined
  return (
    <article className="talk-message" data-direction={m.direction} data-lead={lead || undefined} data-tail={tail || undefined} aria-label={name}>
      {lead && m.direction !== 'outbound' && (
        <span className="talk-face">
          <Avatar name={author} id={m.author.id ?? author} size={28} />
        </span>
      )}
      <div className="talk-body">
        <header className="talk-meta">
          {lead && <span className="talk-author truncate">{author}</span>}
          {lead && note && <span className="talk-note-mark">{t('message.note')}</span>}
          {lead && m.origin === 'ours_elsewhere' && <span className="talk-hint">{t('message.elsewhere')}</span>}
          {lead && m.author.kind === 'api_key' && <span className="talk-hint">{t('message.key')}</span>}
          <time className="talk-time" dateTime={at} title={fmt.exact(at)}>
            {fmt.time(at)}
          </time>
          {m.edited_at && (
            <span className="talk-hint" title={t('message.edited.at', { time: fmt.exact(m.edited_at) })}>
              {t('message.edited')}
            </span>
          )}
        </header>
        <div className="talk-line">
          <div className="talk-bubble">
            {parent && (
              <p className="talk-quote">
                <CornerUpLeft size={12} aria-hidden="true" />
                <span className="sr-only">{t('message.answers', { author: authorOf(parent) })}: </span>
                <span className="truncate">
                  <b>{authorOf(parent)}</b> {parent.text.slice(0, 160)}
                </span>
              </p>
            )}
            {m.text ? (
              <div className="talk-text" dir="auto">
                <Text text={m.text} />
              </div>
            ) : (
              !m.attachments.length && !m.data && <div className="talk-text muted">{t('message.empty')}</div>
            )}
            {m.attachments.length > 0 && <Attachments alias={reading.alias} list={m.attachments} />}
            {m.data && <Data data={m.data} />}
          </div>
          <Actions message={m} reading={reading} author={author} />
        </div>
        {m.delivery && <Delivery alias={reading.alias} message={m} manage={reading.manage} />}
      </div>
    </article>
  )
})

/** The menu is drawn when it is wanted: there are thousands of messages. */
function Actions({ message, reading, author }: { message: Message; reading: Reading; author: string }) {
  const [wanted, setWanted] = useState(false)
  const button = (
    <IconButton
      className="talk-more"
      size="small"
      label={t('message.more', { author })}
      icon={<Ellipsis />}
      aria-haspopup="menu"
      onClick={() => setWanted(true)}
    />
  )
  if (!wanted) return button
  return (
    <Suspense fallback={button}>
      <MessageMenu message={message} reading={reading} />
    </Suspense>
  )
}

/** Small structured content, such as a button that was pressed. */
function Data({ data }: { data: Record<string, unknown> }) {
  const entries = Object.entries(data).filter(([, v]) => v !== null && v !== '')
  if (!entries.length) return null
  return (
    <dl className="talk-data" aria-label={t('message.data')}>
      {entries.slice(0, 20).map(([k, v]) => (
        <div key={k}>
          <dt>{k.replaceAll('_', ' ')}</dt>
          <dd>{typeof v === 'string' ? <Text text={v} /> : JSON.stringify(v)}</dd>
        </div>
      ))}
    </dl>
  )
}
