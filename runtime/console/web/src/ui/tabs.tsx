import { Tabs as Base } from '@base-ui/react/tabs'
import type { ReactNode } from 'react'

interface TabsProps {
  value: string
  onChange(value: string): void
  label: string
  tabs: { value: string; label: ReactNode; panel: ReactNode }[]
}

export function Tabs({ value, onChange, label, tabs }: TabsProps) {
  return (
    <Base.Root value={value} onValueChange={(v) => onChange(v as string)}>
      <Base.List className="ui-tabs" aria-label={label}>
        {tabs.map((tab) => (
          <Base.Tab key={tab.value} value={tab.value} className="ui-tab">
            {tab.label}
          </Base.Tab>
        ))}
      </Base.List>
      {tabs.map((tab) => (
        <Base.Panel key={tab.value} value={tab.value}>
          {tab.panel}
        </Base.Panel>
      ))}
    </Base.Root>
  )
}
