// Texts that are written again and again, to be found by a word of theirs.
import { Autocomplete } from '@base-ui/react/autocomplete'
import { Popover } from '@base-ui/react/popover'
import { useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { q } from '@/api/queries'
import type { CannedText } from '@/api/types'
import { href } from '@/app/route'
import { Link } from '@/app/router'
import { t } from '@/i18n'
import { ErrorNote, Skeleton } from '@/ui/states'

interface Props {
  alias: string
  anchor: Element | null
  focusAfter: HTMLElement | null
  onChoose(text: string): void
  /** query: what was typed, when nothing was chosen. */
  onClose(query: string): void
}

export default function Canned({ alias, anchor, focusAfter, onChoose, onClose }: Props) {
  const [query, setQuery] = useState('')
  const over = useRef(false)
  /** Once: the focus goes to the text then, which closes the list by itself. */
  const end = (how: () => void) => {
    if (over.current) return
    over.current = true
    how()
  }
  return (
    <Popover.Root open onOpenChange={(open) => !open && end(() => onClose(query))}>
      <Popover.Portal>
        <Popover.Positioner
          className="ui-positioner"
          anchor={anchor}
          side="top"
          align="start"
          sideOffset={6}
          collisionPadding={8}
        >
          <Popover.Popup
            className="ui-popup ui-picker canned"
            aria-label={t('composer.canned')}
            finalFocus={() => focusAfter ?? true}
          >
            <Choices alias={alias} query={query} setQuery={setQuery} onChoose={(text) => end(() => onChoose(text))} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

interface ChoicesProps {
  alias: string
  query: string
  setQuery(q: string): void
  onChoose(text: string): void
}

function Choices({ alias, query, setQuery, onChoose }: ChoicesProps) {
  const texts = useQuery(q.canned(alias))
  const list = (texts.data ?? []).toSorted((a, b) => a.name.localeCompare(b.name))
  return (
    <Autocomplete.Root
      open
      inline
      items={list}
      value={query}
      onValueChange={(v, d) => d.reason !== 'item-press' && setQuery(v)}
      itemToStringValue={(c: CannedText) => c.name + '\n' + c.text}
      autoHighlight="always"
      keepHighlight
    >
      <Autocomplete.Input
        className="ui-picker-input"
        aria-label={t('composer.canned.filter')}
        placeholder={t('composer.canned.filter')}
        autoFocus
      />
      {texts.isPending && (
        <div className="canned-none">
          <Skeleton width="60%" />
        </div>
      )}
      {texts.isError && <ErrorNote error={texts.error} />}
      <Autocomplete.Empty className="ui-picker-empty">
        {texts.data?.length ? t('picker.none') : null}
      </Autocomplete.Empty>
      <Autocomplete.List className="ui-picker-list">
        {(c: CannedText) => (
          <Autocomplete.Item key={c.id} value={c} className="ui-item canned-item" onClick={() => onChoose(c.text)}>
            <span className="canned-name truncate">{c.name}</span>
            <span className="canned-text">{c.text.slice(0, 200)}</span>
          </Autocomplete.Item>
        )}
      </Autocomplete.List>
      {texts.data?.length === 0 && (
        <p className="canned-none">
          {t('composer.canned.none')} <Link to={href.page(alias, 'canned')}>{t('composer.canned.page')}</Link>
        </p>
      )}
    </Autocomplete.Root>
  )
}
