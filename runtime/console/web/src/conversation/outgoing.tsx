import { Clock, CloudOff, RotateCw } from 'lucide-react'
import { q, queryClient } from '@/api/queries'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { outbox, type Sending } from '@/composer/outbox'
import { Button } from '@/ui/button'

/** A text that is on its way to the server. */
export function OutgoingRow({ item }: { item: Sending }) {
  const me = queryClient.getQueryData(q.me().queryKey)
  const note = item.kind === 'note'
  const name = t(note ? 'message.name.note' : 'message.name', {
    author: me?.name || me?.subject || '',
    time: fmt.time(item.at),
  })
  return (
    <article className="talk-message" data-direction={note ? 'internal' : 'outbound'} data-lead="" aria-label={name}>
      <div className="talk-body">
        <div className="talk-line">
          <div className="talk-bubble" data-going="">
            <div className="talk-text" dir="auto">
              {item.text}
            </div>
          </div>
        </div>
        {item.state === 'sending' ? (
          <div className="talk-delivery">
            <Clock size={13} aria-hidden="true" />
            {t('delivery.sending')}
          </div>
        ) : (
          <div className="talk-delivery" data-state="waiting" role="status">
            <CloudOff size={14} aria-hidden="true" />
            <span className="talk-reason">{t('delivery.waiting')}</span>
            <Button size="small" icon={<RotateCw />} onClick={() => outbox.retry(item.key)}>
              {t('delivery.retry')}
            </Button>
          </div>
        )}
      </div>
    </article>
  )
}
