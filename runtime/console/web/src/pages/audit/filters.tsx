import { useQuery } from '@tanstack/react-query'
import { X } from 'lucide-react'
import { useId, useState, type FormEvent } from 'react'
import { q } from '@/api/queries'
import { t } from '@/i18n'
import { Button, IconButton } from '@/ui/button'
import { Field, Input, Select } from '@/ui/field'
import { threadIn, types, type Filter } from './sentence'

interface FiltersProps {
  alias: string
  filter: Filter
  onChange(change: Partial<Filter>): void
}

const machines = ['provider', 'worker', 'admin', 'operator', 'retention', 'system'] as const

export function Filters({ alias, filter, onChange }: FiltersProps) {
  const agents = useQuery(q.agents(alias))
  const keys = useQuery(q.keys(alias))
  const id = useId()
  const actors = [
    { value: '', label: t('audit.filter.anybody') },
    ...(agents.data ?? []).map((a) => ({ value: `agent:${a.id}`, label: a.name || a.subject })),
    ...(keys.data ?? []).map((k) => ({ value: `key:${k.id}`, label: t('audit.actor.key', { name: k.name }) })),
    ...(filter.people ? [] : machines.map((m) => ({ value: m as string, label: t(`audit.actor.${m}`) }))),
  ]
  // An actor from the address that no list has yet is named by its id.
  if (filter.actor && !actors.some((a) => a.value === filter.actor))
    actors.push({ value: filter.actor, label: filter.actor })
  return (
    <section className="trail-filters" aria-label={t('audit.filters')}>
      <Field label={t('audit.filter.type')}>
        <Select
          value={filter.type ?? ''}
          onChange={(type) => onChange({ type: type || undefined })}
          options={[
            { value: '', label: t('audit.filter.anything') },
            ...types.map((type) => ({ value: type, label: t(`audit.type.${type}`) })),
          ]}
        />
      </Field>
      <Field label={t('audit.filter.actor')}>
        <Select
          value={filter.actor ?? ''}
          onChange={(actor) => onChange({ actor: actor || undefined })}
          options={actors}
        />
      </Field>
      <ThreadField
        key={filter.thread_id ?? ''}
        value={filter.thread_id}
        onChange={(thread_id) => onChange({ thread_id })}
      />
      <label className="trail-people" htmlFor={id}>
        <input
          id={id}
          type="checkbox"
          checked={filter.people}
          onChange={(e) => onChange({ people: e.target.checked })}
        />
        {t('audit.filter.people')}
      </label>
    </section>
  )
}

function ThreadField({ value, onChange }: { value?: string; onChange(id: string | undefined): void }) {
  const [text, setText] = useState(value ?? '')
  const [wrong, setWrong] = useState(false)
  const apply = (e?: FormEvent) => {
    e?.preventDefault()
    const id = threadIn(text)
    setWrong(text.trim() !== '' && !id)
    if (id !== value && (id || text.trim() === '')) onChange(id)
  }
  return (
    <form className="trail-thread" onSubmit={apply}>
      <Field label={t('audit.filter.thread')} error={wrong ? t('audit.filter.thread.wrong') : undefined}>
        <Input
          value={text}
          onChange={(e) => {
            setText(e.target.value)
            setWrong(false)
          }}
          onBlur={() => apply()}
          placeholder="soth_…"
          className="mono"
        />
      </Field>
      {value && (
        <IconButton
          label={t('audit.filter.thread.clear')}
          icon={<X />}
          size="small"
          onClick={() => onChange(undefined)}
        />
      )}
    </form>
  )
}

export function NoMatch({ onClear }: { onClear(): void }) {
  return <Button onClick={onClear}>{t('audit.filter.clear')}</Button>
}
