import { Check, CircleAlert, Copy } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { ApiError } from '@/api/client'
import { t } from '@/i18n'
import { Button, IconButton } from './button'

export function EmptyState({
  icon,
  title,
  children,
  actions,
}: {
  icon?: ReactNode
  title: string
  children?: ReactNode
  actions?: ReactNode
}) {
  return (
    <div className="ui-empty">
      {icon}
      <h2>{title}</h2>
      {children}
      {actions && <div className="ui-empty-actions">{actions}</div>}
    </div>
  )
}

export function Skeleton({ width = '100%', height = 12 }: { width?: number | string; height?: number | string }) {
  return <span className="ui-skeleton" style={{ width, height }} aria-hidden="true" />
}

/** What went wrong, in the API's own words. */
export const reasonOf = (error: unknown) =>
  error instanceof ApiError && error.status > 0
    ? error.message
    : error instanceof ApiError
      ? t(navigator.onLine ? 'error.unreachable' : 'error.offline')
      : error instanceof Error
        ? error.message
        : String(error)

export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?(): void }) {
  return (
    <div className="ui-note" data-tone="red" role="alert">
      <CircleAlert aria-hidden="true" />
      <span className="grow">{reasonOf(error)}</span>
      {onRetry && (
        <Button size="small" onClick={onRetry}>
          {t('action.retry')}
        </Button>
      )}
    </div>
  )
}

export function Note({
  tone,
  icon,
  children,
}: {
  tone?: 'red' | 'amber' | 'green'
  icon?: ReactNode
  children: ReactNode
}) {
  return (
    <div className="ui-note" data-tone={tone}>
      {icon}
      <div className="grow">{children}</div>
    </div>
  )
}

/** Rejects where the browser has no clipboard for this page, or refuses it. */
export function useCopy(text: string) {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return [copied, copy] as const
}

export function CopyButton({ text, label = t('action.copy') }: { text: string; label?: string }) {
  const [copied, copy] = useCopy(text)
  const [refused, setRefused] = useState(false)
  const said = copied ? t('action.copied') : refused ? t('action.copyRefused') : ''
  return (
    <>
      <IconButton
        label={said || label}
        icon={copied ? <Check /> : refused ? <CircleAlert /> : <Copy />}
        size="small"
        onClick={() => {
          setRefused(false)
          copy().catch(() => setRefused(true))
        }}
      />
      <span className="sr-only" role="status">
        {said}
      </span>
    </>
  )
}

/** Text to be copied whole: a command, an address, a key. */
export function CodeBlock({ text, label }: { text: string; label?: string }) {
  return (
    <div className="ui-code">
      <pre>{text}</pre>
      <CopyButton text={text} label={label} />
    </div>
  )
}

export function Badge({ tone, children }: { tone?: 'green' | 'amber' | 'red' | 'blue'; children: ReactNode }) {
  return (
    <span className="ui-badge" data-tone={tone}>
      <span className="truncate">{children}</span>
    </span>
  )
}
