import { Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { MessagesSquare } from 'lucide-react'
import { useLayout } from '@/app/layout'
import { afterPaint } from '@/app/ready'
import { href } from '@/app/route'
import { navigate, useSearch } from '@/app/router'
import { useTitle } from '@/app/title'
import type { Instance, Me } from '@/api/types'
import { Conversation, preloadConversation } from '@/conversation/load'
import { t } from '@/i18n'
import { Boundary } from '@/ui/boundary'
import { EmptyState } from '@/ui/states'
import { lazyPart } from '@/ui/lazy-part'
import { deskOf } from './desk'
import { formatFilter, parseFilter, type Filter } from './filter'
import { useInboxCommands } from './inbox-commands'
import { ListPane } from './list-pane'
import { prefetch } from './messages'
import { preloadChoices } from './pickers'
import { Selection } from './selection'
import type { ListHandle } from './thread-list'
import { titleOf } from './title'
import { useMarkRead } from './use-mark-read'
import { useThread } from './use-thread'
import './inbox.css'

const ViewDialog = lazyPart(async () => ({ default: (await import('./view-dialog')).ViewDialog }))

interface Props {
  alias: string
  thread?: string
  instance?: Instance
  me?: Me
  manage: boolean
}

/** An alias's list, and the conversation that is open. */
export function InboxPage({ alias, thread, instance, me, manage }: Props) {
  const desk = deskOf(alias)
  const search = useSearch()
  const query = formatFilter(parseFilter(search))
  const filter = useMemo(() => parseFilter(query), [query])
  const list = useMemo(() => desk.list(filter), [desk, filter])
  // what is ticked belongs to a list
  const selection = useMemo(() => list && new Selection(), [list])
  const layout = useLayout()
  const rows = useRef<ListHandle>(null)
  const searchBox = useRef<HTMLInputElement>(null)
  const pane = useRef<HTMLDivElement>(null)
  const [saving, setSaving] = useState(false)
  const open = useThread(desk, thread)

  useEffect(() => {
    desk.open = thread
    list.sticky = thread
    return () => {
      desk.open = undefined
      if (thread) list.leave(thread)
    }
  }, [desk, list, thread])
  useMarkRead(desk, thread, manage)
  useTitle(open ? titleOf(open) : t('page.inbox'), alias)

  useEffect(() => {
    return afterPaint(() => {
      void preloadConversation()
      preloadChoices(alias)
    })
  }, [alias])

  useEffect(() => {
    // the next ones at hand, once the one that was opened is
    let timer: ReturnType<typeof setTimeout> | undefined
    const run = () => {
      const at = thread ? list.indexOf(thread) : -1
      for (const i of [at + 1, at + 2, at - 1]) prefetch(alias, list.idAt(i))
    }
    const off = afterPaint(() => (timer = setTimeout(run, 30)))
    return () => {
      off()
      clearTimeout(timer)
    }
  }, [alias, list, thread, list.loaded])

  // where there is one pane only, the focus goes where the reader does
  const last = useRef(thread)
  useEffect(() => {
    if (last.current === thread) return
    const before = last.current
    last.current = thread
    if (thread && layout === 'one') pane.current?.focus()
    else if (!thread && before) rows.current?.reveal(before, layout === 'one')
  }, [thread, layout])

  const onFilter = useCallback(
    (next: Filter, o?: { replace?: boolean }) => navigate(href.inbox(alias, formatFilter(next)), o),
    [alias],
  )
  const onSelect = useCallback(
    (id: string, range: boolean) => (range ? selection.upTo(id, list.ids()) : selection.toggle(id)),
    [list, selection],
  )
  const pointed = useRef<ReturnType<typeof setTimeout>>(undefined)
  const onPoint = useCallback(
    (id: string) => {
      clearTimeout(pointed.current)
      pointed.current = setTimeout(() => prefetch(alias, id), 60) // on the way to somewhere else it isn't wanted
    },
    [alias],
  )
  const back = useCallback(() => navigate(href.inbox(alias, query)), [alias, query])
  const save = useCallback(() => setSaving(true), [])
  const showFresh = useCallback(() => {
    list.showFresh()
    rows.current?.toTop()
    const first = list.idAt(0)
    if (first) rows.current?.reveal(first, true) // what was pressed is gone
  }, [list])
  const leaveSearch = useCallback(() => {
    searchBox.current?.blur()
    const id = thread ?? list.idAt(0)
    if (id) rows.current?.reveal(id, true)
  }, [list, thread])

  useInboxCommands({
    desk,
    list,
    thread,
    query,
    selection,
    manage,
    rows,
    searchBox,
    onFilter,
    onSave: save,
    onFresh: showFresh,
  })

  return (
    <main className="inbox" id="main" tabIndex={-1} data-layout={layout} data-open={thread !== undefined || undefined}>
      <h1 className="sr-only">{t('inbox.title', { alias })}</h1>
      <ListPane
        desk={desk}
        list={list}
        filter={filter}
        instance={instance}
        me={me}
        manage={manage}
        open={thread}
        selection={selection}
        hidden={layout === 'one' && thread !== undefined}
        rows={rows}
        search={searchBox}
        onFilter={onFilter}
        onLeaveSearch={leaveSearch}
        onSelect={onSelect}
        onPoint={onPoint}
        onSave={save}
        onFresh={showFresh}
      />
      {(thread || layout !== 'one') && (
        <div className="inbox-pane" ref={pane} tabIndex={-1}>
          {thread ? (
            <Boundary key={thread}>
              <Suspense fallback={<section className="talk" aria-label={t('talk.label')} aria-busy="true" />}>
                <Conversation
                  alias={alias}
                  id={thread}
                  me={me}
                  manage={manage}
                  onBack={layout === 'one' ? back : undefined}
                />
              </Suspense>
            </Boundary>
          ) : (
            <EmptyState icon={<MessagesSquare />} title={t('empty.pick')}>
              <p>{t('empty.pick.text')}</p>
            </EmptyState>
          )}
        </div>
      )}
      <Suspense>{saving && <ViewDialog alias={alias} query={query} onClose={() => setSaving(false)} />}</Suspense>
    </main>
  )
}
