import { useQuery } from '@tanstack/react-query'
import { Inbox, Menu as MenuIcon, WifiOff } from 'lucide-react'
import { Suspense, useEffect, useState } from 'react'
import { ApiError } from '@/api/client'
import { q } from '@/api/queries'
import type { Instance, Me } from '@/api/types'
import { t } from '@/i18n'
import { deskOf } from '@/inbox/desk'
import { InboxPage } from '@/inbox/inbox-page'
import { Boundary } from '@/ui/boundary'
import { Button, IconButton } from '@/ui/button'
import { CodeBlock, EmptyState, reasonOf } from '@/ui/states'
import { lazyPart } from '@/ui/lazy-part'
import { useCommands } from './commands'
import { useGoCommands } from './go-commands'
import { lastAlias, rememberAlias } from './last'
import { useLayout } from './layout'
import { overlay, type Overlay } from './overlays'
import { lazyPages } from './pages'
import { afterPaint, markReady } from './ready'
import { href, type Route } from './route'
import { navigate } from './router'
import { Sidebar } from './sidebar'
import { closeSidebar, openSidebar, sidebarOpen } from './sidebar-state'
import { useStore } from './store'

const Palette = lazyPart(() => import('./palette'))
const Help = lazyPart(() => import('./help'))

export function Shell({ route }: { route: Exclude<Route, { page: 'callback' | 'missing' }> }) {
  const me = useQuery(q.me())
  const instances = useQuery(q.instances())
  const over = useStore(overlay)
  const aside = useStore(sidebarOpen)
  const alias = 'alias' in route ? route.alias : undefined
  const instance = instances.data?.find((i) => i.alias === alias)
  const known = instances.data

  useEffect(() => {
    if (alias) rememberAlias(alias)
    else if (known?.length) {
      const last = lastAlias()
      navigate(href.inbox(known.find((i) => i.alias === last)?.alias ?? (known[0] as Instance).alias), {
        replace: true,
      })
    }
  }, [alias, known])

  useCommands([
    {
      id: 'palette',
      group: 'app',
      title: t('command.palette'),
      keys: 'mod+k',
      always: true,
      run: () => overlay.set('palette'),
    },
    { id: 'help', group: 'app', title: t('command.help'), keys: '?', run: () => overlay.set('help') },
  ])

  const error = me.error ?? (instances.data ? undefined : instances.error)
  if (error)
    return (
      <main className="app-alone">
        <EmptyState
          title={error instanceof ApiError && error.status === 403 ? t('shell.forbidden') : t('shell.failed')}
          actions={
            <Button
              onClick={() => {
                void me.refetch()
                void instances.refetch()
              }}
            >
              {t('action.retry')}
            </Button>
          }
        >
          <p>{reasonOf(error)}</p>
        </EmptyState>
      </main>
    )

  return (
    <div className="app" data-sidebar={aside || undefined}>
      <a className="app-skip" href="#main">
        {t('shell.skip')}
      </a>
      {alias && <Live alias={alias} />}
      <Sidebar alias={alias} instance={instance} instances={instances.data} me={me.data} route={route} />
      <div className="app-scrim" aria-hidden="true" onClick={closeSidebar} />
      <Content route={route} alias={alias} instance={instance} instances={instances.data} me={me.data} />
      <Suspense>
        {over === 'palette' && <Palette alias={alias} onClose={closeOverlay} />}
        {over === 'help' && <Help onClose={closeOverlay} />}
      </Suspense>
    </div>
  )
}

const closeOverlay = () => overlay.set(undefined as Overlay)

interface ContentProps {
  route: Route
  alias?: string
  instance?: Instance
  instances?: Instance[]
  me?: Me
}

function Content({ route, alias, instance, instances, me }: ContentProps) {
  const manage = me?.permissions.includes('service:manage') ?? false
  useGoCommands(alias)
  const inbox = route.page === 'inbox' || route.page === 'home'
  useEffect(() => {
    if (!inbox || instances?.length === 0 || (alias && instances && !instance)) markReady() // a list tells by itself
  }, [inbox, alias, instance, instances])
  if (instances?.length === 0)
    return (
      <Alone>
        <EmptyState icon={<Inbox />} title={t('shell.none')}>
          <p>{t('shell.none.text', { subject: me?.subject ?? '' })}</p>
          <CodeBlock text={example(me?.subject ?? 'you')} />
        </EmptyState>
      </Alone>
    )
  if (alias && instances && !instance)
    return (
      <Alone>
        <EmptyState
          title={t('shell.notFound', { alias })}
          actions={<Button onClick={() => navigate('/')}>{t('missing.home')}</Button>}
        >
          <p>{t('shell.notFound.text')}</p>
        </EmptyState>
      </Alone>
    )
  // the list is asked for by the address alone, so it may be there before the instance's own data
  if (route.page === 'inbox')
    return (
      <InboxPage
        key={route.alias}
        alias={route.alias}
        thread={route.thread}
        instance={instance}
        me={me}
        manage={manage}
      />
    )
  if (route.page === 'home' || route.page === 'callback' || route.page === 'missing' || !instance || !me)
    return <main className="app-page" id="main" aria-busy="true" />
  const Page = lazyPages[route.page]
  return (
    <div className="app-page">
      <Boundary key={route.page}>
        <Suspense fallback={<main className="ui-page" id="main" aria-busy="true" />}>
          <Page
            alias={route.alias}
            instance={instance}
            me={me}
            manage={manage}
            admin={me.permissions.includes('service:admin')}
          />
        </Suspense>
      </Boundary>
    </div>
  )
}

function Alone({ children }: { children: React.ReactNode }) {
  const narrow = useLayout() !== 'three'
  return (
    <main className="app-page app-alone" id="main">
      {narrow && (
        <IconButton className="app-alone-menu" label={t('nav.open')} icon={<MenuIcon />} onClick={openSidebar} />
      )}
      {children}
    </main>
  )
}

/** Follows the alias's events, and tells when they are not followed. */
function Live({ alias }: { alias: string }) {
  const desk = deskOf(alias)
  const state = useStore(desk.connection)
  const arrival = useStore(desk.arrival)
  const [shown, setShown] = useState(false)
  useEffect(() => {
    let stop = () => {}
    const off = afterPaint(() => (stop = desk.follow()))
    return () => {
      off()
      stop()
    }
  }, [desk])
  useEffect(() => {
    // a stream that the server ends is there again in no time: not worth a word
    const timer = setTimeout(() => setShown(state === 'lost'), state === 'lost' && navigator.onLine ? 700 : 0)
    return () => clearTimeout(timer)
  }, [state])
  const text = arrival?.event.message?.text ?? ''
  return (
    <>
      {shown && (
        <div className="app-offline" role="alert">
          <WifiOff size={14} aria-hidden="true" /> {navigator.onLine ? t('live.lost') : t('live.offline')}
        </div>
      )}
      <div className="sr-only" aria-live="polite">
        {arrival &&
          t('live.arrived', { name: arrival.thread.contact?.name || t('thread.noContact'), text: text.slice(0, 120) })}
      </div>
    </>
  )
}

const example = (subject: string) => `kubectl apply -f - <<'YAML'
apiVersion: socialops.dev/v1alpha1
kind: SocialOpsInstance
metadata:
  name: support
spec:
  alias: support
  owner: ${subject}
YAML`
