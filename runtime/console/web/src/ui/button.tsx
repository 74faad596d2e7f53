import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react'
import { Tooltip } from './tooltip'

export type Variant = 'primary' | 'secondary' | 'ghost' | 'danger'

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: Variant
  size?: 'small' | 'medium' | 'large'
  icon?: ReactNode
  ref?: Ref<HTMLButtonElement>
  /** Why it can't be pressed: it then stays focusable, and the reason is its tooltip. */
  reason?: string
}

export function Button({
  variant = 'secondary',
  size = 'medium',
  icon,
  reason,
  children,
  onClick,
  ...rest
}: ButtonProps) {
  const button = (
    <button
      type="button"
      {...rest}
      className={'ui-button ' + (rest.className ?? '')}
      data-variant={variant}
      data-size={size}
      data-icon-only={children === undefined || undefined}
      aria-disabled={reason ? true : rest['aria-disabled']}
      onClick={reason ? (e) => e.preventDefault() : onClick}
    >
      {icon}
      {children}
    </button>
  )
  return reason ? <Tooltip text={reason}>{button}</Tooltip> : button
}

export interface IconButtonProps extends Omit<ButtonProps, 'children'> {
  /** Its name, and its tooltip. */
  label: string
  keys?: string
}

export function IconButton({ label, keys, variant = 'ghost', reason, ...rest }: IconButtonProps) {
  return (
    <Tooltip text={reason ?? label} keys={reason ? undefined : keys}>
      <Button
        variant={variant}
        aria-label={label}
        {...rest}
        aria-disabled={reason ? true : undefined}
        onClick={reason ? (e) => e.preventDefault() : rest.onClick}
      />
    </Tooltip>
  )
}
