import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react'

export type Variant = 'primary' | 'secondary' | 'ghost' | 'danger'

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: Variant
  size?: 'small' | 'medium' | 'large'
  icon?: ReactNode
  ref?: Ref<HTMLButtonElement>
  /** Why it can't be pressed: it then stays focusable, and the reason is its tooltip. */
  reason?: string
  /** Said on hover and focus (tip.ts); the keys that do the same. */
  tip?: string
  tipKeys?: string
}

export function Button({
  variant = 'secondary',
  size = 'medium',
  icon,
  reason,
  tip,
  tipKeys,
  children,
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={'ui-button ' + (rest.className ?? '')}
      data-variant={variant}
      data-size={size}
      data-icon-only={children === undefined || undefined}
      data-tip={reason ?? tip}
      data-tip-keys={reason ? undefined : tipKeys}
      aria-disabled={reason ? true : rest['aria-disabled']}
      onClick={reason ? (e) => e.preventDefault() : onClick}
    >
      {icon}
      {children}
    </button>
  )
}

export interface IconButtonProps extends Omit<ButtonProps, 'children'> {
  /** Its name, and its tooltip. */
  label: string
  keys?: string
}

export function IconButton({ label, keys, variant = 'ghost', ...rest }: IconButtonProps) {
  return <Button variant={variant} aria-label={label} tip={label} tipKeys={keys} {...rest} />
}
