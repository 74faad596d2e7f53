// What a list shows. The address has it as the API's own query, but for assignee=me, which is the reader's subject.
import { priorities, statuses, type InboxThread, type Priority, type Status } from '@/api/types'

export interface Filter {
  /** Empty: open and pending. */
  status: Status[]
  priority?: Priority
  provider?: string
  /** me, none, soag_…, or sub:… */
  assignee?: string
  label?: string
  q?: string
}

const attention: readonly Status[] = ['open', 'pending']

export function parseFilter(search: string): Filter {
  const p = new URLSearchParams(search)
  const wanted = (p.get('status') ?? '').split(',')
  const f: Filter = { status: statuses.filter((s) => wanted.includes(s)) }
  const priority = priorities.find((x) => x === p.get('priority'))
  if (priority) f.priority = priority
  for (const name of ['provider', 'assignee', 'label', 'q'] as const) {
    const v = p.get(name)?.trim()
    if (v) f[name] = v
  }
  return f
}

/** The address's query string, with its question mark unless empty. Equal filters make equal strings. */
export function formatFilter(f: Filter): string {
  const parts: string[] = []
  if (f.status.length) parts.push('status=' + statuses.filter((s) => f.status.includes(s)).join(','))
  for (const name of ['priority', 'provider', 'assignee', 'label', 'q'] as const) {
    const v = f[name]
    if (v) parts.push(name + '=' + encodeURIComponent(v).replace(/%3A/g, ':').replace(/%20/g, '+'))
  }
  return parts.length ? '?' + parts.join('&') : ''
}

export function apiQuery(f: Filter, subject: string) {
  return {
    status: f.status.join(',') || undefined,
    priority: f.priority,
    provider: f.provider,
    assignee: f.assignee === 'me' ? 'sub:' + subject : f.assignee,
    label: f.label,
    q: f.q,
  }
}

/** The same as one string, for /counts. */
export function countQuery(f: Filter, subject: string): string {
  const p = new URLSearchParams()
  for (const [k, v] of Object.entries(apiQuery({ ...f, status: f.status.length ? f.status : [...attention] }, subject)))
    if (v) p.set(k, v)
  return p.toString()
}

/** Whether a thread belongs into the list, as far as the page can tell: words are only the server's to find. */
export function matches(f: Filter, t: InboxThread, subject: string): boolean {
  if (!(f.status.length ? f.status : attention).includes(t.status)) return false
  if (f.priority && t.priority !== f.priority) return false
  if (f.provider && t.provider !== f.provider) return false
  if (f.label && !t.labels.includes(f.label)) return false
  switch (f.assignee) {
    case undefined:
      return true
    case 'none':
      return !t.assignee
    case 'me':
      return t.assignee?.subject === subject
  }
  return f.assignee.startsWith('sub:') ? t.assignee?.subject === f.assignee.slice(4) : t.assignee?.id === f.assignee
}

export const isFiltered = (f: Filter) => formatFilter(f) !== ''
