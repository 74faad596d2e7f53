import { memo } from 'react'
import { href } from '@/app/route'
import { Link } from '@/app/router'
import { useStore } from '@/app/store'
import type { InboxThread } from '@/api/types'
import { useHasDraft } from '@/composer/drafts'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { Avatar, PriorityIcon, priorityText, ProviderMark, StatusIcon, statusText } from '@/ui/marks'
import type { Desk } from './desk'
import { minute } from './minute'
import { previewOf } from './preview'
import type { Selection } from './selection'
import { titleOf, whoOf } from './title'
import { useThread } from './use-thread'

export const rowHeight = 84

interface RowProps {
  desk: Desk
  id: string
  index: number
  size: number
  search: string
  open: boolean
  selection: Selection
  manage: boolean
  /** The thread no longer belongs here, and goes when the reader leaves it. */
  leaving: boolean
  onSelect(id: string, range: boolean): void
  onPoint(id: string): void
}

export const Row = memo(function Row({
  desk,
  id,
  index,
  size,
  search,
  open,
  selection,
  manage,
  leaving,
  onSelect,
  onPoint,
}: RowProps) {
  const x = useThread(desk, id)
  const ticked = useStore(selection.ids, (s) => s.has(id))
  if (!x) return null
  const title = titleOf(x)
  return (
    <div
      role="listitem"
      className="thread-row"
      aria-setsize={size}
      aria-posinset={index + 1}
      aria-current={open ? 'true' : undefined}
      data-unread={x.unread_count > 0 || undefined}
      data-ticked={ticked || undefined}
      data-leaving={leaving || undefined}
      style={{ top: index * rowHeight }}
      onPointerEnter={() => onPoint(id)}
    >
      <div className="thread-side">
        <Avatar name={whoOf(x)} id={x.contact?.id ?? x.id} size={34} />
        <span className="thread-provider">
          <ProviderMark provider={x.provider} size={11} labelled />
        </span>
        {manage && (
          <label className="thread-tick">
            <input
              type="checkbox"
              className="ui-check-input"
              aria-label={t('list.select', { name: title })}
              checked={ticked}
              onChange={(e) => onSelect(id, (e.nativeEvent as MouseEvent).shiftKey)}
            />
          </label>
        )}
      </div>
      <div className="thread-main">
        <div className="thread-line">
          <Link
            className="thread-link truncate"
            to={href.thread(desk.alias, id, search)}
            aria-current={open ? 'true' : undefined}
            data-thread={id}
          >
            {title}
          </Link>
          {x.priority !== 'normal' && (
            <span className="thread-priority" role="img" aria-label={priorityText(x.priority)}>
              <PriorityIcon priority={x.priority} />
            </span>
          )}
          <Age at={x.last_message_at} />
        </div>
        <Below x={x} alias={desk.alias} actor={desk.actor} />
      </div>
    </div>
  )
})

function Below({ x, alias, actor }: { x: InboxThread; alias: string; actor?: string }) {
  const draft = useHasDraft(alias, x.id)
  const { by, text } = previewOf(x, actor)
  const failed = x.last_message?.delivery?.status === 'failed'
  return (
    <div className="thread-below">
      <div className="thread-preview" data-lines={x.labels.length ? 1 : 2}>
        {draft && <span className="thread-draft">{t('list.draft')} · </span>}
        {failed && <span className="thread-failed">{t('list.failed')} </span>}
        {by && <span className="thread-by">{by}: </span>}
        {text}
      </div>
      <div className="thread-marks">
        {x.unread_count > 0 && (
          <span className="thread-unread">
            <span aria-hidden="true">{fmt.count(x.unread_count)}</span>
            <span className="sr-only">{t('list.unread', { n: x.unread_count })}</span>
          </span>
        )}
        <span className="thread-status" role="img" aria-label={statusText(x.status)}>
          <StatusIcon status={x.status} />
        </span>
      </div>
      {x.labels.length > 0 && (
        <div className="thread-labels">
          {x.labels.slice(0, 3).map((l) => (
            <span key={l} className="ui-badge">
              <span className="truncate">{l}</span>
            </span>
          ))}
          {x.labels.length > 3 && <span className="ui-badge">+{x.labels.length - 3}</span>}
        </div>
      )}
      {x.assignee && (
        <span
          className="thread-assignee"
          role="img"
          aria-label={t('list.assigned', { name: x.assignee.name || x.assignee.subject })}
        >
          <Avatar name={x.assignee.name || x.assignee.subject} id={x.assignee.subject} size={18} />
        </span>
      )}
    </div>
  )
}

/** How long ago; it goes on by itself. */
function Age({ at }: { at: string }) {
  const now = useStore(minute)
  return (
    <time className="thread-age" dateTime={at}>
      {fmt.age(at, Math.max(now, Date.parse(at)))}
    </time>
  )
}

/** The place of a row that is still being read. */
export const GhostRow = memo(function GhostRow({ index }: { index: number }) {
  return (
    <div className="thread-row" data-ghost style={{ top: index * rowHeight }} aria-hidden="true">
      <div className="thread-side">
        <span className="ui-skeleton thread-ghost-avatar" />
      </div>
      <div className="thread-main">
        <span className="ui-skeleton" style={{ width: 34 + ((index * 37) % 30) + '%', height: 12 }} />
        <span className="ui-skeleton" style={{ width: 62 + ((index * 53) % 34) + '%', height: 10 }} />
      </div>
    </div>
  )
})
