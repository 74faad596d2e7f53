import { Select as BaseSelect } from '@base-ui/react/select'
import { Switch as BaseSwitch } from '@base-ui/react/switch'
import { Check, ChevronsUpDown } from 'lucide-react'
import {
  cloneElement,
  useId,
  type InputHTMLAttributes,
  type ReactElement,
  type ReactNode,
  type Ref,
  type TextareaHTMLAttributes,
} from 'react'

interface FieldProps {
  label: string
  hint?: ReactNode
  error?: string
  /** An Input, TextArea or Select: it gets id and descriptions. */
  children: ReactElement<{ id?: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }>
}

export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId()
  const describedBy = [error && id + 'e', hint && id + 'h'].filter(Boolean).join(' ') || undefined
  return (
    <div className="ui-field">
      <label className="ui-label" htmlFor={id}>
        {label}
      </label>
      {cloneElement(children, { id, 'aria-describedby': describedBy, 'aria-invalid': error ? true : undefined })}
      {error && (
        <span className="ui-error" id={id + 'e'}>
          {error}
        </span>
      )}
      {hint && (
        <span className="ui-hint" id={id + 'h'}>
          {hint}
        </span>
      )}
    </div>
  )
}

export function Input(props: InputHTMLAttributes<HTMLInputElement> & { ref?: Ref<HTMLInputElement> }) {
  return (
    <input
      type="text"
      autoComplete="off"
      spellCheck={false}
      {...props}
      className={'ui-input ' + (props.className ?? '')}
    />
  )
}

export function TextArea(props: TextareaHTMLAttributes<HTMLTextAreaElement> & { ref?: Ref<HTMLTextAreaElement> }) {
  return <textarea {...props} className={'ui-input ' + (props.className ?? '')} />
}

export interface Option {
  value: string
  label: string
  icon?: ReactNode
  disabled?: boolean
}

interface SelectProps {
  value: string
  onChange(value: string): void
  options: Option[]
  id?: string
  disabled?: boolean
  'aria-label'?: string
  'aria-describedby'?: string
  'aria-invalid'?: boolean
}

export function Select({ value, onChange, options, disabled, ...rest }: SelectProps) {
  const chosen = options.find((o) => o.value === value)
  return (
    <BaseSelect.Root value={value} onValueChange={(v) => onChange(v as string)} disabled={disabled}>
      <BaseSelect.Trigger className="ui-select" {...rest}>
        {chosen?.icon}
        <span className="truncate">{chosen?.label ?? value}</span>
        <ChevronsUpDown size={14} />
      </BaseSelect.Trigger>
      <BaseSelect.Portal>
        <BaseSelect.Positioner className="ui-positioner" sideOffset={4} alignItemWithTrigger={false}>
          <BaseSelect.Popup className="ui-popup">
            {options.map((o) => (
              <BaseSelect.Item key={o.value} value={o.value} disabled={o.disabled} className="ui-item">
                {o.icon}
                <BaseSelect.ItemText>{o.label}</BaseSelect.ItemText>
                <BaseSelect.ItemIndicator className="ui-check">
                  <Check size={14} />
                </BaseSelect.ItemIndicator>
              </BaseSelect.Item>
            ))}
          </BaseSelect.Popup>
        </BaseSelect.Positioner>
      </BaseSelect.Portal>
    </BaseSelect.Root>
  )
}

interface SwitchProps {
  checked: boolean
  onChange(checked: boolean): void
  label: string
  disabled?: boolean
}

/** A switch named by label, which is not shown. */
export function Switch({ checked, onChange, label, disabled }: SwitchProps) {
  return (
    <BaseSwitch.Root
      className="ui-switch"
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled}
      aria-label={label}
    >
      <BaseSwitch.Thumb className="ui-switch-thumb" />
    </BaseSwitch.Root>
  )
}
