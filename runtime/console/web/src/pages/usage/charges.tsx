import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { q } from '@/api/queries'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { ErrorNote, Skeleton } from '@/ui/states'
import { Choices } from '../kit/choice'
import { span, tableStep } from './dates'
import { stepOf, type Period, type Step } from './periods'
import { Plot } from './plot'
import { charged, net, series, type Point } from './series'
import { usd } from './usd'

export function Charges({ alias, period }: { alias: string; period: Period }) {
  const step = stepOf(period)
  const charges = useQuery(q.charges(alias, period.from.toISOString(), period.to.toISOString(), step))
  const [look, setLook] = useState('plot')
  const points = charges.data && series(charges.data, period, step)
  const busy = points?.filter((p) => charged(p) > 0n || p.refunds > 0n || p.credits > 0n)
  const title = t(step === 'day' ? 'usage.charges.byDay' : 'usage.charges.byHour')
  return (
    <figure className="ui-card usage-charges" aria-label={t('usage.charges')}>
      <figcaption className="usage-head">
        <div className="grow">
          <h2>{title}</h2>
          <p className="ui-hint">{t('usage.charges.utc', { span: span(period.from, period.to) })}</p>
        </div>
        <Choices
          look="bar"
          legend={t('usage.look')}
          hideLegend
          value={look}
          onChange={setLook}
          choices={[
            { value: 'plot', label: t('usage.look.plot') },
            { value: 'table', label: t('usage.look.table') },
          ]}
        />
      </figcaption>
      {charges.isPending ? (
        <Skeleton height={214} />
      ) : charges.isError ? (
        <ErrorNote error={charges.error} onRetry={() => void charges.refetch()} />
      ) : !points || !busy?.length ? (
        <p className="usage-none muted">{t('usage.charges.none')}</p>
      ) : look === 'plot' ? (
        <Plot points={points} step={step} label={title} />
      ) : (
        <ChargesTable points={busy} step={step} label={title} />
      )}
    </figure>
  )
}

function ChargesTable({ points, step, label }: { points: Point[]; step: Step; label: string }) {
  return (
    <div className="ui-table-wrap usage-scroll" tabIndex={0} role="region" aria-label={label}>
      <table className="ui-table">
        <thead>
          <tr>
            <th scope="col">{t(step === 'day' ? 'usage.column.day' : 'usage.column.hour')}</th>
            <th scope="col" className="num">
              {t('usage.column.messages')}
            </th>
            <th scope="col" className="num">
              {t('usage.kind.inbound')}
            </th>
            <th scope="col" className="num">
              {t('usage.column.deliveries')}
            </th>
            <th scope="col" className="num">
              {t('usage.kind.reply')}
            </th>
            <th scope="col" className="num">
              {t('usage.kind.refund')}
            </th>
            <th scope="col" className="num">
              {t('usage.column.net')}
            </th>
          </tr>
        </thead>
        <tbody>
          {[...points].reverse().map((p) => (
            <tr key={p.at.getTime()}>
              <th scope="row">{tableStep(p.at, step)}</th>
              <td className="num">{fmt.number(p.messages)}</td>
              <td className="num">{usd(p.received)}</td>
              <td className="num">{fmt.number(p.deliveries)}</td>
              <td className="num">{usd(p.replies)}</td>
              <td className="num">{usd(p.refunds)}</td>
              <td className="num">{usd(net(p))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
