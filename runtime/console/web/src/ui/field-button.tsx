import { useRef, type ReactNode } from 'react'
import { useStore } from '@/app/store'
import { openPicker, picker, type PickerRequest } from './picker-state'

interface FieldButtonProps {
  /** Its name; what is chosen is its value. */
  label: string
  children: ReactNode
  className?: string
  disabled?: boolean
  /** Made when it is opened, as it may be costly. */
  request(): Omit<PickerRequest, 'anchor' | 'title'> & { title?: string }
  id?: string
}

/** A field whose value is chosen from a list. */
export function FieldButton({ label, children, className = '', disabled, request, id }: FieldButtonProps) {
  const ref = useRef<HTMLButtonElement>(null)
  const open = useStore(picker, (p) => p !== undefined && p.anchor === ref.current)
  return (
    <button
      ref={ref}
      id={id}
      type="button"
      role="combobox"
      aria-label={label}
      aria-haspopup="dialog"
      aria-expanded={open}
      aria-controls={open ? 'picker' : undefined}
      disabled={disabled}
      className={'ui-field-button ' + className}
      onClick={() => openPicker({ title: label, ...request(), anchor: ref.current, focusAfter: ref.current })}
    >
      {children}
    </button>
  )
}
