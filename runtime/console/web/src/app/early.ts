// Asks for what the first view shows before the page's code is there. It is written into index.html (vite.config.ts),
// whose policy allows it by its hash, and must stay small.
import { keepAhead } from '@/api/ahead'
import { queryString, send } from '@/api/client'
import { firstThreads, read, type Read } from '@/api/reads'
import { firstView } from './first-view'
import { isFresh, storedSession } from './stored-session'

const session = storedSession()
const view = firstView()

if (session && isFresh(session) && view) {
  const ask = ({ path, query }: Read) => {
    const address = path + queryString(query)
    keepAhead(address, send('GET', address, session.token))
  }
  const { alias, filter, thread } = view
  // who the reader is, only the answer to /me tells
  if (alias && filter.assignee !== 'me') ask(read.inbox(alias, filter, '', firstThreads, null))
  if (alias && thread) {
    ask(read.messages(alias, thread, null))
    ask(read.thread(alias, thread))
  }
  ask(read.me())
  ask(read.instances())
}
