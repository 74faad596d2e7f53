import { CircleAlert, CornerUpLeft, Eye, MessageSquareQuote, SendHorizontal, StickyNote, X } from 'lucide-react'
import {
  Suspense,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type Ref,
} from 'react'
import { q, queryClient } from '@/api/queries'
import type { InboxThread, Message, ParseMode } from '@/api/types'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { whoOf } from '@/inbox/title'
import { Button, IconButton } from '@/ui/button'
import { Kbd } from '@/ui/kbd'
import { reasonOf } from '@/ui/states'
import { lazyPart } from '@/ui/lazy-part'
import { draftID, drafts, useDraft, type Kind } from './drafts'
import { mayFormat } from './format/may'
import { lengthOf, mostBytes } from './length'
import { outbox, useRefusal } from './outbox'

const Preview = lazyPart(() => import('./preview'))
const Canned = lazyPart(() => import('./canned'))

export interface BoxHandle {
  focus(): void
  /** Opens the canned texts. */
  canned(): void
  /** Puts back what was sent and never answered. */
  recover(id: string): void
}

interface Props {
  alias: string
  thread: InboxThread
  kind: Kind
  mode: ParseMode
  /** Why it can't be sent. */
  wall?: string
  messages: Message[]
  onLeave(): void
  onSend(): void
  ref?: Ref<BoxHandle>
}

export function Box({ alias, thread, kind, mode, wall, messages, onLeave, onSend, ref }: Props) {
  const id = draftID(alias, thread.id, kind)
  const draft = useDraft(id)
  const text = draft?.text ?? ''
  const refusal = useRefusal(id)
  const area = useRef<HTMLTextAreaElement>(null)
  const foot = useRef<HTMLDivElement>(null)
  const [canned, setCanned] = useState<'button' | 'slash'>()
  const [preview, setPreview] = useState<boolean>() // undefined: when it has something to tell
  const [unsure, setUnsure] = useState(false)
  const parent = draft?.parent ? messages.find((m) => m.id === draft.parent) : undefined
  const telegram = thread.provider === 'telegram'
  const size = lengthOf(text, kind === 'reply' && telegram)
  const reason = wall ?? (size.tooLong ? t('composer.tooLong', { max: fmt.number(mostBytes) }) : undefined)

  useEffect(() => {
    outbox.watched.add(id)
    return () => void outbox.watched.delete(id)
  }, [id])

  const set = (next: string) => drafts.set(id, { ...drafts.get(id), text: next })

  useImperativeHandle(ref, () => ({
    focus() {
      const el = area.current
      el?.focus()
      el?.setSelectionRange(el.value.length, el.value.length)
    },
    canned: () => setCanned('button'),
    recover(which) {
      const d = drafts.get(which)
      if (!d?.attempt || d.text.trim() || outbox.of(alias, thread.id).some((s) => s.key === d.attempt?.key)) return
      drafts.set(which, { ...d, text: d.attempt.text, parent: d.attempt.parent })
      if (which === id) setUnsure(true)
    },
  }))

  // Grows with the text, up to a share of the window. What is around it is held while it is measured: the log would
  // have more room for a moment, and lose its place.
  useLayoutEffect(() => {
    const el = area.current
    const around = el?.closest<HTMLElement>('.composer')
    if (!el || !around) return
    around.style.height = around.offsetHeight + 'px'
    el.style.height = 'auto'
    el.style.height = Math.min(el.scrollHeight, Math.max(120, Math.round(innerHeight * 0.36))) + 'px'
    around.style.height = ''
  }, [text])

  const send = () => {
    const body = text.trim()
    if (!body || reason) return area.current?.focus()
    setUnsure(false)
    void outbox.send(alias, thread.id, kind, body, messages.at(-1)?.seq ?? 0, draft?.parent)
    area.current?.focus()
    onSend()
  }

  /** As if it were typed, so that it can be undone. */
  const insert = (what: string, from?: number, to?: number) => {
    const el = area.current
    if (!el) return
    el.focus()
    if (from !== undefined) el.setSelectionRange(from, to ?? from)
    if (document.execCommand('insertText', false, what)) return
    const [a, b] = [el.selectionStart, el.selectionEnd]
    set(el.value.slice(0, a) + what + el.value.slice(b))
    requestAnimationFrame(() => el.setSelectionRange(a + what.length, a + what.length))
  }

  const onKeyDown = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return
    const mod = e.metaKey || e.ctrlKey
    if (e.key === 'Enter' && mod) send()
    else if (e.key === '.' && mod) setCanned('button')
    else if (e.key === 'Escape') onLeave()
    else return
    e.preventDefault()
  }

  const onChange = (next: string) => {
    const begun = next === '/' && text === ''
    set(next)
    if (refusal) outbox.forgive(id)
    setUnsure(false)
    if (begun && queryClient.getQueryData(q.canned(alias).queryKey)?.length !== 0) setCanned('slash')
  }

  const name = t(`composer.${kind}`)
  return (
    <>
      {refusal && (
        <p className="composer-refused" role="alert">
          <CircleAlert size={14} aria-hidden="true" />
          <span>
            <strong>{t(`composer.refused.${kind}`)}:</strong> {reasonOf(refusal.error)}
          </span>
        </p>
      )}
      {unsure && text && <p className="composer-hint">{t('composer.unreachable')}</p>}
      {parent && (
        <div className="composer-parent">
          <CornerUpLeft size={13} aria-hidden="true" />
          <span className="truncate">
            <strong>{t('message.answers', { author: parent.author.name || whoOf(thread) })}</strong>{' '}
            {parent.text.slice(0, 200)}
          </span>
          <IconButton
            size="small"
            label={t('composer.parent.remove')}
            icon={<X />}
            onClick={() => {
              drafts.set(id, { text, attempt: draft?.attempt })
              area.current?.focus()
            }}
          />
        </div>
      )}
      <textarea
        ref={area}
        className="composer-area"
        aria-label={name}
        aria-describedby={wall ? 'composer-wall' : undefined}
        aria-keyshortcuts="Control+Enter Meta+Enter"
        placeholder={kind === 'reply' ? t('composer.reply.hint', { name: whoOf(thread) }) : t('composer.note.hint')}
        rows={2}
        value={text}
        dir="auto"
        onChange={(e) => onChange(e.target.value)}
        onFocus={() => void queryClient.prefetchQuery(q.canned(alias))}
        onKeyDown={onKeyDown}
      />
      {kind === 'reply' && (preview ?? mayFormat(text, mode)) && (
        <Suspense>
          <Preview text={text} mode={mode} always={preview === true} />
        </Suspense>
      )}
      <div className="composer-foot" ref={foot}>
        <IconButton
          label={t('composer.canned')}
          keys="/"
          icon={<MessageSquareQuote />}
          aria-haspopup="dialog"
          aria-expanded={canned !== undefined}
          onClick={() => setCanned('button')}
        />
        {kind === 'reply' && (
          <IconButton
            label={t(preview === true ? 'composer.preview.hide' : 'composer.preview.show')}
            icon={<Eye />}
            aria-pressed={preview === true}
            onClick={() => setPreview(preview === true ? false : true)}
          />
        )}
        <span className="composer-size" role="status">
          {size.near &&
            (size.parts > 1
              ? t('composer.length.split', { n: size.parts })
              : size.tooLong
                ? ''
                : t('composer.length', { n: text.length, max: 4096 }))}
        </span>
        <Button
          variant="primary"
          className="composer-send"
          icon={kind === 'reply' ? <SendHorizontal aria-hidden="true" /> : <StickyNote aria-hidden="true" />}
          reason={reason}
          aria-disabled={!text.trim() || undefined}
          onClick={send}
        >
          {t(kind === 'reply' ? 'composer.send' : 'composer.addNote')}
          <Kbd keys="mod+enter" />
        </Button>
      </div>
      {canned && (
        <Suspense>
          <Canned
            alias={alias}
            anchor={foot.current}
            focusAfter={area.current}
            onChoose={(what) => {
              const slash = canned === 'slash' && area.current?.value.startsWith('/')
              setCanned(undefined)
              if (slash) insert(what, 0, 1)
              else insert(what)
            }}
            onClose={(query) => {
              setCanned(undefined)
              // what was typed into the filter was meant for the text if it found nothing
              if (canned === 'slash' && query) insert(query, 1)
              else area.current?.focus()
            }}
          />
        </Suspense>
      )}
    </>
  )
}
