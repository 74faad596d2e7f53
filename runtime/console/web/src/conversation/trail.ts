import type { AuditEntry } from '@/api/types'
import type { MessageKey } from '@/i18n'

/** What somebody did with a conversation, as one line among its messages. */
export interface TrailLine {
  seq: number
  at: string
  name: string
  actor: string
  key: MessageKey
  /** For trail.many: what was changed. */
  fields?: MessageKey[]
  /** How often in a row, when more than once. */
  times?: number
}

const fields: Record<string, MessageKey> = {
  status: 'trail.field.status',
  priority: 'trail.field.priority',
  assignee: 'trail.field.assignee',
  labels: 'trail.field.labels',
  subject: 'trail.field.subject',
  ai_summary: 'trail.field.ai_summary',
  handler: 'trail.field.handler',
  custom_data: 'trail.field.custom_data',
}

const alone: Record<string, MessageKey> = {
  status: 'trail.status',
  priority: 'trail.priority',
  assignee: 'trail.assigned',
  labels: 'trail.labels',
}

const became: Record<string, MessageKey> = {
  open: 'trail.open',
  pending: 'trail.pending',
  resolved: 'trail.resolved',
  archived: 'trail.archived',
}

/** Nothing for what the messages themselves tell. */
export function trailLine(e: AuditEntry): TrailLine | undefined {
  const key = keyOf(e)
  if (!key) return undefined
  const line: TrailLine = { seq: e.seq, at: e.at, name: e.actor_name || e.actor, actor: e.actor, key }
  if (key === 'trail.many') line.fields = (e.changed ?? []).flatMap((c) => fields[c] ?? [])
  return line
}

function keyOf(e: AuditEntry): MessageKey | undefined {
  switch (e.type) {
    case 'raw.shown':
      return 'trail.raw'
    case 'message.deleted':
      return 'trail.deleted'
    case 'action.updated':
      return e.status === 'pending' && e.changed?.length ? 'trail.retried' : undefined
    case 'thread.updated': {
      const changed = (e.changed ?? []).filter((c) => c in fields)
      const only = changed.length === 1 ? changed[0] : undefined
      if (!changed.length) return undefined
      if (!only) return 'trail.many'
      return (only === 'status' && e.status && became[e.status]) || alone[only] || 'trail.many'
    }
  }
  return undefined
}

const soon = 10 * 60_000

/** Says the same of the same person once. */
export function condense(lines: TrailLine[]): TrailLine[] {
  const out: TrailLine[] = []
  for (const l of lines) {
    const last = out.at(-1)
    if (
      last &&
      last.key === l.key &&
      last.actor === l.actor &&
      l.key !== 'trail.many' &&
      Date.parse(l.at) - Date.parse(last.at) < soon
    )
      out[out.length - 1] = { ...l, seq: last.seq, times: (last.times ?? 1) + 1 }
    else out.push(l)
  }
  return out
}
