// Where in a list the reader is by keyboard, and what happens when the row that has the focus goes.
import { useEffect, useRef, type RefObject } from 'react'
import { overlay } from '@/app/overlays'
import { picker } from '@/ui/picker-state'
import type { ThreadList } from './list'
import type { ListHandle } from './thread-list'

const rowOf = (el: EventTarget | null) =>
  el instanceof Element
    ? el.closest('.thread-row')?.querySelector<HTMLElement>('[data-thread]')?.dataset.thread
    : undefined

/** What lies over the page only borrows the focus. */
const borrows = (el: EventTarget | null) => el instanceof Element && el.closest('.ui-popup, .ui-dialog') !== null

export interface Place {
  id: string
  index: number
}

/** The row that had the focus last. When it goes while nothing else has it, the one in its place takes it. */
export function useRowFocus(list: ThreadList, rows: RefObject<ListHandle | null>): RefObject<Place | undefined> {
  const place = useRef<Place>(undefined)
  useEffect(() => {
    place.current = undefined
    let had = false // it or what borrowed from it has the focus still
    const onFocus = (e: FocusEvent) => {
      const id = rowOf(e.target)
      if (id) place.current = { id, index: list.indexOf(id) }
      had = id !== undefined || (had && borrows(e.target))
    }
    const look = () => {
      const at = place.current
      if (!at) return
      const index = list.indexOf(at.id)
      if (index >= 0) at.index = index
      else if (had && (!document.activeElement || document.activeElement === document.body)) {
        const next = list.idAt(Math.min(at.index, list.length - 1))
        if (next) rows.current?.reveal(next, true)
        else document.getElementById('main')?.focus()
      }
    }
    // once the page has followed, and what lay over it has given the focus back
    const soon = () => void requestAnimationFrame(() => requestAnimationFrame(look))
    document.addEventListener('focusin', onFocus)
    const off = [list.subscribe(soon), picker.subscribe(soon), overlay.subscribe(soon)]
    return () => {
      document.removeEventListener('focusin', onFocus)
      off.forEach((f) => f())
    }
  }, [list, rows])
  return place
}
