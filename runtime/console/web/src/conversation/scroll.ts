// Keeps a log where the reader has it, whatever grows or shrinks around it: at the end while they are at the end, and
// else with what they read in its place. Browsers' own anchoring differs, and one of them has none.
import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from 'react'

const near = 28 // px from the end that count as the end

/** The lower edge of the first row that is seen: it loses its head when older ones of its author come before it. */
interface Anchor {
  el: HTMLElement
  bottom: number
}

export interface Keeper {
  /** The reader is further up. */
  away: boolean
  onScroll(): void
  toEnd(): void
  /** Brings a row into view, at the top of it. */
  reveal(row: string, o?: { flash?: boolean }): boolean
}

export function useKeeper(
  box: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>,
  onMove: (box: HTMLElement) => void,
): Keeper {
  const atEnd = useRef(true)
  const anchor = useRef<Anchor>(undefined)
  const size = useRef('')
  const [away, setAway] = useState(false)

  const restore = useCallback(() => {
    const b = box.current
    if (!b) return
    if (atEnd.current) b.scrollTop = b.scrollHeight
    else if (anchor.current?.el.isConnected) {
      const moved = bottomOf(anchor.current.el, b) - anchor.current.bottom
      if (moved) b.scrollTop += moved
    }
    size.current = sizeOf(b)
  }, [box])

  const look = useCallback(() => {
    const b = box.current
    if (!b) return
    atEnd.current = b.scrollHeight - b.scrollTop - b.clientHeight < near
    anchor.current = atEnd.current ? undefined : firstShown(b)
    setAway(!atEnd.current)
    size.current = sizeOf(b)
    onMove(b)
  }, [box, onMove])

  /** What a change of size moves, the reader did not. */
  const onScroll = useCallback(() => {
    const b = box.current
    if (b && atEnd.current && size.current !== sizeOf(b)) restore()
    else look()
  }, [box, look, restore])

  useLayoutEffect(restore)
  useLayoutEffect(() => {
    const b = box.current
    const c = content.current
    if (!b || !c) return
    const watch = new ResizeObserver(restore)
    watch.observe(b)
    watch.observe(c)
    look()
    return () => watch.disconnect()
  }, [box, content, restore, look])

  const toEnd = useCallback(() => {
    atEnd.current = true
    anchor.current = undefined
    restore()
    setAway(false)
  }, [restore])

  const reveal = useCallback(
    (row: string, o?: { flash?: boolean }) => {
      const b = box.current
      const el = b?.querySelector<HTMLElement>(`[data-row="${CSS.escape(row)}"]`)
      if (!b || !el) return false
      b.scrollTop += topOf(el, b) - Math.min(80, b.clientHeight / 4)
      look()
      if (o?.flash)
        el.animate?.([{ background: 'var(--active-strong)' }, { background: 'transparent' }], { duration: 1200 })
      return true
    },
    [box, look],
  )
  return { away, onScroll, toEnd, reveal }
}

const sizeOf = (b: Element) => b.clientHeight + '/' + b.scrollHeight
const bottomOf = (el: Element, b: Element) => el.getBoundingClientRect().bottom - b.getBoundingClientRect().top
const topOf = (el: Element, b: Element) => el.getBoundingClientRect().top - b.getBoundingClientRect().top

function firstShown(b: HTMLElement): Anchor | undefined {
  const top = b.getBoundingClientRect().top
  for (const piece of b.querySelectorAll('[data-piece]')) {
    if (piece.getBoundingClientRect().bottom <= top) continue
    for (const el of piece.querySelectorAll<HTMLElement>('[data-row]'))
      if (el.getBoundingClientRect().bottom > top) return { el, bottom: el.getBoundingClientRect().bottom - top }
  }
  return undefined
}
