import { Autocomplete } from '@base-ui/react/autocomplete'
import { Dialog } from '@base-ui/react/dialog'
import { useQuery } from '@tanstack/react-query'
import { CornerDownLeft, Inbox, MessageSquare, Search } from 'lucide-react'
import { useDeferredValue, useState, type ReactNode } from 'react'
import { api } from '@/api/client'
import { q } from '@/api/queries'
import type { InboxThread } from '@/api/types'
import { t } from '@/i18n'
import { titleOf } from '@/inbox/title'
import { Kbd } from '@/ui/kbd'
import { allCommands } from './commands'
import { href } from './route'
import { navigate } from './router'

interface Item {
  id: string
  label: string
  icon: ReactNode
  hint?: string
  keys?: string
  run(): void
}

interface Group {
  value: string
  items: Item[]
}

/** Every command, every inbox, and the conversations that hold the words. */
export default function Palette({ alias, onClose }: { alias?: string; onClose(): void }) {
  const [text, setText] = useState('')
  // the field takes the focus before the dialog looks who had it
  const [before] = useState(() => (document.activeElement instanceof HTMLElement ? document.activeElement : null))
  const words = useDeferredValue(text.trim())
  const instances = useQuery(q.instances()).data ?? []
  const found = useQuery({
    queryKey: ['palette', alias, words],
    queryFn: ({ signal }) =>
      api
        .list<InboxThread>(`/${alias}/inbox`, { q: words, status: 'open,pending,resolved,archived', limit: 8 }, signal)
        .then((p) => p.data),
    enabled: Boolean(alias) && words.length > 1,
    staleTime: 10_000,
    placeholderData: (old) => old,
  }).data
  const contains = (s: string) => s.toLowerCase().includes(words.toLowerCase())

  const groups: Group[] = [
    {
      value: t('palette.commands'),
      items: allCommands()
        .filter((c) => !c.hidden && c.id !== 'palette' && contains(c.title))
        .map((c) => ({
          id: c.id,
          label: c.title,
          icon: <CornerDownLeft />,
          keys: ([] as string[]).concat(c.keys ?? [])[0],
          run: c.run,
        })),
    },
    {
      value: t('palette.threads'),
      items: words
        ? (found ?? []).map((x) => ({
            id: x.id,
            label: titleOf(x),
            hint: x.contact?.name,
            icon: <MessageSquare />,
            run: () => navigate(href.thread(alias ?? '', x.id)),
          }))
        : [],
    },
    {
      value: t('palette.instances'),
      items: instances
        .filter((i) => contains(i.alias))
        .map((i) => ({
          id: 'instance ' + i.alias,
          label: i.alias,
          hint: i.namespace,
          icon: <Inbox />,
          run: () => navigate(href.inbox(i.alias)),
        })),
    },
  ].filter((g) => g.items.length)

  const run = (item: Item) => {
    onClose()
    // the dialog gives the focus back first, then the command may take it
    requestAnimationFrame(() => requestAnimationFrame(item.run))
  }

  return (
    <Dialog.Root open onOpenChange={(o) => !o && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="ui-backdrop" />
        <Dialog.Popup
          className="ui-dialog app-palette"
          aria-label={t('palette.title')}
          finalFocus={() => before ?? true}
        >
          <Autocomplete.Root
            open
            inline
            items={groups}
            filter={null}
            value={text}
            onValueChange={(v, d) => d.reason !== 'item-press' && setText(v)}
            itemToStringValue={(i: Item) => i.label}
            autoHighlight="always"
            keepHighlight
          >
            <div className="app-palette-head">
              <Search size={16} aria-hidden="true" />
              <Autocomplete.Input aria-label={t('palette.title')} placeholder={t('palette.placeholder')} autoFocus />
            </div>
            <Autocomplete.Empty className="ui-picker-empty">{t('palette.none')}</Autocomplete.Empty>
            <Autocomplete.List className="ui-picker-list">
              {(g: Group) => (
                <Autocomplete.Group key={g.value} items={g.items}>
                  <Autocomplete.GroupLabel className="ui-group-label">{g.value}</Autocomplete.GroupLabel>
                  <Autocomplete.Collection>
                    {(i: Item) => (
                      <Autocomplete.Item key={i.id} value={i} className="ui-item" onClick={() => run(i)}>
                        {i.icon}
                        <span className="truncate">{i.label}</span>
                        {i.hint && <span className="ui-picker-hint truncate">{i.hint}</span>}
                        {i.keys && <Kbd keys={i.keys} />}
                      </Autocomplete.Item>
                    )}
                  </Autocomplete.Collection>
                </Autocomplete.Group>
              )}
            </Autocomplete.List>
          </Autocomplete.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
