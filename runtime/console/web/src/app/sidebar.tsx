import { useQuery } from '@tanstack/react-query'
import { BookOpenText, ChartNoAxesColumn, Inbox, KeyRound, Layers, Plug, ScrollText } from 'lucide-react'
import { Suspense, useEffect, useRef, type ReactNode } from 'react'
import { q } from '@/api/queries'
import type { Instance, Me, SavedView } from '@/api/types'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { countQuery, formatFilter, parseFilter } from '@/inbox/filter'
import { lazyPart } from '@/ui/lazy-part'
import { AccountButton } from './account'
import { usePainted } from './ready'
import { href, type PageName, type Route } from './route'
import { Link, useSearch } from './router'
import { closeSidebar, sidebarOpen } from './sidebar-state'
import { useStore } from './store'
import { builtinViews, type View } from './views'

const ViewMenu = lazyPart(() => import('@/inbox/view-menu'))

interface Item extends View {
  saved?: SavedView
}

const maxCounted = 20

interface SidebarProps {
  alias?: string
  instance?: Instance
  instances?: Instance[]
  me?: Me
  route: Route
}

export function Sidebar({ alias, instance, instances, me, route }: SidebarProps) {
  const search = useSearch()
  useEffect(closeSidebar, [route.page, alias, search])
  const ref = useRef<HTMLElement>(null)
  const over = useStore(sidebarOpen)
  useEffect(() => {
    const side = ref.current
    if (!over || !side) return
    const before = document.activeElement
    const onKey = (e: KeyboardEvent) => {
      if (e.key !== 'Escape' || e.defaultPrevented) return
      e.preventDefault()
      closeSidebar()
    }
    const onLeave = (e: FocusEvent) => {
      // the focus goes on to what it lies over
      const to = e.relatedTarget
      if (to instanceof Element && !side.contains(to) && !to.closest('.ui-popup, .ui-dialog')) closeSidebar()
    }
    side.addEventListener('keydown', onKey)
    side.addEventListener('focusout', onLeave)
    side.focus()
    return () => {
      side.removeEventListener('keydown', onKey)
      side.removeEventListener('focusout', onLeave)
      if (before instanceof HTMLElement && side.contains(document.activeElement)) before.focus()
    }
  }, [over])
  return (
    <aside className="side" aria-label={t('nav.label')} ref={ref} tabIndex={-1}>
      <div className="side-head">
        <span className="side-logo" aria-hidden="true">
          <svg viewBox="0 0 32 32" width="22" height="22">
            <rect width="32" height="32" rx="8" fill="#5b5bd6" />
            <path
              d="M8 10.500A2.500 2.500 0 0 1 10.500 8h11a2.500 2.500 0 0 1 2.500 2.500v7a2.500 2.500 0 0 1-2.500 2.500H15l-4.200 3.600c-.500.400-1.300.100-1.300-.600V20A1.500 1.500 0 0 1 8 18.500z"
              fill="#fff"
            />
          </svg>
        </span>
        <span className="side-brand">SocialOps</span>
      </div>
      <div className="side-scroll">
        <nav aria-label={t('nav.inboxes')}>
          <ul className="side-list">
            {instances?.map((i) => (
              <li key={i.alias}>
                <Link
                  to={href.inbox(i.alias)}
                  className="side-instance"
                  aria-current={i.alias === alias ? 'true' : undefined}
                  title={`${i.namespace}/${i.name}`}
                >
                  <Layers size={14} aria-hidden="true" />
                  <span className="truncate">{i.alias}</span>
                  {i.suspended && <span className="ui-badge">{t('instance.suspended')}</span>}
                  {i.alias !== alias && <Count n={i.unread} unread />}
                </Link>
                {i.alias === alias && <Views alias={alias} me={me} active={route.page === 'inbox'} search={search} />}
              </li>
            ))}
            {!instances &&
              [70, 90, 60, 80, 66].map((w) => (
                <li key={w} className="ui-skeleton side-ghost" style={{ width: w + '%' }} />
              ))}
          </ul>
        </nav>
        {alias && instance && <Sections alias={alias} route={route} />}
      </div>
      <AccountButton me={me} />
    </aside>
  )
}

function Views({ alias, me, active, search }: { alias: string; me?: Me; active: boolean; search: string }) {
  const painted = usePainted()
  const saved = useQuery({ ...q.views(alias), enabled: painted }).data ?? []
  const builtin = builtinViews()
  const views: Item[] = [
    ...builtin,
    ...saved.map((v) => ({
      key: v.id,
      name: v.name,
      icon: <Layers size={15} />,
      filter: parseFilter(v.query),
      saved: v,
    })),
  ]
  const counts = useQuery({
    ...q.counts(
      alias,
      views.slice(0, maxCounted).map((v) => countQuery(v.filter, me?.subject ?? '')),
    ),
    enabled: painted && me !== undefined,
  }).data
  const here = formatFilter(parseFilter(search))
  const item = (v: Item, i: number) => {
    const to = formatFilter(v.filter)
    const done = v.key === 'resolved' || v.key === 'all'
    return (
      <li key={v.key} className="side-row">
        <Link
          to={href.inbox(alias, to)}
          className="side-item"
          aria-current={active && here === to ? 'page' : undefined}
        >
          {v.icon}
          <span className="truncate">{v.name}</span>
          {!done && <Count n={counts?.[i]} />}
        </Link>
        {v.saved?.mine && (
          <Suspense>
            <ViewMenu alias={alias} view={v.saved} />
          </Suspense>
        )}
      </li>
    )
  }
  return (
    <>
      <ul className="side-list side-views">{views.slice(0, builtin.length).map((v, i) => item(v, i))}</ul>
      {saved.length > 0 && (
        <>
          <h3 className="side-label">{t('nav.saved')}</h3>
          <ul className="side-list side-views">
            {views.slice(builtin.length).map((v, i) => item(v, builtin.length + i))}
          </ul>
        </>
      )}
    </>
  )
}

function Count({ n, unread }: { n?: number; unread?: boolean }) {
  if (!n) return null
  return (
    <span className="side-count">
      <span className="sr-only">, </span>
      {fmt.count(n)}
      {unread && <span className="sr-only"> {t('nav.unread')}</span>}
    </span>
  )
}

const sections: { page: PageName | 'inbox'; icon: ReactNode }[] = [
  { page: 'inbox', icon: <Inbox size={15} /> },
  { page: 'channels', icon: <Plug size={15} /> },
  { page: 'canned', icon: <BookOpenText size={15} /> },
  { page: 'keys', icon: <KeyRound size={15} /> },
  { page: 'usage', icon: <ChartNoAxesColumn size={15} /> },
  { page: 'audit', icon: <ScrollText size={15} /> },
]

function Sections({ alias, route }: { alias: string; route: Route }) {
  return (
    <nav aria-label={t('nav.sections')} className="side-sections">
      <h3 className="side-label">{t('nav.manage')}</h3>
      <ul className="side-list">
        {sections.map((s) => (
          <li key={s.page}>
            <Link
              to={s.page === 'inbox' ? href.inbox(alias) : href.page(alias, s.page)}
              className="side-item"
              aria-current={route.page === s.page ? 'page' : undefined}
            >
              {s.icon}
              <span className="truncate">{t(`page.${s.page}`)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
