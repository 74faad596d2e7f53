import type { AuditEntry } from '@/api/types'
import type { MessageKey } from '@/i18n'
import type { Deed } from './fold'

// A sentence is a text's key, and what goes into the text: names that are shown as they are, and words that are texts themselves.

export type Part =
  | { kind: 'name'; text: string } // somebody's or something's own name
  | { kind: 'word'; key: MessageKey; names?: Record<string, string> }
  | { kind: 'words'; keys: MessageKey[]; rest: string[] } // a list: known words, and names that no text knows
  | { kind: 'thread'; id: string; subject?: string }

export interface Sentence {
  key: MessageKey
  parts: Record<string, Part>
  /** What the API said in its own words, such as why a delivery failed. */
  remark?: string
  tone: Tone
}

export type Tone = 'plain' | 'good' | 'bad' | 'money' | 'key' | 'channel' | 'look' | 'gone'

/** Names by id, of what still has one. */
export interface Names {
  channel: (id: string) => string | undefined
  key: (id: string) => string | undefined
}

const machines: Record<string, MessageKey> = {
  provider: 'audit.actor.provider',
  worker: 'audit.actor.worker',
  retention: 'audit.actor.retention',
  admin: 'audit.actor.admin',
  operator: 'audit.actor.operator',
  system: 'audit.actor.system',
}

const fields: Record<string, MessageKey> = {
  status: 'audit.field.status',
  priority: 'audit.field.priority',
  assignee: 'audit.field.assignee',
  labels: 'audit.field.labels',
  subject: 'audit.field.subject',
  ai_summary: 'audit.field.ai_summary',
  handler: 'audit.field.handler',
  custom_data: 'audit.field.custom_data',
  channel: 'audit.field.channel',
  contact: 'audit.field.contact',
  text: 'audit.field.text',
  data: 'audit.field.data',
  channel_name: 'audit.field.channel_name',
  external_channel_id: 'audit.field.external_channel_id',
  parse_mode: 'audit.field.parse_mode',
  connected_account_id: 'audit.field.connected_account_id',
  blocked: 'audit.field.blocked',
}

const statusSentences: Record<string, MessageKey> = {
  open: 'audit.thread.opened',
  pending: 'audit.thread.pended',
  resolved: 'audit.thread.resolved',
  archived: 'audit.thread.archived',
}

/** Whether a person, or a program with a key, did it. */
export const byPerson = (actor: string) => actor.startsWith('agent:') || actor.startsWith('key:')

export function actorPart(e: Pick<AuditEntry, 'actor' | 'actor_name'>, names: Names): Part {
  const machine = machines[e.actor]
  if (machine) return { kind: 'word', key: machine }
  const [kind, id = ''] = splitActor(e.actor)
  if (kind === 'key') {
    const name = e.actor_name && e.actor_name !== e.actor ? e.actor_name : names.key(id)
    return { kind: 'word', key: 'audit.actor.key', names: { name: name || id } }
  }
  return { kind: 'name', text: e.actor_name || id || e.actor }
}

function splitActor(actor: string): [string, string?] {
  const at = actor.indexOf(':')
  return at < 0 ? [actor] : [actor.slice(0, at), actor.slice(at + 1)]
}

function fieldsPart(changed: string[]): Part {
  const shown = changed.filter((name) => name !== 'edited_at') // it only goes with the text
  return {
    kind: 'words',
    keys: shown.map((name) => fields[name]).filter((key) => key !== undefined),
    rest: shown.filter((name) => !fields[name]),
  }
}

export function sentence(e: Deed, names: Names): Sentence {
  const actor = actorPart(e, names)
  const thread: Part = e.thread_id
    ? { kind: 'thread', id: e.thread_id, subject: e.thread_subject }
    : { kind: 'word', key: 'audit.noThread' }
  const changed = e.changed ?? []
  const person = byPerson(e.actor)
  const say = (
    key: MessageKey,
    parts: Record<string, Part>,
    more: Partial<Pick<Sentence, 'remark' | 'tone'>> = {},
  ): Sentence => ({
    key,
    parts,
    tone: 'plain',
    ...more,
  })

  switch (e.type) {
    case 'message.created':
      if (e.replied) return say('audit.message.replied', { actor, thread })
      return e.actor === 'provider'
        ? say('audit.message.arrived', { thread })
        : say('audit.message.written', { actor, thread })
    case 'message.updated':
      return e.actor === 'provider'
        ? say('audit.message.edited', { thread })
        : say('audit.message.changed', { actor, thread })
    case 'message.deleted':
      return say('audit.message.deleted', { actor, thread }, { tone: 'gone' })
    case 'thread.updated': {
      const only = changed.length === 1 ? changed[0] : undefined
      const status = only === 'status' && e.status ? statusSentences[e.status] : undefined
      if (status) return say(status, { actor, thread }, { tone: e.status === 'resolved' ? 'good' : 'plain' })
      if (only === 'assignee') return say('audit.thread.assigned', { actor, thread })
      if (only === 'labels') return say('audit.thread.labelled', { actor, thread })
      if (!changed.length) return say('audit.thread.updated', { actor, thread })
      return say('audit.thread.changed', { actor, thread, fields: fieldsPart(changed) })
    }
    case 'thread.deleted':
      return say('audit.thread.deleted', { actor }, { tone: 'gone' })
    case 'contact.updated':
      return say(changed.includes('blocked') ? 'audit.contact.blocked' : 'audit.contact.updated', { actor })
    case 'contact.deleted':
      return say('audit.contact.deleted', { actor }, { tone: 'gone' })
    case 'action.updated':
      return action(e, say, actor, thread, person)
    case 'channel.created':
      return say('audit.channel.created', { actor, channel: channelPart(e, names) }, { tone: 'channel' })
    case 'channel.updated': {
      const channel = channelPart(e, names)
      const state = changed.length === 1 && changed[0] === 'status' ? e.status : undefined
      if (state === 'active') return say('audit.channel.on', { actor, channel }, { tone: 'channel' })
      if (state === 'inactive') return say('audit.channel.off', { actor, channel }, { tone: 'channel' })
      if (!changed.length) return say('audit.channel.updated', { actor, channel }, { tone: 'channel' })
      return say('audit.channel.changed', { actor, channel, fields: fieldsPart(changed) }, { tone: 'channel' })
    }
    case 'key.created':
      return say('audit.key.created', { actor, key: keyPart(e, names) }, { tone: 'key' })
    case 'key.revoked':
      return say('audit.key.revoked', { actor, key: keyPart(e, names) }, { tone: 'key' })
    case 'credit.granted':
      return e.detail
        ? say(
            'audit.credit.granted',
            { actor, reference: { kind: 'name', text: e.detail.replace(/^credit:/, '') } },
            { tone: 'money' },
          )
        : say('audit.credit.plain', { actor }, { tone: 'money' })
    case 'raw.shown':
      return say('audit.raw.shown', { actor, thread }, { tone: 'look' })
    default: // a newer server's
      return say('audit.unknown', { actor, type: { kind: 'name', text: e.type } }, e.detail ? { remark: e.detail } : {})
  }
}

type Say = (key: MessageKey, parts: Record<string, Part>, more?: Partial<Pick<Sentence, 'remark' | 'tone'>>) => Sentence

function action(e: AuditEntry, say: Say, actor: Part, thread: Part, person: boolean): Sentence {
  const remark = e.detail ? { remark: e.detail } : {}
  switch (e.status) {
    case 'pending':
      if (person)
        return say(e.changed?.length ? 'audit.action.retried' : 'audit.action.queued', { actor, thread }, remark)
      return say(e.detail ? 'audit.action.waits' : 'audit.action.pending', { thread }, remark)
    case 'processing':
      return say('audit.action.processing', { thread }, remark)
    case 'awaiting':
      return say('audit.action.awaiting', { thread }, remark)
    case 'completed':
      return say('audit.action.completed', { thread }, { ...remark, tone: 'good' })
    case 'failed':
      return say('audit.action.failed', { thread }, { ...remark, tone: 'bad' })
    default:
      return say('audit.action.updated', { thread }, remark)
  }
}

function channelPart(e: AuditEntry, names: Names): Part {
  const name = e.channel_id && names.channel(e.channel_id)
  return name
    ? { kind: 'word', key: 'audit.channel.named', names: { name } }
    : { kind: 'word', key: 'audit.channel.unnamed' }
}

function keyPart(e: AuditEntry, names: Names): Part {
  const name = e.key_id && names.key(e.key_id)
  return name ? { kind: 'word', key: 'audit.key.named', names: { name } } : { kind: 'word', key: 'audit.key.unnamed' }
}

/** The types that the trail can be narrowed to, in groups as people think of them. */
export const types = [
  'message.created',
  'message.updated',
  'message.deleted',
  'thread.updated',
  'thread.deleted',
  'action.updated',
  'contact.updated',
  'contact.deleted',
  'channel.created',
  'channel.updated',
  'key.created',
  'key.revoked',
  'credit.granted',
  'raw.shown',
] as const

export interface Filter {
  people: boolean
  type?: string
  actor?: string
  thread_id?: string
}

/** The thread's id in what somebody pasted: the id itself, or a conversation's address. */
export const threadIn = (text: string): string | undefined => /\bsoth_[0-9a-z]{10,40}\b/.exec(text)?.[0]
