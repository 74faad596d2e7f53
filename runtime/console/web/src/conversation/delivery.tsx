import { Check, CircleAlert, Clock, RotateCw } from 'lucide-react'
import { useState } from 'react'
import { api } from '@/api/client'
import type { Message } from '@/api/types'
import { t } from '@/i18n'
import { putMessage } from '@/inbox/messages'
import { Button } from '@/ui/button'
import { toastError } from '@/ui/toast'

/** How a reply fares, and what can be done about it. */
export function Delivery({ alias, message: m, manage }: { alias: string; message: Message; manage: boolean }) {
  const [busy, setBusy] = useState(false)
  const d = m.delivery
  if (!d) return null
  const retry = async () => {
    setBusy(true)
    try {
      putMessage(alias, await api.post<Message>(`/${alias}/threads/${m.thread_id}/messages/${m.id}/retry`))
    } catch (e) {
      toastError(t('delivery.notRetried'), e)
    } finally {
      setBusy(false)
    }
  }
  if (d.status === 'completed')
    return (
      <div className="talk-delivery">
        <Check size={13} aria-hidden="true" />
        {t('delivery.sent')}
      </div>
    )
  if (d.status === 'failed')
    return (
      <div className="talk-delivery" data-state="failed">
        <CircleAlert size={14} aria-hidden="true" />
        <span className="talk-reason">
          {d.error ? t('delivery.failed.reason', { reason: d.error }) : t('delivery.failed')}
        </span>
        <Button
          size="small"
          icon={<RotateCw />}
          aria-disabled={busy || undefined}
          reason={manage ? undefined : t('readonly.reason')}
          onClick={() => !busy && void retry()}
        >
          {t('delivery.retry')}
        </Button>
      </div>
    )
  const text =
    d.status === 'awaiting'
      ? t('delivery.awaiting')
      : d.attempts > 0
        ? t('delivery.pending.again', { n: d.attempts })
        : t('delivery.pending')
  return (
    <div className="talk-delivery" title={d.error || undefined}>
      <Clock size={13} aria-hidden="true" />
      {text}
    </div>
  )
}
