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
import { prefetch } from '@/inbox/messages'
import { preloadPicker } from '@/ui/picker-host'
import { App } from './app'
import { firstView } from './first-view'
import { afterPaint } from './ready'

/** Takes what early.ts asked for to where it is shown from; settles when it is there, or will not be. */
async function begin(): Promise<void> {
  const view = firstView()
  if (!view) return
  const reads: Promise<unknown>[] = [queryClient.prefetchQuery(q.me()), queryClient.prefetchQuery(q.instances())]
  const { alias, filter, thread } = view
  if (alias) {
    const desk = deskOf(alias)
    reads.push(desk.list(filter).settled())
    if (thread) {
      prefetch(alias, thread)
      reads.push(preloadConversation())
      reads.push(desk.load(thread).catch(() => {})) // the conversation tells what is wrong
    }
  }
  await Promise.all(reads)
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
