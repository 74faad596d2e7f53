import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { ScrollText } from 'lucide-react'
import { useMemo } from 'react'
import { q } from '@/api/queries'
import type { PageProps } from '@/app/page'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { PageFrame } from '@/ui/page-frame'
import { EmptyState, ErrorNote } from '@/ui/states'
import '../kit/pages.css'
import { More } from '../kit/more'
import { RowSkeletons } from '../kit/skeletons'
import { useUrl } from '../kit/url'
import './audit.css'
import { Filters, NoMatch } from './filters'
import { fold, type Deed } from './fold'
import { TrailRow } from './row'
import type { Filter, Names } from './sentence'

export default function AuditPage({ alias }: PageProps) {
  const [url, setUrl] = useUrl()
  const filter: Filter = {
    people: url.get('people') !== 'false',
    type: url.get('type') ?? undefined,
    actor: url.get('actor') ?? undefined,
    thread_id: url.get('thread_id') ?? undefined,
  }
  const change = (c: Partial<Filter>) =>
    setUrl({
      ...('people' in c ? { people: c.people ? undefined : 'false' } : {}),
      ...('type' in c ? { type: c.type } : {}),
      ...('actor' in c ? { actor: c.actor } : {}),
      ...('thread_id' in c ? { thread_id: c.thread_id } : {}),
    })
  const trail = useInfiniteQuery(q.audit(alias, filter))
  const names = useNames(alias)
  const entries = fold(trail.data?.pages.flatMap((page) => page.data) ?? [])
  const narrowed = Boolean(filter.type || filter.actor || filter.thread_id)
  return (
    <PageFrame title={t('page.audit')}>
      <p className="muted">{t('audit.intro')}</p>
      <Filters alias={alias} filter={filter} onChange={change} />
      {trail.isPending ? (
        <RowSkeletons n={8} />
      ) : trail.isError && !entries.length ? (
        <ErrorNote error={trail.error} onRetry={() => void trail.refetch()} />
      ) : entries.length === 0 ? (
        <EmptyState
          icon={<ScrollText aria-hidden="true" />}
          title={t(narrowed ? 'audit.noMatch' : 'audit.empty')}
          actions={
            narrowed || filter.people ? (
              <NoMatch
                onClear={() => setUrl({ people: 'false', type: undefined, actor: undefined, thread_id: undefined })}
              />
            ) : undefined
          }
        >
          <p>{t(narrowed ? 'audit.noMatch.text' : filter.people ? 'audit.empty.people' : 'audit.empty.text')}</p>
        </EmptyState>
      ) : (
        <>
          <ol className="trail" aria-label={t('page.audit')}>
            {byDay(entries).map(({ day, entries }) => (
              <li key={day}>
                <h2 className="trail-day">{day}</h2>
                <ol>
                  {entries.map((e) => (
                    <TrailRow
                      key={e.seq}
                      alias={alias}
                      entry={e}
                      names={names}
                      onThread={filter.thread_id ? undefined : (thread_id) => change({ thread_id })}
                    />
                  ))}
                </ol>
              </li>
            ))}
          </ol>
          <More query={trail} />
          {!trail.hasNextPage && <p className="trail-end muted">{t('audit.end')}</p>}
        </>
      )}
    </PageFrame>
  )
}

function byDay(entries: Deed[]): { day: string; entries: Deed[] }[] {
  const days: { day: string; entries: Deed[] }[] = []
  for (const entry of entries) {
    const day = fmt.day(entry.at)
    const last = days.at(-1)
    if (last?.day === day) last.entries.push(entry)
    else days.push({ day, entries: [entry] })
  }
  return days
}

function useNames(alias: string): Names {
  const channels = useQuery(q.channels(alias)).data
  const keys = useQuery(q.keys(alias)).data
  return useMemo(() => {
    const channelNames = new Map(channels?.map((c) => [c.id, c.channel_name]))
    const keyNames = new Map(keys?.map((k) => [k.id, k.name]))
    return { channel: (id) => channelNames.get(id), key: (id) => keyNames.get(id) }
  }, [channels, keys])
}
