import { useState } from 'react'
import { api } from '@/api/client'
import type { Message, Raw } from '@/api/types'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { CodeBlock, ErrorNote } from '@/ui/states'

interface RawProps {
  alias: string
  message: Message
  onClose(): void
}

/** What the provider sent, after the reader agreed that the audit trail tells of it. */
export default function RawDialog({ alias, message: m, onClose }: RawProps) {
  const [raw, setRaw] = useState<Raw>()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const show = async () => {
    setBusy(true)
    setError(undefined)
    try {
      setRaw(await api.post<Raw>(`/${alias}/threads/${m.thread_id}/messages/${m.id}/raw`))
    } catch (e) {
      setError(e)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onClose={onClose}
      size={raw ? 'wide' : 'normal'}
      title={t('raw.title')}
      text={raw ? undefined : t('raw.ask')}
      actions={
        raw ? (
          <Button onClick={onClose}>{t('action.close')}</Button>
        ) : (
          <>
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button variant="primary" autoFocus disabled={busy} onClick={() => void show()}>
              {t('raw.show')}
            </Button>
          </>
        )
      }
    >
      {error !== undefined && <ErrorNote error={error} />}
      {raw && (
        <>
          <dl className="talk-raw-ids">
            <dt>{t('raw.thread')}</dt>
            <dd className="mono">{raw.external_thread_id}</dd>
            <dt>{t('raw.message')}</dt>
            <dd className="mono">{raw.external_message_id}</dd>
          </dl>
          {raw.payloads.length === 0 && <p className="muted">{t('raw.none')}</p>}
          {raw.payloads.map((p, i) => (
            <figure key={i} className="talk-raw">
              <figcaption>
                {t('raw.received', { time: fmt.exact(p.received_at) })} · {p.content_type}
                {p.encoding === 'base64' &&
                  ' · ' + t('raw.binary', { size: fmt.bytes((p.body.length * 3) / 4), type: p.content_type })}
              </figcaption>
              <CodeBlock text={pretty(p.body, p.encoding)} />
            </figure>
          ))}
        </>
      )}
    </Dialog>
  )
}

/** Indented where that changes nothing: numbers too long for JavaScript would not come back the same. */
function pretty(body: string, encoding: string) {
  if (encoding !== 'utf-8' || /[:[,]\s*-?\d{16,}/.test(body)) return body
  try {
    return JSON.stringify(JSON.parse(body), undefined, 2)
  } catch {
    return body
  }
}
