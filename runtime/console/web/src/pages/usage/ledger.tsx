import { useInfiniteQuery } from '@tanstack/react-query'
import { q } from '@/api/queries'
import type { EntryKind } from '@/api/types'
import { t, type MessageKey } from '@/i18n'
import { Select } from '@/ui/field'
import { Badge, ErrorNote } from '@/ui/states'
import { More } from '../kit/more'
import { RowSkeletons } from '../kit/skeletons'
import { Time } from '../kit/time'
import { digitsOf, microOf } from './money'
import { usd } from './usd'

export const kinds: EntryKind[] = ['inbound', 'reply', 'refund', 'credit']
export const kindText: Record<EntryKind, MessageKey> = {
  inbound: 'usage.kind.inbound',
  reply: 'usage.kind.reply',
  refund: 'usage.kind.refund',
  credit: 'usage.kind.credit',
}
const entryText: Record<EntryKind, MessageKey> = {
  inbound: 'usage.entry.inbound',
  reply: 'usage.entry.reply',
  refund: 'usage.entry.refund',
  credit: 'usage.entry.credit',
}
const tones = { inbound: undefined, reply: 'blue', refund: 'amber', credit: 'green' } as const

export function Ledger({
  alias,
  kind,
  onKind,
}: {
  alias: string
  kind: EntryKind | undefined
  onKind(kind: EntryKind | undefined): void
}) {
  const entries = useInfiniteQuery(q.entries(alias, kind))
  const rows = entries.data?.pages.flatMap((page) => page.data) ?? []
  const digits = digitsOf(rows.map((e) => microOf(e.amount)))
  return (
    <section className="stack" aria-labelledby="ledger">
      <div className="usage-head">
        <div className="grow">
          <h2 id="ledger">{t('usage.ledger')}</h2>
          <p className="ui-hint">{t('usage.ledger.text')}</p>
        </div>
        <div className="usage-kind">
          <Select
            aria-label={t('usage.ledger.kind')}
            value={kind ?? ''}
            onChange={(value) => onKind(kinds.find((k) => k === value))}
            options={[
              { value: '', label: t('usage.ledger.all') },
              ...kinds.map((k) => ({ value: k, label: t(kindText[k]) })),
            ]}
          />
        </div>
      </div>
      {entries.isPending ? (
        <RowSkeletons n={6} />
      ) : entries.isError && !rows.length ? (
        <ErrorNote error={entries.error} onRetry={() => void entries.refetch()} />
      ) : rows.length === 0 ? (
        <p className="usage-none muted">{t(kind ? 'usage.ledger.noneOfKind' : 'usage.ledger.none')}</p>
      ) : (
        <>
          <div className="ui-table-wrap">
            <table className="ui-table ledger" aria-label={t('usage.ledger')}>
              <thead>
                <tr>
                  <th scope="col">{t('usage.column.kind')}</th>
                  <th scope="col">{t('usage.column.reference')}</th>
                  <th scope="col">{t('usage.column.at')}</th>
                  <th scope="col" className="num">
                    {t('usage.column.amount')}
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map((e) => {
                  const amount = microOf(e.amount)
                  return (
                    <tr key={e.reference}>
                      <td>
                        <Badge tone={tones[e.kind]}>{entryText[e.kind] ? t(entryText[e.kind]) : e.kind}</Badge>
                      </td>
                      <td className="ledger-reference">
                        <code>{e.reference}</code>
                      </td>
                      <td>
                        <Time at={e.at} />
                      </td>
                      <td className="num" data-added={amount > 0n || undefined}>
                        {usd(amount, { sign: true, digits })}
                      </td>
                    </tr>
                  )
                })}
              </tbody>
            </table>
          </div>
          <More query={entries} />
        </>
      )}
    </section>
  )
}
