import { parseFilter, type Filter } from '@/inbox/filter'
import { lastAlias } from './last'
import { parseRoute } from './route'

/** The inbox that the address leads to, if it leads to one. */
export interface FirstView {
  alias?: string
  filter: Filter
  thread?: string
}

/** What is shown first; undefined: nothing that is read. */
export function firstView(): FirstView | undefined {
  const route = parseRoute(location.pathname)
  const filter = parseFilter(location.search)
  switch (route.page) {
    case 'callback':
    case 'missing':
      return undefined
    case 'home':
      return { alias: lastAlias(), filter }
    case 'inbox':
      return { alias: route.alias, filter, thread: route.thread }
    default:
      return { filter }
  }
}
