import { useSyncExternalStore } from 'react'

/** one: a pane at a time; two: list and conversation, the left pane over them; three: all. */
export type Layout = 'one' | 'two' | 'three'

const wide = matchMedia('(min-width: 1120px)')
const middle = matchMedia('(min-width: 760px)')

export const layout = (): Layout => (wide.matches ? 'three' : middle.matches ? 'two' : 'one')

const subscribe = (f: () => void) => {
  wide.addEventListener('change', f)
  middle.addEventListener('change', f)
  return () => {
    wide.removeEventListener('change', f)
    middle.removeEventListener('change', f)
  }
}

export const useLayout = () => useSyncExternalStore(subscribe, layout)
