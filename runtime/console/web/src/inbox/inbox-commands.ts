// The inbox by keyboard.
import { useEffect, useRef, type RefObject } from 'react'
import { useCommands, type Command } from '@/app/commands'
import { href } from '@/app/route'
import { navigate } from '@/app/router'
import { t } from '@/i18n'
import { apply, setStatus } from './changes'
import type { Desk } from './desk'
import { isFiltered, type Filter } from './filter'
import type { ThreadList } from './list'
import { pickAssignee, pickLabels, pickPriority, pickStatus } from './pickers'
import { useRowFocus } from './row-focus'
import type { Selection } from './selection'
import type { ListHandle } from './thread-list'

interface Context {
  desk: Desk
  list: ThreadList
  thread?: string
  query: string
  selection: Selection
  manage: boolean
  rows: RefObject<ListHandle | null>
  searchBox: RefObject<HTMLInputElement | null>
  onFilter(next: Filter): void
  onSave(): void
  onFresh(): void
}

const focused = () =>
  document.activeElement?.closest('.thread-row')?.querySelector<HTMLElement>('[data-thread]')?.dataset.thread

export function useInboxCommands(c: Context) {
  const { desk, list, thread, query, selection } = c
  const row = useRowFocus(list, c.rows)
  // where the reader is, though what was there may have gone
  const place = useRef(0)
  useEffect(() => {
    const at = thread ? list.indexOf(thread) : -1
    if (at >= 0) place.current = at
  })

  const open = (id: string | undefined) => {
    if (!id) return
    navigate(href.thread(desk.alias, id, query), { replace: thread !== undefined })
    c.rows.current?.reveal(id, true)
  }
  const step = (by: 1 | -1) => {
    const from = thread ?? focused() ?? row.current?.id
    const at = from ? list.indexOf(from) : -1
    if (from && at >= 0) open(list.idAt(at + by))
    else if (from)
      open(list.idAt(Math.max(0, Math.min(thread ? place.current : (row.current?.index ?? 0), list.length - 1))))
    else open(list.idAt(0))
  }
  const current = () => (thread ? thread : focused())
  const targets = () => {
    if (selection.list.length) return selection.list
    const id = current()
    return id ? [id] : []
  }
  /** After a thread is done with: on to the next, or back to the list. */
  const goOn = () => {
    if (!thread) return
    const at = list.indexOf(thread)
    const next = at < 0 ? list.idAt(place.current) : (list.idAt(at + 1) ?? list.idAt(at - 1))
    if (next) open(next)
    else navigate(href.inbox(desk.alias, query), { replace: true })
  }
  const finish = (status: 'resolved' | 'archived') => {
    const ids = targets()
    if (!ids.length) return
    const undo = ids.every((id) => desk.threads.get(id)?.status === status)
    const single = !selection.list.length
    selection.clear()
    void setStatus(desk, ids, undo ? 'open' : status)
    if (single && !undo) goOn()
  }
  const anchor = () => {
    const id = targets().at(0)
    return (
      (selection.list.length ? document.querySelector('.thread-bulk') : null) ??
      (id ? document.querySelector(`[data-thread="${CSS.escape(id)}"]`) : null) ??
      document.querySelector('.inbox-pane')
    )
  }
  const pick = (what: typeof pickStatus) => {
    const ids = targets()
    if (ids.length) what(desk, ids, anchor())
  }

  const commands: Command[] = [
    { id: 'list.next', group: 'list', title: t('command.list.next'), keys: 'j', run: () => step(1) },
    { id: 'list.previous', group: 'list', title: t('command.list.previous'), keys: 'k', run: () => step(-1) },
    {
      id: 'list.back',
      group: 'list',
      title: t('command.list.back'),
      keys: ['escape', 'u'],
      run: () => {
        if (selection.list.length) selection.clear()
        else if (thread) navigate(href.inbox(desk.alias, query))
        else if (list.filter.q) c.onFilter({ ...list.filter, q: undefined })
      },
    },
    {
      id: 'list.search',
      group: 'list',
      title: t('command.list.search'),
      keys: '/',
      run: () => {
        c.searchBox.current?.focus()
        c.searchBox.current?.select()
      },
    },
    {
      id: 'go.mine',
      group: 'go',
      title: t('command.go.mine'),
      keys: 'g m',
      run: () => c.onFilter({ status: [], assignee: 'me' }),
    },
    {
      id: 'go.unassigned',
      group: 'go',
      title: t('command.go.unassigned'),
      keys: 'g n',
      run: () => c.onFilter({ status: [], assignee: 'none' }),
    },
    ...(list.fresh
      ? [{ id: 'list.fresh', group: 'list' as const, title: t('command.list.fresh'), keys: '.', run: c.onFresh }]
      : []),
    ...(isFiltered(list.filter)
      ? [
          {
            id: 'list.clear',
            group: 'list' as const,
            title: t('command.list.clear'),
            run: () => c.onFilter({ status: [] }),
          },
          { id: 'list.save', group: 'list' as const, title: t('command.list.save'), run: c.onSave },
        ]
      : []),
    ...(c.manage
      ? ([
          {
            id: 'list.select',
            group: 'list',
            title: t('command.list.select'),
            keys: 'x',
            run: () => {
              const id = focused() ?? thread ?? list.idAt(0)
              if (id) selection.toggle(id)
            },
          },
          {
            id: 'list.selectTo',
            group: 'list',
            title: t('command.list.selectTo'),
            keys: 'shift+x',
            run: () => {
              const id = focused() ?? thread
              if (id) selection.upTo(id, list.ids())
            },
          },
          {
            id: 'list.selectAll',
            group: 'list',
            title: t('command.list.selectAll'),
            keys: 'shift+a',
            run: () => selection.all(list.ids()),
          },
          {
            id: 'thread.resolve',
            group: 'thread',
            title: t('command.thread.resolve'),
            keys: 'e',
            run: () => finish('resolved'),
          },
          {
            id: 'thread.archive',
            group: 'thread',
            title: t('command.thread.archive'),
            keys: '#',
            run: () => finish('archived'),
          },
          {
            id: 'thread.status',
            group: 'thread',
            title: t('command.thread.status'),
            keys: 's',
            run: () => pick(pickStatus),
          },
          {
            id: 'thread.assign',
            group: 'thread',
            title: t('command.thread.assign'),
            keys: 'a',
            run: () => pick(pickAssignee),
          },
          {
            id: 'thread.assignMe',
            group: 'thread',
            title: t('command.thread.assignMe'),
            keys: 'i',
            run: () => desk.me && void apply(desk, targets(), { assignee: 'sub:' + desk.me.subject }),
          },
          {
            id: 'thread.priority',
            group: 'thread',
            title: t('command.thread.priority'),
            keys: 'p',
            run: () => pick(pickPriority),
          },
          {
            id: 'thread.labels',
            group: 'thread',
            title: t('command.thread.labels'),
            keys: 'l',
            run: () => pick(pickLabels),
          },
        ] satisfies Command[])
      : []),
  ]
  useCommands(commands)
}
