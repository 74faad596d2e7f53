import { Menu as Base } from '@base-ui/react/menu'
import { Check } from 'lucide-react'
import type { ReactElement, ReactNode } from 'react'
import { Kbd } from './kbd'

interface MenuProps {
  /** The button that opens it. */
  trigger: ReactElement
  children: ReactNode
  align?: 'start' | 'center' | 'end'
  side?: 'top' | 'bottom' | 'left' | 'right'
  defaultOpen?: boolean
  /** The part of the page that it belongs to; without, it is beside all of them. */
  container?: HTMLElement | null
}

export function Menu({ trigger, children, align = 'start', side = 'bottom', defaultOpen, container }: MenuProps) {
  return (
    <Base.Root defaultOpen={defaultOpen}>
      <Base.Trigger render={trigger} />
      <Base.Portal container={container ?? undefined}>
        <Base.Positioner className="ui-positioner" sideOffset={4} align={align} side={side} collisionPadding={8}>
          <Base.Popup className="ui-popup">{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

interface ItemProps {
  icon?: ReactNode
  keys?: string
  checked?: boolean
  disabled?: boolean
  onClick?(): void
  children: ReactNode
}

export function MenuItem({ icon, keys, checked, disabled, onClick, children }: ItemProps) {
  return (
    <Base.Item className="ui-item" disabled={disabled} onClick={onClick}>
      {icon}
      <span className="truncate">{children}</span>
      {keys && <Kbd keys={keys} />}
      {checked && <Check className="ui-check" />}
    </Base.Item>
  )
}

export const MenuSeparator = () => <Base.Separator className="ui-separator" />

export function MenuGroup({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Base.Group>
      <Base.GroupLabel className="ui-group-label">{label}</Base.GroupLabel>
      {children}
    </Base.Group>
  )
}
