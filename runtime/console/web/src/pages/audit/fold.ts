import type { AuditEntry } from '@/api/types'

/** Somebody's message and the delivery that it was queued for are one deed: they answered. */
export interface Deed extends AuditEntry {
  replied?: boolean
}

// An answer makes both entries in one transaction, so they follow each other; newest first, the delivery comes first.
export function fold(entries: AuditEntry[]): Deed[] {
  const deeds: Deed[] = []
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as AuditEntry
    const next = entries[i + 1]
    if (next && together(entry, next)) {
      deeds.push({ ...(entry.type === 'message.created' ? entry : next), replied: true })
      i++
    } else deeds.push(entry)
  }
  return deeds
}

function together(a: AuditEntry, b: AuditEntry): boolean {
  const [queued, written] = a.type === 'action.updated' ? [a, b] : [b, a]
  return (
    queued.type === 'action.updated' &&
    queued.status === 'pending' &&
    !queued.changed?.length &&
    written.type === 'message.created' &&
    queued.actor === written.actor &&
    queued.thread_id === written.thread_id &&
    (!queued.message_id || queued.message_id === written.message_id)
  )
}
