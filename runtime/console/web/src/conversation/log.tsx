import { ArrowDown, ArrowUp } from 'lucide-react'
import {
  memo,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type Ref,
  type RefObject,
} from 'react'
import type { AuditEntry, Message } from '@/api/types'
import type { Sending } from '@/composer/outbox'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { Button } from '@/ui/button'
import { ErrorNote, Skeleton } from '@/ui/states'
import { MessageView } from './message'
import { OnItsWay } from './on-its-way'
import { chunks, firstUnread, type Chunk, type Row } from './rows'
import { useKeeper } from './scroll'
import type { TrailLine } from './trail'

export interface LogHandle {
  toEnd(): void
  focus(): void
  reveal(id: string): void
}

interface Props {
  /** Oldest first. */
  messages: Message[]
  trail: AuditEntry[]
  sending: Sending[]
  older: { has: boolean; busy: boolean; error: unknown; read(): void; forget(): void }
  /** How many the reader had not read when it was opened. */
  unread: number
  /** The reader's own agent: what they wrote is not news to them. */
  me: string | undefined
  ref?: Ref<LogHandle>
}

const ahead = 900 // px above what is shown that are read in advance

export function Log({ messages, trail, sending, older, unread, me, ref }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const [first, setFirst] = useState<string>() // of those unread
  const [above, setAbove] = useState(false)
  const newest = messages.at(-1)?.seq ?? 0
  const [seen, setSeen] = useState(newest)

  const readOlder = useRef(older.read)
  useEffect(() => {
    readOlder.current = older.read
  })
  const mayRead = older.has && !older.busy && older.error === undefined
  const mayReadNow = useRef(mayRead)
  const [onMove] = useState(() => (b: HTMLElement) => {
    if (b.scrollTop < ahead && mayReadNow.current) readOlder.current()
    const mark = b.querySelector('[data-row="unread"]')
    setAbove(mark !== null && mark.getBoundingClientRect().bottom < b.getBoundingClientRect().top)
  })
  const keeper = useKeeper(box, content, onMove)
  const { away, toEnd, reveal, onScroll } = keeper
  useEffect(() => {
    mayReadNow.current = mayRead
    if (box.current && mayRead) onMove(box.current)
  }, [mayRead, onMove])

  const many = messages.length > 200
  const forget = useRef(older.forget)
  useEffect(() => {
    forget.current = older.forget
  })
  useEffect(() => {
    if (away || !many) return
    const timer = setTimeout(() => forget.current(), 8000)
    return () => clearTimeout(timer)
  }, [away, many])

  // where it was read up to stays marked while the conversation is open
  if (first === undefined && messages.length > 0 && unread > 0) setFirst(firstUnread(messages, unread) ?? '')
  if (!away && seen !== newest) setSeen(newest)
  const fresh = away ? messages.filter((m) => m.seq > seen && m.author.id !== me).length : 0

  // what the reader sends is what they want to see
  const going = sending.length
  const [gone, setGone] = useState(going)
  useLayoutEffect(() => {
    if (going > gone) toEnd()
    setGone(going)
  }, [going, gone, toEnd])

  useImperativeHandle(ref, () => ({
    toEnd,
    focus: () => box.current?.focus({ preventScroll: true }),
    reveal: (id) => void reveal(id, { flash: true }),
  }))

  const list = useMemo(
    () => chunks(messages, trail, { complete: !older.has, unread: first || undefined }),
    [messages, trail, older.has, first],
  )
  return (
    <div className="log-frame">
      <div
        className="log"
        ref={box}
        role="log"
        aria-label={t('log.label')}
        aria-live="off" // arrivals are announced once, by the page
        tabIndex={0}
        onScroll={onScroll}
      >
        <div className="log-content" ref={content}>
          <div className="log-top">
            {older.error !== undefined ? (
              <ErrorNote error={older.error} onRetry={older.read} />
            ) : older.has ? (
              <Button variant="ghost" size="small" onClick={older.read} aria-disabled={older.busy || undefined}>
                {t(older.busy ? 'log.loading' : 'log.older')}
              </Button>
            ) : (
              <p className="log-begin">{t(messages.length ? 'log.begin' : 'talk.empty')}</p>
            )}
          </div>
          {list.map((c, i) => (
            <Piece key={c.key} chunk={c} box={box} mayHide={list.length > 4 && i < list.length - 1} />
          ))}
          <div data-piece>
            {sending.map((s) => (
              <OnItsWay key={s.key} sending={s} />
            ))}
          </div>
        </div>
      </div>
      {above && first && (
        <button type="button" className="log-pill" data-place="top" onClick={() => void reveal('unread')}>
          <ArrowUp size={14} aria-hidden="true" /> {t('log.unread', { n: unread })}
        </button>
      )}
      {away && (
        <button
          type="button"
          className="log-pill"
          data-fresh={fresh > 0 || undefined}
          aria-label={fresh ? undefined : t('log.toEnd')}
          onClick={() => {
            toEnd()
            box.current?.focus({ preventScroll: true })
          }}
        >
          <ArrowDown size={14} aria-hidden="true" /> {fresh > 0 && t('log.new', { n: fresh })}
        </button>
      )}
    </div>
  )
}

interface PieceProps {
  chunk: Chunk
  box: RefObject<HTMLDivElement | null>
  mayHide: boolean
}

/** Some rows. Far from what is shown they give way to a space of their height. */
const Piece = memo(
  function Piece({ chunk, box, mayHide }: PieceProps) {
    const el = useRef<HTMLDivElement>(null)
    const [height, setHeight] = useState<number>() // hidden while it is set
    useEffect(() => {
      const e = el.current
      if (!mayHide || !e) return setHeight(undefined)
      const watch = new IntersectionObserver(
        ([entry]) => {
          const shown = entry?.isIntersecting ?? true
          if (shown) setHeight(undefined)
          else if (!e.contains(document.activeElement)) setHeight((h) => h ?? e.getBoundingClientRect().height)
        },
        { root: box.current, rootMargin: '2000px 0px' },
      )
      watch.observe(e)
      return () => watch.disconnect()
    }, [mayHide, box])
    return (
      <div ref={el} data-piece className="log-piece" style={height === undefined ? undefined : { height }}>
        {height === undefined && chunk.rows.map((r) => <RowView key={r.key} row={r} />)}
      </div>
    )
  },
  (a, b) => a.chunk.sign === b.chunk.sign && a.mayHide === b.mayHide,
)

function RowView({ row }: { row: Row }) {
  switch (row.kind) {
    case 'message':
      return <MessageView message={row.message} lead={row.lead} tail={row.tail} />
    case 'day':
      return (
        <div className="log-day" data-row={row.key}>
          <h3 title={fmt.date(row.at)}>{fmt.day(row.at)}</h3>
        </div>
      )
    case 'unread':
      return (
        <div className="log-unread" data-row={row.key}>
          <span>{t('log.unread.mark')}</span>
        </div>
      )
    case 'trail':
      return <Deed line={row.line} />
  }
}

function Deed({ line: l }: { line: TrailLine }) {
  const text = t(l.key, { name: l.name, fields: l.fields ? fmt.list(l.fields.map((f) => t(f))) : '' })
  return (
    <p className="log-deed" data-row={'t' + l.seq}>
      <span className="log-deed-text">{l.times ? t('trail.times', { text, n: l.times }) : text}</span>
      <time dateTime={l.at} title={fmt.exact(l.at)}>
        {fmt.time(l.at)}
      </time>
    </p>
  )
}

/** The log's shape while its messages are read. */
export function LogSkeleton() {
  return (
    <div className="log-frame">
      <div className="log log-skeleton" role="log" aria-label={t('log.label')} aria-busy="true">
        {[46, 62, 30, 54].map((width, i) => (
          <span key={i} data-side={i % 3 === 2 ? 'out' : 'in'}>
            <Skeleton width={width + '%'} height={38 + (i % 2) * 20} />
          </span>
        ))}
      </div>
    </div>
  )
}
