// Why nothing can be sent, as the delivery worker would say it afterwards (runtime/delivery/check.go).
import type { Channel, InboxThread, Instance } from '@/api/types'
import type { MessageKey } from '@/i18n'

/** Providers that take replies. */
const delivers = new Set(['telegram'])

export interface Obstacle {
  key: MessageKey
  /** A channel's or provider's name. */
  name?: string
  /** Nothing can be written at all, not even a note. */
  all?: boolean
}

interface Known {
  thread: InboxThread
  manage: boolean
  instance?: Instance
  /** Undefined while they are not known. */
  channels?: Channel[]
}

export function obstacle({ thread, manage, instance, channels }: Known): Obstacle | undefined {
  if (!manage) return { key: 'readonly.reason', all: true }
  if (instance?.suspended) return { key: 'composer.no.suspended', all: true }
  if (!delivers.has(thread.provider)) return { key: 'composer.no.provider', name: thread.provider }
  if (thread.contact?.blocked) return { key: 'composer.no.blocked' }
  if (!channels) return undefined
  const channel = channels.find((c) => c.id === thread.channel_id)
  if (!channel) return { key: 'composer.no.channel' }
  if (channel.status === 'inactive') return { key: 'composer.no.inactive', name: channel.channel_name }
  return undefined
}
