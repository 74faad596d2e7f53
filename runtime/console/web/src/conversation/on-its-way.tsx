import { Clock, CloudOff, RotateCw } from 'lucide-react'
import { outbox, type Sending } from '@/composer/outbox'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { Button } from '@/ui/button'
import { Text } from './text'

/** A reply or a note that the server has not answered yet, shown as if it were there. */
export function OnItsWay({ sending: s }: { sending: Sending }) {
  const note = s.kind === 'note'
  return (
    <article
      className="message"
      data-row={s.key}
      data-side={note ? 'note' : 'out'}
      data-lead
      data-tail
      data-going
      aria-label={t(note ? 'message.name.note' : 'message.name', { author: t('message.you'), time: fmt.time(s.at) })}
    >
      <div className="message-body">
        <header className="message-head">
          <span className="message-author">{t('message.you')}</span>
          {note && <span className="message-mark">{t('message.note')}</span>}
          <time className="message-time" dateTime={s.at}>
            {fmt.time(s.at)}
          </time>
        </header>
        <div className="message-line">
          <div className="message-bubble">
            <div className="message-text" dir="auto">
              <Text text={s.text} />
            </div>
          </div>
        </div>
        {s.state === 'sending' ? (
          <p className="delivery" data-status="pending">
            <Clock size={13} aria-hidden="true" /> {t('delivery.sending')}
          </p>
        ) : (
          <div className="delivery" data-status="waiting" role="status">
            <CloudOff size={14} aria-hidden="true" />
            <span>{t('delivery.waiting')}</span>
            <Button size="small" icon={<RotateCw />} onClick={() => outbox.retry(s.key)}>
              {t('delivery.retry')}
            </Button>
          </div>
        )}
      </div>
    </article>
  )
}
