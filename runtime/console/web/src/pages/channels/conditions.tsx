import { CircleAlert, CircleCheck, CircleDashed } from 'lucide-react'
import type { Condition } from '@/api/types'
import { t } from '@/i18n'
import { Rich } from '../kit/rich'
import { Time } from '../kit/time'
import { conditionTitle, repeats, signOf, sorted, type Sign } from './health'

const signs: Record<
  Sign,
  { icon: typeof CircleCheck; word: 'channels.sign.good' | 'channels.sign.bad' | 'channels.sign.waiting' }
> = {
  good: { icon: CircleCheck, word: 'channels.sign.good' },
  bad: { icon: CircleAlert, word: 'channels.sign.bad' },
  waiting: { icon: CircleDashed, word: 'channels.sign.waiting' },
}

export function Conditions({ conditions }: { conditions: Condition[] }) {
  if (!conditions.length) return <p className="muted">{t('channels.conditions.none')}</p>
  return (
    <ul className="conditions" aria-label={t('channels.conditions')}>
      {sorted(conditions).map((c) => {
        const sign = signOf(c)
        const { icon: Icon, word } = signs[sign]
        const title = conditionTitle(c.type)
        return (
          <li key={c.type} data-sign={sign}>
            <Icon aria-label={t(word)} role="img" />
            <div className="grow">
              <div className="conditions-head">
                <strong>{title ? t(title) : c.type}</strong>
                <code>
                  {c.type}={c.status}
                </code>
                <code>{c.reason}</code>
              </div>
              {!repeats(c, conditions) && <p className="sentence">{c.message}</p>}
              <p className="ui-hint">
                <Rich text={t('channels.conditions.since')} parts={{ time: <Time at={c.last_transition_at} /> }} />
              </p>
            </div>
          </li>
        )
      })}
    </ul>
  )
}
