import type { Channel, Condition } from '@/api/types'
import type { MessageKey } from '@/i18n'

export type Tone = 'green' | 'amber' | 'red' | undefined

export const healthTone: Record<Channel['health'], Tone> = {
  ok: 'green',
  working: 'amber',
  problem: 'red',
  off: undefined,
}

export const healthText: Record<Channel['health'], MessageKey> = {
  ok: 'channels.health.ok',
  working: 'channels.health.working',
  problem: 'channels.health.problem',
  off: 'channels.health.off',
}

const titles: Record<string, MessageKey> = {
  Ready: 'channels.condition.Ready',
  InstanceReady: 'channels.condition.InstanceReady',
  AccountProven: 'channels.condition.AccountProven',
  ChannelBound: 'channels.condition.ChannelBound',
  WebhookRegistered: 'channels.condition.WebhookRegistered',
  Reconciling: 'channels.condition.Reconciling',
  Stalled: 'channels.condition.Stalled',
}

export const conditionTitle = (type: string): MessageKey | undefined => titles[type]

// Being at work or stuck is what is not wished for: True is no good sign of these.
const unwished = new Set(['Reconciling', 'Stalled'])

export type Sign = 'good' | 'bad' | 'waiting'

export function signOf(c: Condition): Sign {
  if (c.status === 'Unknown') return 'waiting'
  if (c.type === 'Reconciling') return c.status === 'True' ? 'waiting' : 'good'
  return (c.status === 'True') !== unwished.has(c.type) ? 'good' : 'bad'
}

const order = ['Ready', 'Stalled', 'Reconciling', 'InstanceReady', 'AccountProven', 'ChannelBound', 'WebhookRegistered']
const rank = (type: string) => (order.includes(type) ? order.indexOf(type) : order.length)

/** Conditions in the order in which one rests on the other, the summary first. */
export const sorted = (conditions: Condition[]): Condition[] =>
  [...conditions].sort((a, b) => rank(a.type) - rank(b.type) || (a.type < b.type ? -1 : 1))

/** A summary that only repeats what another condition says. */
export const repeats = (c: Condition, all: Condition[]): boolean =>
  (c.type === 'Ready' || c.type === 'Stalled' || c.type === 'Reconciling') &&
  all.some((other) => rank(other.type) > rank(c.type) && other.message === c.message)

/** What to tell of a channel that is not well: of Stalled, which says what to do, else of Ready. */
export function complaint(channel: Channel): Condition | undefined {
  if (channel.health === 'ok' || channel.health === 'off') return undefined
  const find = (type: string, status: Condition['status']) =>
    channel.conditions.find((c) => c.type === type && c.status === status)
  return (
    find('Stalled', 'True') ??
    find('Reconciling', 'True') ??
    find('Ready', 'False') ??
    channel.conditions.find((c) => signOf(c) === 'bad')
  )
}

/** Active channels, beside this one, that use the same account: its webhook stays while there is one. */
export const siblings = (channel: Channel, all: Channel[]): Channel[] =>
  channel.connected_account_id
    ? all.filter(
        (c) => c.id !== channel.id && c.status === 'active' && c.connected_account_id === channel.connected_account_id,
      )
    : []
