import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClientProvider } from '@tanstack/react-query'
import { useEffect, useState, useSyncExternalStore, type ComponentType } from 'react'
import { queryClient } from '@/api/queries'
import { language, onLanguage, t } from '@/i18n'
import { Button } from '@/ui/button'
import { PickerHost } from '@/ui/picker-host'
import { EmptyState, ErrorNote } from '@/ui/states'
import { onKeyDown } from './commands'
import { afterPaint } from './ready'
import { navigate, useRoute } from './router'
import { finishSignIn } from './session'
import { Shell } from './shell'

export function App() {
  const tag = useSyncExternalStore(onLanguage, language)
  useEffect(() => {
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [])
  return (
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient} key={tag}>
        <Main />
        <PickerHost />
        <Later />
      </QueryClientProvider>
    </CSPProvider>
  )
}

/** Toasts and tooltips, loaded once the first view is there. */
function Later() {
  const [Hosts, setHosts] = useState<ComponentType>()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const load = () =>
      void import('@/ui/hosts').then(
        (m) => setHosts(() => m.default),
        () => (timer = setTimeout(load, 3000)), // the server is away: what is to be told waits
      )
    const off = afterPaint(load)
    return () => {
      off()
      clearTimeout(timer)
    }
  }, [])
  return Hosts && <Hosts />
}

function Main() {
  const route = useRoute()
  if (route.page === 'callback') return <Callback />
  if (route.page === 'missing')
    return (
      <main className="app-alone">
        <EmptyState
          title={t('missing.title')}
          actions={<Button onClick={() => navigate('/')}>{t('missing.home')}</Button>}
        >
          <p>{t('missing.text')}</p>
        </EmptyState>
      </main>
    )
  return <Shell route={route} />
}

let finishing: Promise<string> | undefined // once, however often it is rendered

function Callback() {
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    finishing ??= finishSignIn()
    finishing.then((to) => navigate(to, { replace: true }), setError)
  }, [])
  return (
    <main className="app-alone" aria-busy={!error}>
      {error !== undefined && (
        <EmptyState
          title={t('signin.failed')}
          actions={<Button onClick={() => location.assign('/')}>{t('signin.again')}</Button>}
        >
          <ErrorNote error={error} />
        </EmptyState>
      )}
    </main>
  )
}
