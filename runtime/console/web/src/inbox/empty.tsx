import { CircleCheckBig, Inbox, SearchX, UserCheck } from 'lucide-react'
import { href } from '@/app/route'
import { navigate } from '@/app/router'
import type { Instance } from '@/api/types'
import { t } from '@/i18n'
import { Button } from '@/ui/button'
import { EmptyState } from '@/ui/states'
import { formatFilter, isFiltered, type Filter } from './filter'

const everywhere: Filter = { status: ['open', 'pending', 'resolved', 'archived'] }

/** Why a list has nothing, and what to do next. */
export function EmptyList({
  alias,
  filter,
  instance,
  any,
}: {
  alias: string
  filter: Filter
  instance?: Instance
  any?: boolean
}) {
  const all = (
    <Button onClick={() => navigate(href.inbox(alias, formatFilter({ ...everywhere, q: filter.q })))}>
      {t('empty.everywhere')}
    </Button>
  )
  const only = (f: Partial<Filter>) => formatFilter(filter) === formatFilter({ status: [], ...f })
  if (filter.q)
    return (
      <EmptyState
        icon={<SearchX />}
        title={t('empty.search', { q: filter.q.length > 60 ? filter.q.slice(0, 60) + '…' : filter.q })}
        actions={
          <>
            {formatFilter(filter) !== formatFilter({ ...everywhere, q: filter.q }) && all}
            <Button onClick={() => navigate(href.inbox(alias, formatFilter({ ...filter, q: undefined })))}>
              {t('list.search.clear')}
            </Button>
          </>
        }
      >
        <p>{t('empty.search.text')}</p>
      </EmptyState>
    )
  if (only({ assignee: 'me' }))
    return (
      <EmptyState icon={<UserCheck />} title={t('empty.mine')} actions={<Unassigned alias={alias} />}>
        <p>{t('empty.mine.text')}</p>
      </EmptyState>
    )
  if (only({ assignee: 'none' })) return <EmptyState icon={<UserCheck />} title={t('empty.unassigned')} />
  if (!isFiltered(filter) && any === false)
    return (
      <EmptyState
        icon={<Inbox />}
        title={t('empty.first')}
        actions={
          <Button variant="primary" onClick={() => navigate(href.page(alias, 'channels'))}>
            {instance?.providers.length ? t('empty.first.channels') : t('empty.first.action')}
          </Button>
        }
      >
        <p>{t('empty.first.text')}</p>
      </EmptyState>
    )
  if (!isFiltered(filter))
    return (
      <EmptyState icon={<CircleCheckBig />} title={t('empty.done')} actions={all}>
        <p>{t('empty.done.text')}</p>
      </EmptyState>
    )
  if (only(everywhere)) return <EmptyList alias={alias} filter={{ status: [] }} instance={instance} any={false} />
  return (
    <EmptyState
      icon={<SearchX />}
      title={t('empty.filtered')}
      actions={
        <>
          {all}
          <Button onClick={() => navigate(href.inbox(alias))}>{t('filter.clear')}</Button>
        </>
      }
    >
      <p>{t('empty.filtered.text')}</p>
    </EmptyState>
  )
}

const Unassigned = ({ alias }: { alias: string }) => (
  <Button onClick={() => navigate(href.inbox(alias, formatFilter({ status: [], assignee: 'none' })))}>
    {t('view.unassigned')}
  </Button>
)
