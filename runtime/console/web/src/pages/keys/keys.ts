import type { Channel, Key } from '@/api/types'
import type { MessageKey } from '@/i18n'

export type KeyState = 'valid' | 'expiring' | 'expired' | 'revoked'

const soon = 7 * 24 * 60 * 60 * 1000

export function stateOf(key: Key, now: number): KeyState {
  if (key.revoked_at && Date.parse(key.revoked_at) <= now) return 'revoked'
  if (key.expires_at) {
    const left = Date.parse(key.expires_at) - now
    if (left <= 0) return 'expired'
    if (left <= soon) return 'expiring'
  }
  return 'valid'
}

export const stateText: Record<KeyState, MessageKey> = {
  valid: 'keys.state.valid',
  expiring: 'keys.state.expiring',
  expired: 'keys.state.expired',
  revoked: 'keys.state.revoked',
}

/** Those in use first, then those that ended; the newest first in each. */
export const sorted = (keys: Key[], now: number): { usable: Key[]; ended: Key[] } => {
  const newest = [...keys].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))
  const ended = (key: Key) => ['revoked', 'expired'].includes(stateOf(key, now))
  return { usable: newest.filter((key) => !ended(key)), ended: newest.filter(ended) }
}

export const lifetimes = ['', '7', '30', '90', '365'] as const

export const nameLimit = 63 // bytes

export function nameProblem(name: string): MessageKey | undefined {
  if (!name.trim()) return 'keys.name.missing'
  return new TextEncoder().encode(name.trim()).length > nameLimit ? 'keys.name.long' : undefined
}

/** Where the alias's own API is: as its webhooks have it, which are told their public address, else beside this page. */
export function apiBase(alias: string, channels: Channel[] | undefined, origin: string): string {
  for (const { webhook_url: url } of channels ?? []) {
    const at = url?.lastIndexOf('/webhook/') ?? -1
    if (url && at > 0) return url.slice(0, at)
  }
  return `${origin}/v1/apps/socialops/${encodeURIComponent(alias)}`
}

/** A call that shows that the key works: reading where it may, else sending an event. */
export function curlOf(base: string, key: string, scopes: string[]): string {
  if (scopes.includes('socialops:read')) return `curl '${base}/inbox?limit=5' \\\n  -H 'X-API-Key: ${key}'`
  return (
    `curl -X POST '${base}/webhook/generic-webhook' \\\n  -H 'X-API-Key: ${key}' -H 'Content-Type: application/json' \\\n` +
    `  -d '{"title": "Hello", "text": "The first event of this key"}'`
  )
}
