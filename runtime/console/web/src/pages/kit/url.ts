import { useMemo } from 'react'
import { navigate, useSearch } from '@/app/router'

/** What a page keeps in its address, so that a view can be shared. Undefined takes a name out. */
export function useUrl() {
  const search = useSearch()
  const params = useMemo(() => new URLSearchParams(search), [search])
  const set = (change: Record<string, string | undefined>) => {
    const next = new URLSearchParams(location.search)
    for (const [name, value] of Object.entries(change)) {
      if (value === undefined || value === '') next.delete(name)
      else next.set(name, value)
    }
    const text = next.toString()
    navigate(location.pathname + (text && `?${text}`), { replace: true })
  }
  return [params, set] as const
}
