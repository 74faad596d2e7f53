import { t } from '@/i18n'
import { Skeleton } from '@/ui/states'

const range = (n: number) => Array.from({ length: n }, (_, i) => i)

export function CardSkeletons({ n }: { n: number }) {
  return (
    <div className="cards" aria-busy="true" aria-label={t('kit.loading')} role="status">
      {range(n).map((i) => (
        <div key={i} className="ui-card stack">
          <div className="row">
            <Skeleton width={32} height={32} />
            <div className="grow stack">
              <Skeleton width={`${[38, 30, 44][i % 3]}%`} height={14} />
              <Skeleton width={`${[56, 64, 48][i % 3]}%`} height={10} />
            </div>
          </div>
        </div>
      ))}
    </div>
  )
}

export function RowSkeletons({ n }: { n: number }) {
  return (
    <div className="rows-skeleton" aria-busy="true" aria-label={t('kit.loading')} role="status">
      {range(n).map((i) => (
        <div key={i} className="row">
          <Skeleton width={18} height={18} />
          <Skeleton width={`${[62, 48, 70, 55][i % 4]}%`} />
        </div>
      ))}
    </div>
  )
}
