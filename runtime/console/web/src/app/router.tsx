import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent, type Ref } from 'react'
import { parseRoute } from './route'

// Two kinds of address and a query string: a router library would be larger than this whole folder.

const listeners = new Set<() => void>()
const changed = () => listeners.forEach((f) => f())
window.addEventListener('popstate', changed)

const subscribe = (f: () => void) => {
  listeners.add(f)
  return () => void listeners.delete(f)
}

/** Goes to a path with search. State survives reloads, such as where the reader came from. */
export function navigate(to: string, o: { replace?: boolean; state?: unknown } = {}) {
  if (to === location.pathname + location.search && !o.replace) return
  history[o.replace ? 'replaceState' : 'pushState'](o.state ?? null, '', to)
  changed()
}

export const usePath = () => useSyncExternalStore(subscribe, () => location.pathname)
/** The query string with its question mark, or empty. */
export const useSearch = () => useSyncExternalStore(subscribe, () => location.search)
export const useRoute = () => parseRoute(usePath())

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & {
  to: string
  replace?: boolean
  ref?: Ref<HTMLAnchorElement>
}

/** An anchor that stays in the page; modified clicks are the browser's. */
export function Link({ to, replace, onClick, children, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={to}
      onClick={(e: MouseEvent<HTMLAnchorElement>) => {
        onClick?.(e)
        if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return
        e.preventDefault()
        navigate(to, { replace })
      }}
    >
      {children}
    </a>
  )
}
