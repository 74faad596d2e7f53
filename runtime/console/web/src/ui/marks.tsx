import { Send, Webhook } from 'lucide-react'
import { memo } from 'react'
import type { Priority, Status } from '@/api/types'
import { t } from '@/i18n'

export const statusText = (s: Status) => t(`status.${s}`)
export const priorityText = (p: Priority) => t(`priority.${p}`)

const providerNames: Record<string, string> = { telegram: 'Telegram', github: 'GitHub' }
/** A provider's own name; those that have none are described. */
export const providerText = (p: string) =>
  providerNames[p] ?? (p === 'generic-webhook' ? t('provider.generic-webhook') : p)

const octocat =
  'M8 0C3.58 0 0 3.58 0 8c0 3.54 2.29 6.53 5.47 7.59.4.07.55-.17.55-.38 0-.19-.01-.82-.01-1.49-2.01.37-2.53-.49-2.69-.94-.09-.23-.48-.94-.82-1.13-.28-.15-.68-.52-.01-.53.63-.01 1.08.58 1.23.82.72 1.21 1.87.87 2.33.66.07-.52.28-.87.51-1.07-1.78-.2-3.64-.89-3.64-3.95 0-.87.31-1.59.82-2.15-.08-.2-.36-1.02.08-2.12 0 0 .67-.21 2.2.82.64-.18 1.32-.27 2-.27s1.36.09 2 .27c1.53-1.04 2.2-.82 2.2-.82.44 1.1.16 1.92.08 2.12.51.56.82 1.27.82 2.15 0 3.07-1.87 3.75-3.65 3.95.29.25.54.73.54 1.48 0 1.07-.01 1.93-.01 2.2 0 .21.15.46.55.38A8.01 8.01 0 0 0 16 8c0-4.42-3.58-8-8-8z'

/** Decorative unless labelled. */
export const ProviderMark = memo(function ProviderMark({
  provider,
  size = 14,
  labelled,
}: {
  provider: string
  size?: number
  labelled?: boolean
}) {
  const named = labelled
    ? ({ role: 'img', 'aria-label': providerText(provider) } as const)
    : ({ 'aria-hidden': true } as const)
  if (provider === 'github')
    return (
      <svg className="mark-github" width={size} height={size} viewBox="0 0 16 16" fill="currentColor" {...named}>
        <path d={octocat} />
      </svg>
    )
  if (provider === 'telegram') return <Send className="mark-telegram" size={size} {...named} />
  return <Webhook className="mark-webhook" size={size} {...named} />
})

export const StatusIcon = memo(function StatusIcon({ status, size = 14 }: { status: Status; size?: number }) {
  return (
    <svg
      className={'mark-status mark-' + status}
      width={size}
      height={size}
      viewBox="0 0 14 14"
      fill="none"
      aria-hidden="true"
    >
      {status === 'resolved' ? (
        <>
          <circle cx="7" cy="7" r="7" fill="currentColor" />
          <path
            d="m4.200 7.200 2 2 3.700-4.200"
            stroke="var(--bg)"
            strokeWidth="1.500"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
        </>
      ) : (
        <>
          <circle
            cx="7"
            cy="7"
            r="6"
            stroke="currentColor"
            strokeWidth="1.600"
            strokeDasharray={status === 'archived' ? '2 1.770' : undefined}
          />
          {status === 'pending' && <path d="M7 3.500a3.500 3.500 0 0 1 0 7z" fill="currentColor" />}
        </>
      )}
    </svg>
  )
})

export const PriorityIcon = memo(function PriorityIcon({ priority, size = 14 }: { priority: Priority; size?: number }) {
  if (priority === 'urgent')
    return (
      <svg className="mark-urgent" width={size} height={size} viewBox="0 0 14 14" aria-hidden="true">
        <rect width="14" height="14" rx="3.500" fill="currentColor" />
        <path d="M7 3.300v4.200M7 10.200v.300" stroke="var(--bg)" strokeWidth="1.800" strokeLinecap="round" />
      </svg>
    )
  const bars = priority === 'high' ? 3 : priority === 'normal' ? 2 : 1
  return (
    <svg className="mark-bars" width={size} height={size} viewBox="0 0 14 14" fill="currentColor" aria-hidden="true">
      {[0, 1, 2].map((i) => (
        <rect key={i} x={1 + i * 4.5} y={9 - i * 3} width="3" height={4 + i * 3} rx="1" opacity={i < bars ? 1 : 0.3} />
      ))}
    </svg>
  )
})

function hue(id: string) {
  let h = 0
  for (let i = 0; i < id.length; i++) h = (h * 31 + id.charCodeAt(i)) | 0
  return (((h % 24) + 24) % 24) * 15
}

export function initials(name: string) {
  const words = name
    .replace(/[^\p{L}\p{N}\s.@_-]/gu, '')
    .split(/[\s.@_-]+/)
    .filter(Boolean)
  const first = [...(words[0] ?? '')][0] ?? '?'
  const last = words.length > 1 ? ([...(words[words.length - 1] ?? '')][0] ?? '') : ''
  return (first + last).toUpperCase()
}

/** Initials on a colour of their own: no picture is loaded from anywhere. */
export const Avatar = memo(function Avatar({ name, id, size = 32 }: { name: string; id?: string; size?: number }) {
  return (
    <span
      className="ui-avatar"
      style={{ '--size': size + 'px', '--hue': hue(id ?? name) } as React.CSSProperties}
      aria-hidden="true"
    >
      {initials(name)}
    </span>
  )
})
