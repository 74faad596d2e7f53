import {
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
  type ReactNode,
  type Ref,
} from 'react'
import { afterPaint, markReady, painted } from '@/app/ready'
import { t } from '@/i18n'
import { ErrorNote } from '@/ui/states'
import type { Desk } from './desk'
import type { ThreadList } from './list'
import { useList } from './list-store'
import { GhostRow, Row, rowHeight } from './row'
import type { Selection } from './selection'
import { rangeOf, sameRange, scrollFor, towards, type Range } from './window'

export interface ListHandle {
  /** Brings a row into sight, and the focus to it. */
  reveal(id: string, focus: boolean): void
  toTop(): void
}

interface Props {
  desk: Desk
  list: ThreadList
  /** The filter as the address has it: rows lead to addresses with it. */
  search: string
  open: string | undefined
  selection: Selection
  manage: boolean
  busy: boolean
  empty: ReactNode
  onSelect(id: string, range: boolean): void
  onPoint(id: string): void
  ref: Ref<ListHandle>
}

const above = 89 // px of head and bar, to guess before anything is laid out how many rows there will be

const atTop = (scrollTop: number) => scrollTop < 4

/** The rows of a list, of which only those in sight exist. */
export function ThreadRows({
  desk,
  list,
  search,
  open,
  selection,
  manage,
  busy,
  empty,
  onSelect,
  onPoint,
  ref,
}: Props) {
  const version = useList(list)
  const scroller = useRef<HTMLDivElement>(null)
  const [range, setRange] = useState<Range>({
    from: 0,
    to: painted() ? 16 : Math.ceil((innerHeight - above) / rowHeight),
  })
  // where the first row in sight was, to keep it there when rows above it come or go
  const anchor = useRef<{ id: string; index: number } | undefined>(undefined)

  const rest = useRef<number>(undefined)
  const shown = useRef(range)
  useLayoutEffect(() => {
    shown.current = range
  }, [range])

  /** Renders what is in sight, if it is much then over some frames. whole: now, as something in it is to have the focus. */
  const look = useCallback(
    (whole = false) => {
      const el = scroller.current
      if (!el) return
      if (rest.current !== undefined) cancelAnimationFrame(rest.current)
      rest.current = undefined
      const { scrollTop, clientHeight } = el
      list.reader.scrollTop = scrollTop
      list.reader.atTop = atTop(scrollTop)
      const want = rangeOf(scrollTop, clientHeight, rowHeight, list.length, !painted()) // first what is seen, and nothing else
      const first = Math.floor(scrollTop / rowHeight)
      const sight = { from: first, to: Math.ceil((scrollTop + clientHeight) / rowHeight) }
      const next = whole || !painted() ? want : towards(shown.current, want, sight)
      setRange((old) => (sameRange(old, next) ? old : next))
      if (!sameRange(next, want)) rest.current = requestAnimationFrame(() => look())
      const id = list.idAt(first)
      anchor.current = id === undefined ? undefined : { id, index: first }
    },
    [list],
  )

  /** Has the rows around ready. Not in the same breath as what is to be painted. */
  const fetching = useRef<ReturnType<typeof setTimeout>>(undefined)
  const fetchSoon = useCallback(
    (ms: number) => {
      clearTimeout(fetching.current)
      fetching.current = setTimeout(() => {
        const { scrollTop, clientHeight } = scroller.current ?? { scrollTop: 0, clientHeight: 0 }
        list.ensure(Math.floor(scrollTop / rowHeight), Math.ceil((scrollTop + clientHeight) / rowHeight))
      }, ms)
    },
    [list],
  )

  useLayoutEffect(() => {
    const { reader } = list
    reader.shown = true
    if (scroller.current) scroller.current.scrollTop = reader.scrollTop
    look()
    return () => {
      reader.shown = false
      clearTimeout(fetching.current)
      if (rest.current !== undefined) cancelAnimationFrame(rest.current)
    }
  }, [list, look])

  useLayoutEffect(() => {
    const el = scroller.current
    const was = anchor.current
    if (el && was && !atTop(el.scrollTop)) {
      const index = list.indexOf(was.id)
      if (index >= 0 && index !== was.index) el.scrollTop += (index - was.index) * rowHeight
    }
    look()
    fetchSoon(painted() ? 20 : 400)
  }, [list, version, look, fetchSoon])

  useEffect(() => {
    const el = scroller.current
    if (!el) return
    const observer = new ResizeObserver(() => look())
    observer.observe(el)
    return () => observer.disconnect()
  }, [look])

  useEffect(() => {
    if (list.loaded || list.error !== undefined) markReady()
  }, [list, version])
  useEffect(() => afterPaint(() => look()), [look])

  useImperativeHandle(
    ref,
    () => ({
      reveal(id, focus) {
        const el = scroller.current
        const index = list.indexOf(id)
        if (!el || index < 0) return
        const to = scrollFor(index, el.scrollTop, el.clientHeight, rowHeight)
        if (to !== undefined) el.scrollTop = to
        look(true)
        if (focus)
          requestAnimationFrame(() =>
            el.querySelector<HTMLElement>(`[data-thread="${CSS.escape(id)}"]`)?.focus({ preventScroll: true }),
          )
      },
      toTop() {
        if (scroller.current) scroller.current.scrollTop = 0
        look()
      },
    }),
    [list, look],
  )

  const count = list.length
  if (list.loaded && count === 0 && !busy) return <div className="thread-scroll">{empty}</div>

  const rows: ReactNode[] = []
  const row = (i: number) => {
    const id = list.idAt(i)
    const x = id === undefined ? undefined : desk.threads.get(id)
    if (id === undefined || !x) return <GhostRow key={'ghost ' + i} index={i} />
    return (
      <Row
        key={id}
        desk={desk}
        id={id}
        index={i}
        size={list.hasMore ? -1 : count}
        search={search}
        open={open === id}
        selection={selection}
        manage={manage}
        leaving={!list.belongs(x)}
        onSelect={onSelect}
        onPoint={onPoint}
      />
    )
  }
  // the open row stays, however far away: it may have the focus
  const at = open === undefined ? -1 : list.indexOf(open)
  if (at >= 0 && at < range.from) rows.push(row(at))
  for (let i = range.from; i < Math.min(range.to, count); i++) rows.push(row(i))
  if (at >= range.to) rows.push(row(at))

  const loading = !list.loaded && list.error === undefined
  const ghosts = loading ? 10 : list.hasMore ? 3 : 0
  return (
    <div
      className="thread-scroll"
      ref={scroller}
      onScroll={() => {
        look()
        fetchSoon(0)
      }}
      data-busy={busy || undefined}
    >
      {list.error !== undefined && !list.loaded && (
        <div className="thread-error">
          <ErrorNote error={list.error} onRetry={() => void list.refresh()} />
        </div>
      )}
      <div
        role="list"
        aria-label={t('list.label')}
        aria-busy={loading || busy ? 'true' : undefined}
        className="thread-rows"
        style={{ height: (count + ghosts) * rowHeight }}
      >
        {rows}
        {Array.from({ length: ghosts }, (_, i) => (
          <GhostRow key={'tail ' + i} index={count + i} />
        ))}
      </div>
      {list.error !== undefined && list.loaded && (
        <div className="thread-error">
          <ErrorNote error={list.error} onRetry={() => list.retry()} />
        </div>
      )}
    </div>
  )
}
