// Choosing what threads are to be: one list for the header of a conversation, the bulk bar and the keyboard.
import { Tag, UserRound, UserX } from 'lucide-react'
import { q, queryClient } from '@/api/queries'
import { priorities, statuses, type InboxThread, type Priority, type Status, type ThreadPatch } from '@/api/types'
import { t } from '@/i18n'
import { Avatar, PriorityIcon, priorityText, StatusIcon, statusText } from '@/ui/marks'
import { openPicker, type PickerOption, type PickerRequest } from '@/ui/picker-state'
import { apply } from './changes'
import type { Desk } from './desk'

type Choice = Omit<PickerRequest, 'anchor'>

/** Opens a choice beside an element; the focus goes back to what had it. */
const show = (anchor: Element | null, c: Choice) =>
  openPicker({
    ...c,
    anchor,
    focusAfter: document.activeElement instanceof HTMLElement ? document.activeElement : null,
  })

const threads = (desk: Desk, ids: string[]) => ids.map((id) => desk.threads.get(id)).filter((x) => x !== undefined)

/** What all of them have alike, or nothing. */
function common<T>(list: InboxThread[], of: (x: InboxThread) => T): T | undefined {
  const [first, ...rest] = list
  return first && rest.every((x) => of(x) === of(first)) ? of(first) : undefined
}

const some = (v: string | undefined) => (v === undefined ? [] : [v])
const change = (desk: Desk, ids: string[], patch: ThreadPatch) => void apply(desk, ids, patch)

export const statusChoice = (desk: Desk, ids: string[]): Choice => ({
  title: t('change.status'),
  options: statuses.map((s) => ({ value: s, label: statusText(s), icon: <StatusIcon status={s} /> })),
  chosen: some(common(threads(desk, ids), (x) => x.status)),
  onChoose: (v) => change(desk, ids, { status: v as Status }),
})

export const priorityChoice = (desk: Desk, ids: string[]): Choice => ({
  title: t('change.priority'),
  options: priorities.map((p) => ({ value: p, label: priorityText(p), icon: <PriorityIcon priority={p} /> })),
  chosen: some(common(threads(desk, ids), (x) => x.priority)),
  onChoose: (v) => change(desk, ids, { priority: v as Priority }),
})

/** People, the reader first. */
export function agentOptions(desk: Desk): PickerOption[] {
  const me = desk.me?.subject
  const agents = queryClient.getQueryData(q.agents(desk.alias).queryKey) ?? []
  return agents
    .toSorted((a, b) => Number(b.subject === me) - Number(a.subject === me) || a.name.localeCompare(b.name))
    .map((a) => ({
      value: a.id,
      label: a.subject === me ? t('filter.me') : a.name || a.subject,
      hint: a.subject === me ? a.name || a.subject : undefined,
      icon: a.name ? <Avatar name={a.name} id={a.subject} size={18} /> : <UserRound />,
    }))
}

export const assigneeChoice = (desk: Desk, ids: string[]): Choice => ({
  title: t('change.assignee'),
  options: [...agentOptions(desk), { value: '', label: t('change.nobody'), icon: <UserX /> }],
  chosen: some(common(threads(desk, ids), (x) => x.assignee?.id ?? '')),
  onChoose: (v) => change(desk, ids, { assignee: v || null }),
})

export function labelsChoice(desk: Desk, ids: string[]): Choice {
  const list = threads(desk, ids)
  const own = list.flatMap((x) => x.labels)
  const known = [...new Set([...own, ...(queryClient.getQueryData(q.labels(desk.alias).queryKey) ?? [])])].sort()
  const chosen = new Set(known.filter((l) => list.length > 0 && list.every((x) => x.labels.includes(l))))
  return {
    title: t('change.labels'),
    placeholder: t('change.labels.placeholder'),
    options: known.map((l) => ({ value: l, label: l, icon: <Tag /> })),
    chosen: [...chosen],
    multiple: true,
    create: true,
    onChoose(v) {
      const label = v.trim()
      const had = chosen.delete(label)
      if (!had) chosen.add(label)
      void apply(desk, ids, had ? { remove_labels: [label] } : { add_labels: [label] })
    },
  }
}

/** Has the names at hand that the choices list. */
export function preloadChoices(alias: string) {
  void queryClient.prefetchQuery(q.agents(alias))
  void queryClient.prefetchQuery(q.labels(alias))
}

/** People and labels are asked for before the list opens, as it doesn't grow under the reader. */
const ready = async (desk: Desk, what: 'agents' | 'labels') => {
  const query =
    what === 'agents'
      ? queryClient.ensureQueryData(q.agents(desk.alias))
      : queryClient.ensureQueryData(q.labels(desk.alias))
  await query.catch(() => {}) // the list then holds what is known
}

export const pickStatus = (desk: Desk, ids: string[], anchor: Element | null) => show(anchor, statusChoice(desk, ids))
export const pickPriority = (desk: Desk, ids: string[], anchor: Element | null) =>
  show(anchor, priorityChoice(desk, ids))
export const pickAssignee = (desk: Desk, ids: string[], anchor: Element | null) =>
  void ready(desk, 'agents').then(() => show(anchor, assigneeChoice(desk, ids)))
export const pickLabels = (desk: Desk, ids: string[], anchor: Element | null) =>
  void ready(desk, 'labels').then(() => show(anchor, labelsChoice(desk, ids)))
