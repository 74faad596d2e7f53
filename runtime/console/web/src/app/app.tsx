import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClientProvider } from '@tanstack/react-query'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { queryClient } from '@/api/queries'
import { language, onLanguage, t } from '@/i18n'
import { Button } from '@/ui/button'
import { PickerHost } from '@/ui/picker-host'
import { EmptyState, ErrorNote } from '@/ui/states'
import { Toasts } from '@/ui/toast'
import { onKeyDown } from './commands'
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
        <Toasts />
      </QueryClientProvider>
    </CSPProvider>
  )
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
