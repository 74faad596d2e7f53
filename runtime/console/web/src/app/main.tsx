import '@/ui/tokens.css'
import '@/ui/ui.css'
import './app.css'
import './theme'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { q, queryClient } from '@/api/queries'
import { preferredLanguage, setLanguage } from '@/i18n'
import { deskOf } from '@/inbox/desk'
import { parseFilter } from '@/inbox/filter'
import { prefetch } from '@/inbox/messages'
import { preloadPicker } from '@/ui/picker-host'
import { App } from './app'
import { lastAlias } from './last'
import { afterPaint } from './ready'
import { parseRoute } from './route'

/** Asks for what the first view shows before anything is rendered, all at once. */
function begin() {
  const route = parseRoute(location.pathname)
  if (route.page === 'callback' || route.page === 'missing') return
  void queryClient.prefetchQuery(q.me())
  void queryClient.prefetchQuery(q.instances())
  const alias = 'alias' in route ? route.alias : lastAlias()
  if (!alias || (route.page !== 'inbox' && route.page !== 'home')) return
  const desk = deskOf(alias)
  desk.list(parseFilter(location.search))
  if (route.page === 'inbox' && route.thread) {
    prefetch(alias, route.thread)
    void desk.load(route.thread).catch(() => {}) // the conversation tells what is wrong
  }
}

async function start() {
  begin()
  await setLanguage(preferredLanguage(), false)
  createRoot(document.getElementById('root') as HTMLElement).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
  afterPaint(() =>
    setTimeout(() => {
      preloadPicker()
      void import('@/app/palette').catch(() => {}) // asked for again when it is wanted
    }, 500),
  )
}

void start()
