import { useQuery } from '@tanstack/react-query'
import { CircleDollarSign, Plus } from 'lucide-react'
import { useState } from 'react'
import { q } from '@/api/queries'
import type { EntryKind, Instance, Usage } from '@/api/types'
import type { PageProps } from '@/app/page'
import { t, type MessageKey } from '@/i18n'
import { Button } from '@/ui/button'
import { PageFrame } from '@/ui/page-frame'
import { Badge, ErrorNote, Note, Skeleton } from '@/ui/states'
import '../kit/pages.css'
import { useUrl } from '../kit/url'
import { Charges } from './charges'
import { GrantCredit } from './grant'
import { kinds, kindText, Ledger } from './ledger'
import { digitsOf, microOf } from './money'
import { PeriodField } from './period-field'
import { customPeriod, isPreset, periodOf, type Period, type Preset } from './periods'
import { balanceChange } from './series'
import { usd } from './usd'
import './usage.css'

const modes: Record<Instance['billing_mode'], { name: MessageKey; text: MessageKey }> = {
  Off: { name: 'usage.mode.off', text: 'usage.mode.off.text' },
  Track: { name: 'usage.mode.track', text: 'usage.mode.track.text' },
  Enforce: { name: 'usage.mode.enforce', text: 'usage.mode.enforce.text' },
}

export default function UsagePage({ alias, admin }: PageProps) {
  const [url, setUrl] = useUrl()
  const { preset, period } = chosen(url)
  const kind = kinds.find((k) => k === url.get('kind'))
  const usage = useQuery({
    ...q.usage(alias, period.from.toISOString(), period.to.toISOString()),
    placeholderData: (old) => old,
  })
  const [granting, setGranting] = useState(false)
  const grant = (
    <Button
      icon={<Plus aria-hidden="true" />}
      reason={admin ? undefined : t('admin.reason')}
      onClick={() => setGranting(true)}
    >
      {t('usage.grant')}
    </Button>
  )
  return (
    <PageFrame title={t('page.usage')} actions={grant}>
      <PeriodField
        preset={preset}
        period={period}
        onPreset={(p) => setUrl({ period: p === 'this-month' ? undefined : p, from: undefined, to: undefined })}
        onCustom={(from, to) => setUrl({ period: 'custom', from, to })}
      />
      {usage.isPending ? (
        <UsageSkeleton />
      ) : usage.isError ? (
        <ErrorNote error={usage.error} onRetry={() => void usage.refetch()} />
      ) : (
        <Summary usage={usage.data} stale={usage.isPlaceholderData} />
      )}
      <Charges alias={alias} period={period} />
      <Ledger alias={alias} kind={kind} onKind={(k: EntryKind | undefined) => setUrl({ kind: k })} />
      {granting && <GrantCredit alias={alias} onClose={() => setGranting(false)} />}
    </PageFrame>
  )
}

function chosen(url: URLSearchParams): { preset: Preset; period: Period } {
  const named = url.get('period')
  if (named === 'custom') {
    const period = customPeriod(url.get('from') ?? '', url.get('to') ?? '')
    if (!('problem' in period)) return { preset: 'custom', period }
  }
  const preset = isPreset(named) && named !== 'custom' ? named : 'this-month'
  return { preset, period: periodOf(preset, new Date()) }
}

function Summary({ usage, stale }: { usage: Usage; stale: boolean }) {
  const balance = microOf(usage.balance)
  const mode = modes[usage.billing_mode]
  const change = balanceChange(usage.entries)
  const sums = kinds.map((k) => ({
    kind: k,
    count: usage.entries[k]?.count ?? 0,
    sum: usage.entries[k] ? microOf(usage.entries[k].sum) : 0n,
  }))
  const digits = digitsOf([change, ...sums.map((s) => s.sum)])
  return (
    <>
      <section
        className="usage-tiles"
        aria-label={t('usage.summary')}
        aria-busy={stale}
        data-stale={stale || undefined}
      >
        <div className="ui-card usage-balance">
          <h2 className="usage-label">
            <CircleDollarSign size={14} aria-hidden="true" /> {t('usage.balance')}
          </h2>
          <p className="usage-big" data-empty={(usage.billing_mode === 'Enforce' && balance <= 0n) || undefined}>
            {usd(balance)}
          </p>
          <p className="ui-hint">
            <Badge tone={usage.billing_mode === 'Enforce' ? 'amber' : undefined}>{t(mode.name)}</Badge> {t(mode.text)}
          </p>
        </div>
        <div className="ui-card usage-sums">
          <h2 className="usage-label">{t('usage.sums')}</h2>
          <dl>
            {sums.map(({ kind, count, sum }) => (
              <div key={kind}>
                <dt>
                  {t(kindText[kind])} <span className="muted">{t('usage.entries', { n: count })}</span>
                </dt>
                <dd>{usd(sum, { sign: true, digits })}</dd>
              </div>
            ))}
            <div className="usage-net">
              <dt>{t('usage.change')}</dt>
              <dd>{usd(change, { sign: true, digits })}</dd>
            </div>
          </dl>
        </div>
      </section>
      {usage.billing_mode === 'Enforce' && balance <= 0n && <Note tone="red">{t('usage.empty.enforce')}</Note>}
    </>
  )
}

function UsageSkeleton() {
  return (
    <div className="usage-tiles" role="status" aria-busy="true" aria-label={t('kit.loading')}>
      {[0, 1].map((i) => (
        <div key={i} className="ui-card stack">
          <Skeleton width="30%" />
          <Skeleton width="50%" height={26} />
          <Skeleton width="80%" />
        </div>
      ))}
    </div>
  )
}
