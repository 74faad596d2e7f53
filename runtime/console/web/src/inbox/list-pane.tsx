import { useQuery } from '@tanstack/react-query'
import { ArrowUp, BookmarkPlus, Menu as MenuIcon } from 'lucide-react'
import { useEffect, useState, type Ref } from 'react'
import { usePainted } from '@/app/ready'
import { builtinViews } from '@/app/views'
import { openSidebar } from '@/app/sidebar-state'
import { useStore } from '@/app/store'
import { q } from '@/api/queries'
import type { Instance, Me } from '@/api/types'
import { t } from '@/i18n'
import { Button, IconButton } from '@/ui/button'
import { BulkBar } from './bulk-bar'
import type { Desk } from './desk'
import { EmptyList } from './empty'
import { formatFilter, isFiltered, parseFilter, type Filter } from './filter'
import { Filters } from './filters'
import type { ThreadList } from './list'
import { useList } from './list-store'
import { SearchBox } from './search-box'
import type { Selection } from './selection'
import { ThreadRows, type ListHandle } from './thread-list'

interface Props {
  desk: Desk
  list: ThreadList
  filter: Filter
  instance?: Instance
  me?: Me
  manage: boolean
  open?: string
  selection: Selection
  hidden: boolean
  rows: Ref<ListHandle>
  search: Ref<HTMLInputElement>
  onFilter(next: Filter, o?: { replace?: boolean }): void
  onLeaveSearch(): void
  onSelect(id: string, range: boolean): void
  onPoint(id: string): void
  onSave(): void
  onFresh(): void
}

/** The middle pane: what is shown, and the list of it. */
export function ListPane(p: Props) {
  const { desk, filter, manage, selection } = p
  const query = formatFilter(p.filter)
  const list = useSettled(p.list)
  useList(list)
  useList(p.list)
  const saved = useQuery({ ...q.views(desk.alias), enabled: usePainted() }).data
  const view =
    builtinViews().find((v) => formatFilter(v.filter) === query)?.name ??
    saved?.find((v) => formatFilter(parseFilter(v.query)) === query)?.name
  const ticked = useStore(selection.ids)
  const any = useAnyThreads(desk, list)
  const ids = list.ids()
  const all = ids.length > 0 && ids.every((id) => ticked.has(id))
  return (
    <section className="inbox-list" aria-label={t('list.label')} inert={p.hidden}>
      <header className="thread-head">
        <IconButton className="only-narrow" label={t('nav.open')} icon={<MenuIcon />} onClick={openSidebar} />
        <h2 className="truncate">{view ?? (filter.q ? t('list.found') : t('list.filtered'))}</h2>
        {!view && isFiltered(filter) && (
          <IconButton label={t('views.save')} icon={<BookmarkPlus />} onClick={p.onSave} />
        )}
        <SearchBox
          ref={p.search}
          value={filter.q ?? ''}
          onChange={(v) => p.onFilter({ ...filter, q: v || undefined }, { replace: Boolean(filter.q) })}
          onLeave={p.onLeaveSearch}
        />
      </header>
      <div className="thread-bar">
        {manage && (
          <label className="thread-all">
            <input
              type="checkbox"
              className="ui-check-input"
              aria-label={t('list.selectAll')}
              checked={all}
              disabled={!ids.length}
              ref={(el) => {
                if (el) el.indeterminate = ticked.size > 0 && !all
              }}
              onChange={() => (all ? selection.clear() : selection.all(ids))}
            />
          </label>
        )}
        <Filters desk={desk} filter={filter} instance={p.instance} onChange={p.onFilter} />
        <BulkBar desk={desk} selection={selection} />
      </div>
      <div className="thread-body">
        {list.fresh > 0 && (
          <Button className="thread-fresh" variant="primary" size="small" icon={<ArrowUp />} onClick={p.onFresh}>
            {t('list.new', { n: list.fresh })}
          </Button>
        )}
        <ThreadRows
          ref={p.rows}
          desk={desk}
          list={list}
          search={query}
          open={p.open}
          selection={selection}
          manage={manage}
          busy={list !== p.list}
          empty={<EmptyList alias={desk.alias} filter={list.filter} instance={p.instance} any={any} />}
          onSelect={p.onSelect}
          onPoint={p.onPoint}
        />
      </div>
    </section>
  )
}

/** The list before, for the moment that the next one takes to be read: nothing flickers. */
function useSettled(list: ThreadList): ThreadList {
  useList(list)
  const [shown, setShown] = useState(list)
  const ready = list.loaded || list.error !== undefined
  useEffect(() => {
    if (shown === list) return
    const timer = setTimeout(() => setShown(list), ready ? 0 : 500)
    return () => clearTimeout(timer)
  }, [shown, list, ready])
  return ready ? list : shown
}

/** Whether the alias has a conversation at all, asked only when an empty list is to be explained. */
function useAnyThreads(desk: Desk, list: ThreadList): boolean | undefined {
  const empty = list.loaded && list.length === 0
  const counts = useQuery({ ...q.counts(desk.alias, ['status=open,pending,resolved,archived']), enabled: empty }).data
  return counts && (counts[0] ?? 0) > 0
}
