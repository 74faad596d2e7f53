import { t } from '@/i18n'
import { Field, Input } from '@/ui/field'
import { Choices } from '../kit/choice'
import { targetRule } from './target'

export interface Target {
  every: boolean
  id: string
}

export function TargetField({
  provider,
  value,
  onChange,
  error,
}: {
  provider: string
  value: Target
  onChange(target: Target): void
  error?: string
}) {
  const rule = targetRule(provider)
  return (
    <div className="stack">
      <Choices
        legend={t('channels.target.legend')}
        value={value.every ? 'every' : 'one'}
        onChange={(which) => onChange({ ...value, every: which === 'every' })}
        choices={[
          { value: 'every', label: t(rule.every), text: t('channels.target.everyText') },
          { value: 'one', label: t(rule.one), text: t('channels.target.oneText') },
        ]}
      />
      {!value.every && (
        <Field label={t(rule.field)} hint={t(rule.hint)} error={error}>
          <Input
            value={value.id}
            onChange={(e) => onChange({ ...value, id: e.target.value.trim() })}
            placeholder={rule.sample}
            inputMode={provider === 'telegram' ? 'text' : undefined}
            className="mono"
          />
        </Field>
      )}
    </div>
  )
}
