import { Eye } from 'lucide-react'
import { useState } from 'react'
import { api } from '@/api/client'
import type { Message, Raw } from '@/api/types'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { CodeBlock, ErrorNote } from '@/ui/states'
import { indentJSON } from './json'

interface Props {
  alias: string
  message: Message
  onClose(): void
}

/** What the provider sent for a message. It asks first, as the audit trail notes who looked. */
export default function RawPayload({ alias, message: m, onClose }: Props) {
  const [raw, setRaw] = useState<Raw>()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const show = () => {
    setBusy(true)
    setError(undefined)
    api
      .post<Raw>(`/${alias}/threads/${m.thread_id}/messages/${m.id}/raw`)
      .then(setRaw, setError)
      .finally(() => setBusy(false))
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('raw.title')}
      text={raw ? undefined : t('raw.ask')}
      size={raw ? 'wide' : 'normal'}
      actions={
        raw ? (
          <Button onClick={onClose} autoFocus>
            {t('action.close')}
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button variant="primary" icon={<Eye />} disabled={busy} onClick={show} autoFocus>
              {t('raw.show')}
            </Button>
          </>
        )
      }
    >
      {error !== undefined && <ErrorNote error={error} />}
      {raw && (
        <div className="raw">
          {raw.external_thread_id && <Part name={t('raw.thread')} text={raw.external_thread_id} />}
          {raw.external_message_id && <Part name={t('raw.message')} text={raw.external_message_id} />}
          {raw.payloads.length === 0 && <p className="muted">{t('raw.none')}</p>}
          {raw.payloads.map((p, i) => (
            <Part
              key={i}
              name={
                t('raw.received', { time: fmt.exact(p.received_at) }) +
                ' · ' +
                (p.encoding === 'base64'
                  ? t('raw.binary', { size: fmt.bytes(Math.floor((p.body.length * 3) / 4)), type: p.content_type })
                  : p.content_type)
              }
              text={p.encoding === 'utf-8' ? indentJSON(p.body) : p.body}
            />
          ))}
        </div>
      )}
    </Dialog>
  )
}

const Part = ({ name, text }: { name: string; text: string }) => (
  <section className="raw-part">
    <h3>{name}</h3>
    <CodeBlock text={text} />
  </section>
)
