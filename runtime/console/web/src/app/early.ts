// Asks for what the first view shows before the page's code is there. It is written into index.html (vite.config.ts),
// whose policy allows it by its hash, and must stay small.
import { keepAhead } from '@/api/ahead'
import { queryString, send } from '@/api/client'
import { firstThreads, read, type Read } from '@/api/reads'
import { parseFilter } from '@/inbox/filter'
import { lastAlias } from './last'
import { parseRoute } from './route'
import { isFresh, storedSession } from './stored-session'

const session = storedSession()
const route = parseRoute(location.pathname)

function ask({ path, query }: Read) {
  const address = path + queryString(query)
  if (session) keepAhead(address, send('GET', address, session.token))
}

if (session && isFresh(session) && route.page !== 'callback' && route.page !== 'missing') {
  const alias = 'alias' in route ? route.alias : lastAlias()
  if (alias && (route.page === 'inbox' || route.page === 'home')) {
    const filter = parseFilter(location.search)
    // who the reader is, only the answer to /me tells
    if (filter.assignee !== 'me') ask(read.inbox(alias, filter, '', firstThreads, null))
    if (route.page === 'inbox' && route.thread) {
      ask(read.messages(alias, route.thread, null))
      ask(read.thread(alias, route.thread))
    }
  }
  ask(read.me())
  ask(read.instances())
}
