import './session'
import '@/ui/tokens.css'
import '@/ui/ui.css'
import './app.css'
import './theme'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { q, queryClient } from '@/api/queries'
import { preloadConversation } from '@/conversation/load'
import { preferredLanguage, setLanguage } from '@/i18n'
import { deskOf } from '@/inbox/desk'
import { parseFilter } from '@/inbox/filter'
import { prefetch } from '@/inbox/messages'
import { preloadPicker } from '@/ui/picker-host'
import { App } from './app'
import { lastAlias } from './last'
import { afterPaint } from './ready'
import { parseRoute } from './route'

/** Takes what early.ts asked for to where it is shown from; settles when it is there, or will not be. */
function begin(): Promise<unknown> {
  const route = parseRoute(location.pathname)
  if (route.page === 'callback' || route.page === 'missing') return Promise.resolve()
  const reads: Promise<unknown>[] = [queryClient.prefetchQuery(q.me()), queryClient.prefetchQuery(q.instances())]
  const alias = 'alias' in route ? route.alias : lastAlias()
  if (alias && (route.page === 'inbox' || route.page === 'home')) {
    const desk = deskOf(alias)
    reads.push(desk.list(parseFilter(location.search)).settled())
    if (route.page === 'inbox' && route.thread) {
      prefetch(alias, route.thread)
      reads.push(preloadConversation())
      reads.push(desk.load(route.thread).catch(() => {})) // the conversation tells what is wrong
    }
  }
  return Promise.all(reads)
}

// Rendered once with what is in it, the first view is there sooner than as a skeleton that is filled after. Where the
// server is far, the skeleton comes first.
const patience = 150 // ms

async function start() {
  const data = begin()
  await setLanguage(preferredLanguage(), false)
  await Promise.race([data, new Promise((late) => setTimeout(late, patience))])
  createRoot(document.getElementById('root') as HTMLElement).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
  afterPaint(() =>
    setTimeout(async () => {
      await preloadPicker()
      await import('@/app/palette').catch(() => {}) // asked for again when it is wanted
    }, 500),
  )
}

void start()
