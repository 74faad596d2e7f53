import { useState } from 'react'
import { t, type MessageKey } from '@/i18n'
import { Field, Input } from '@/ui/field'
import { Choices } from '../kit/choice'
import {
  customPeriod,
  isoDate,
  lastDay,
  periodOf,
  presets,
  type CustomProblem,
  type Period,
  type Preset,
} from './periods'

const names: Record<Preset, MessageKey> = {
  'this-month': 'usage.period.thisMonth',
  'last-month': 'usage.period.lastMonth',
  '7d': 'usage.period.7d',
  '30d': 'usage.period.30d',
  '90d': 'usage.period.90d',
  custom: 'usage.period.custom',
}

const problems: Record<CustomProblem, MessageKey> = {
  first: 'usage.period.first.wrong',
  last: 'usage.period.last.wrong',
  order: 'usage.period.order',
  long: 'usage.period.long',
}

interface PeriodFieldProps {
  preset: Preset
  period: Period
  onPreset(preset: Exclude<Preset, 'custom'>): void
  onCustom(first: string, last: string): void
}

export function PeriodField({ preset, period, onPreset, onCustom }: PeriodFieldProps) {
  const [first, setFirst] = useState(isoDate(period.from))
  const [last, setLast] = useState(lastDay(period))
  const custom = customPeriod(first, last)
  const problem = 'problem' in custom ? custom.problem : undefined
  const change = (a: string, b: string) => {
    setFirst(a)
    setLast(b)
    if (!('problem' in customPeriod(a, b))) onCustom(a, b)
  }
  return (
    <div className="stack">
      <Choices
        look="bar"
        legend={t('usage.period')}
        hideLegend
        value={preset}
        onChange={(value) => {
          if (value !== 'custom') {
            const to = periodOf(value as Exclude<Preset, 'custom'>, new Date())
            setFirst(isoDate(to.from))
            setLast(lastDay(to))
            onPreset(value as Exclude<Preset, 'custom'>)
          } else onCustom(first, last)
        }}
        choices={presets.map((p) => ({ value: p, label: t(names[p]) }))}
      />
      {preset === 'custom' && (
        <div className="usage-dates">
          <Field label={t('usage.period.first')} error={problem === 'first' ? t(problems.first) : undefined}>
            <Input type="date" value={first} max={last || undefined} onChange={(e) => change(e.target.value, last)} />
          </Field>
          <Field
            label={t('usage.period.last')}
            error={problem && problem !== 'first' ? t(problems[problem]) : undefined}
          >
            <Input type="date" value={last} onChange={(e) => change(first, e.target.value)} />
          </Field>
        </div>
      )}
    </div>
  )
}
