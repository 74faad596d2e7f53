import { memo, useEffect, useRef, useState, type RefObject } from 'react'
import type { Message } from '@/api/types'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { MessageRow } from './message'
import type { Chunk, Row } from './rows'
import type { TrailLine } from './trail'

/** What all rows of a log have in common. */
export interface Reading {
  alias: string
  manage: boolean
  find(id: string): Message | undefined
  /** Writes an answer to one message. */
  onAnswer?(m: Message): void
  /** Only for those who may see what the provider sent. */
  onRaw?(m: Message): void
  scroller: RefObject<HTMLElement | null>
}

interface ChunkProps {
  chunk: Chunk
  reading: Reading
}

/** Some rows. Far from what is seen they are only as much room as they took. */
export const ChunkView = memo(
  function ChunkView({ chunk, reading }: ChunkProps) {
    const ref = useRef<HTMLDivElement>(null)
    const [room, setRoom] = useState<number | undefined>()
    useEffect(() => {
      const el = ref.current
      if (!el) return
      const watch = new IntersectionObserver(
        (entries) => {
          const e = entries.at(-1)
          if (e?.isIntersecting) setRoom(undefined)
          else if (e?.boundingClientRect.height && !el.contains(document.activeElement))
            setRoom(e.boundingClientRect.height)
        },
        { root: reading.scroller.current, rootMargin: '2400px 0px' },
      )
      watch.observe(el)
      return () => watch.disconnect()
    }, [reading.scroller])
    if (room !== undefined) return <div ref={ref} data-chunk="" style={{ height: room }} />
    return (
      <div ref={ref} data-chunk="">
        {chunk.rows.map((r) => (
          <RowView key={r.key} row={r} reading={reading} />
        ))}
      </div>
    )
  },
  (a, b) => a.chunk.sign === b.chunk.sign && a.reading === b.reading,
)

function RowView({ row, reading }: { row: Row; reading: Reading }) {
  switch (row.kind) {
    case 'day':
      return (
        <div className="talk-day">
          <time dateTime={row.at}>{fmt.day(row.at)}</time>
        </div>
      )
    case 'unread':
      return <p className="talk-unread">{t('log.unread')}</p>
    case 'trail':
      return <TrailRow line={row.line} />
    case 'message':
      return <MessageRow message={row.message} lead={row.lead} tail={row.tail} reading={reading} />
  }
}

const TrailRow = memo(function TrailRow({ line }: { line: TrailLine }) {
  return (
    <p className="talk-trail">
      {t(line.key, {
        name: line.name,
        fields: line.fields ? fmt.list(line.fields.map((f) => t(f))) : '',
      })}
      <time dateTime={line.at} title={fmt.exact(line.at)}>
        {fmt.time(line.at)}
      </time>
    </p>
  )
})
