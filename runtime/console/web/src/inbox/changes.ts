// Changing threads from anywhere: at once on the page; what the server refuses is taken back and told.
import type { BulkChange, Status, ThreadPatch } from '@/api/types'
import { t } from '@/i18n'
import { reasonOf } from '@/ui/states'
import { toast } from '@/ui/toast'
import type { Desk } from './desk'
import { titleOf } from './title'

export type Change = Omit<BulkChange, 'thread_ids'>

/** Changes one thread or many; true when all of them were. */
export async function apply(desk: Desk, ids: string[], change: Change): Promise<boolean> {
  const [id] = ids
  if (id === undefined) return true
  try {
    if (ids.length === 1 && !change.add_labels && !change.remove_labels) {
      await desk.change(id, change as ThreadPatch)
      return true
    }
    const failed = await desk.changeMany({ ...change, thread_ids: ids })
    if (!failed.length) return true
    const why = [...new Set(failed.map((r) => r.error?.message ?? ''))].filter(Boolean)
    toast({
      type: 'error',
      title: refusal(
        desk,
        failed.map((r) => r.thread_id),
      ),
      text: why.join(' '),
    })
  } catch (e) {
    toast({ type: 'error', title: refusal(desk, ids), text: reasonOf(e) })
  }
  return false
}

/** By name where it is one, as the reader is somewhere else by now. */
function refusal(desk: Desk, ids: string[]) {
  const only = ids.length === 1 ? desk.threads.get(ids[0] as string) : undefined
  return only ? t('change.failed.one', { name: titleOf(only) }) : t('change.failed', { n: ids.length })
}

/** Resolves, archives or opens again, and offers to take it back. */
export async function setStatus(desk: Desk, ids: string[], status: Status) {
  const before = new Map<Status, string[]>()
  for (const id of ids) {
    const was = desk.threads.get(id)?.status
    if (was && was !== status) before.set(was, [...(before.get(was) ?? []), id])
  }
  const changing = [...before.values()].flat()
  if (!changing.length || !(await apply(desk, changing, { status }))) return
  toast({
    title: t(`change.done.${status}`, { n: changing.length }),
    action: {
      label: t('action.undo'),
      run: () => before.forEach((same, was) => void apply(desk, same, { status: was })),
    },
  })
}
