import { lazy, Suspense } from 'react'
import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClientProvider, useQuery } from '@tanstack/react-query'
import { q, queryClient } from '@/api/queries'
import { Toasts } from '@/ui/toast'
import { useRoute } from './router'

const lazyPages = {
  channels: lazy(() => import('@/pages/channels')),
  keys: lazy(() => import('@/pages/keys')),
  usage: lazy(() => import('@/pages/usage')),
  audit: lazy(() => import('@/pages/audit')),
  canned: lazy(() => import('@/pages/canned')),
}

export function App() {
  return (
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <Pages />
        <Toasts />
      </QueryClientProvider>
    </CSPProvider>
  )
}

function Pages() {
  const route = useRoute()
  const me = useQuery(q.me()).data
  const instances = useQuery(q.instances()).data
  if (!('alias' in route) || route.page === 'inbox') return null
  const instance = instances?.find((i) => i.alias === route.alias)
  if (!me || !instance) return null
  const Page = lazyPages[route.page]
  return (
    <Suspense>
      <Page
        alias={route.alias}
        instance={instance}
        me={me}
        manage={me.permissions.includes('service:manage')}
        admin={me.permissions.includes('service:admin')}
      />
    </Suspense>
  )
}
