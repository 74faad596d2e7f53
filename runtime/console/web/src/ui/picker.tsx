// A list to choose from, narrowed by typing, beside whatever it was opened from.
import { Autocomplete } from '@base-ui/react/autocomplete'
import { Popover } from '@base-ui/react/popover'
import { Check } from 'lucide-react'
import { useState } from 'react'
import { t } from '@/i18n'
import type { PickerOption, PickerRequest } from './picker-state'

export default function Picker({ request, onClose }: { request: PickerRequest; onClose(): void }) {
  return (
    <Popover.Root open onOpenChange={(open) => !open && onClose()}>
      <Popover.Portal>
        <Popover.Positioner
          className="ui-positioner"
          anchor={request.anchor}
          align={request.align ?? 'start'}
          sideOffset={4}
          collisionPadding={8}
        >
          <Popover.Popup
            id="picker"
            className="ui-popup ui-picker"
            aria-label={request.title}
            finalFocus={() => request.focusAfter ?? true}
          >
            <Choices key={request.title} request={request} onClose={onClose} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

function Choices({ request, onClose }: { request: PickerRequest; onClose(): void }) {
  const [query, setQuery] = useState('')
  const [chosen, setChosen] = useState(request.chosen)
  const name = query.trim()
  const options = [...request.options]
  if (request.create && name && !options.some((o) => o.label.toLowerCase() === name.toLowerCase()))
    options.push({ value: name, label: name, create: true })

  const choose = (o: PickerOption) => {
    request.onChoose(o.value, o)
    if (!request.multiple) return onClose()
    setQuery('')
    setChosen((old) => (old.includes(o.value) ? old.filter((v) => v !== o.value) : [...old, o.value]))
    if (o.create) request.options.push({ value: o.value, label: o.label })
  }

  return (
    <Autocomplete.Root
      open
      inline
      items={options}
      value={query}
      onValueChange={(v, d) => d.reason !== 'item-press' && setQuery(v)}
      itemToStringValue={(o: PickerOption) => o.label}
      autoHighlight="always"
      keepHighlight
    >
      <Autocomplete.Input
        className="ui-picker-input"
        aria-label={request.title}
        placeholder={request.placeholder ?? request.title}
        autoFocus
      />
      <Autocomplete.Empty className="ui-picker-empty">{t('picker.none')}</Autocomplete.Empty>
      <Autocomplete.List className="ui-picker-list">
        {(o: PickerOption) => (
          <Autocomplete.Item
            key={o.create ? 'new ' + o.value : o.value}
            value={o}
            className="ui-item"
            onClick={() => choose(o)}
            aria-label={o.create ? t('picker.create', { name: o.label }) : undefined}
          >
            {o.icon}
            <span className="truncate">{o.create ? t('picker.create', { name: o.label }) : o.label}</span>
            {o.hint && (
              <span className="ui-picker-hint truncate" aria-hidden="true">
                {o.hint}
              </span>
            )}
            {chosen.includes(o.value) && <Check className="ui-check" aria-hidden="true" />}
          </Autocomplete.Item>
        )}
      </Autocomplete.List>
    </Autocomplete.Root>
  )
}
