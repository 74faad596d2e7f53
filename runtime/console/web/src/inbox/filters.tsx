import { useQuery } from '@tanstack/react-query'
import { CircleUser, Tag, UserX, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { usePainted } from '@/app/ready'
import { q, queryClient } from '@/api/queries'
import { priorities, statuses, type Instance, type Priority, type Status } from '@/api/types'
import { t } from '@/i18n'
import { IconButton } from '@/ui/button'
import { FieldButton } from '@/ui/field-button'
import { PriorityIcon, priorityText, ProviderMark, providerText, StatusIcon, statusText } from '@/ui/marks'
import type { PickerOption } from '@/ui/picker-state'
import type { Desk } from './desk'
import { isFiltered, type Filter } from './filter'
import { agentOptions } from './pickers'

interface Props {
  desk: Desk
  filter: Filter
  instance?: Instance
  onChange(next: Filter): void
}

const knownProviders = ['telegram', 'github', 'generic-webhook']
const any = (): PickerOption => ({ value: '', label: t('filter.any'), icon: <X /> })

/** What the list shows: each part a choice. */
export function Filters({ desk, filter, instance, onChange }: Props) {
  const agents = useQuery({ ...q.agents(desk.alias), enabled: usePainted() }).data
  const choose = (part: Partial<Filter>) => onChange({ ...filter, ...part })
  const providers = instance?.providers.length ? instance.providers : knownProviders

  const assignee = () => {
    switch (filter.assignee) {
      case undefined:
        return undefined
      case 'me':
        return t('filter.me')
      case 'none':
        return t('filter.nobody')
    }
    const a = agents?.find((x) => x.id === filter.assignee || 'sub:' + x.subject === filter.assignee)
    return a?.name || a?.subject || filter.assignee.replace(/^sub:/, '')
  }

  return (
    <div className="thread-filters" role="group" aria-label={t('filter.label')}>
      <Chip
        label={t('filter.status')}
        icon={filter.status.length === 1 && <StatusIcon status={filter.status[0] as Status} />}
        value={filter.status.length ? filter.status.map(statusText).join(', ') : undefined}
        options={() => statuses.map((s) => ({ value: s, label: statusText(s), icon: <StatusIcon status={s} /> }))}
        chosen={filter.status}
        multiple
        onChoose={(() => {
          // the choice stays open, so it goes on from what was chosen last
          let now = filter.status
          return (v: string) => {
            const s = v as Status
            now = now.includes(s) ? now.filter((x) => x !== s) : [...now, s]
            choose({ status: now })
          }
        })()}
      />
      <Chip
        label={t('filter.priority')}
        icon={filter.priority && <PriorityIcon priority={filter.priority} />}
        value={filter.priority && priorityText(filter.priority)}
        options={() => [
          any(),
          ...priorities.map((p) => ({ value: p, label: priorityText(p), icon: <PriorityIcon priority={p} /> })),
        ]}
        chosen={[filter.priority ?? '']}
        onChoose={(v) => choose({ priority: (v as Priority) || undefined })}
      />
      <Chip
        label={t('filter.provider')}
        icon={filter.provider && <ProviderMark provider={filter.provider} />}
        value={filter.provider && providerText(filter.provider)}
        options={() => [
          any(),
          ...providers.map((p) => ({ value: p, label: providerText(p), icon: <ProviderMark provider={p} /> })),
        ]}
        chosen={[filter.provider ?? '']}
        onChoose={(v) => choose({ provider: v || undefined })}
      />
      <Chip
        label={t('filter.assignee')}
        value={assignee()}
        options={() => [
          any(),
          { value: 'me', label: t('filter.me'), icon: <CircleUser /> },
          { value: 'none', label: t('filter.nobody'), icon: <UserX /> },
          ...agentOptions(desk).filter((o) => agents?.find((a) => a.id === o.value)?.subject !== desk.me?.subject),
        ]}
        chosen={[filter.assignee ?? '']}
        onChoose={(v) => choose({ assignee: v || undefined })}
      />
      <Chip
        label={t('filter.labelName')}
        icon={filter.label && <Tag />}
        value={filter.label}
        options={() => [
          any(),
          ...[
            ...new Set([
              ...(queryClient.getQueryData(q.labels(desk.alias).queryKey) ?? []),
              ...(filter.label ? [filter.label] : []),
            ]),
          ]
            .sort()
            .map((l) => ({ value: l, label: l, icon: <Tag /> })),
        ]}
        create
        chosen={[filter.label ?? '']}
        onChoose={(v) => choose({ label: v || undefined })}
      />
      {isFiltered(filter) && (
        <IconButton
          className="thread-filter-clear"
          size="small"
          label={t('filter.clear')}
          icon={<X />}
          onClick={() => onChange({ status: [] })}
        />
      )}
    </div>
  )
}

interface ChipProps {
  label: string
  icon?: ReactNode
  value?: string
  options(): PickerOption[]
  chosen: string[]
  multiple?: boolean
  create?: boolean
  onChoose(value: string): void
}

function Chip({ label, icon, value, options, chosen, multiple, create, onChoose }: ChipProps) {
  return (
    <FieldButton
      label={label}
      className={'thread-filter' + (value ? ' thread-filter-set' : '')}
      request={() => ({ options: options(), chosen, multiple, create, onChoose })}
    >
      {icon}
      <span className="truncate">{value ?? label}</span>
    </FieldButton>
  )
}
