import { useMutation } from '@tanstack/react-query'
import { CircleCheck, CircleX } from 'lucide-react'
import { api } from '@/api/client'
import type { Channel } from '@/api/types'
import { href } from '@/app/route'
import { Link } from '@/app/router'
import { t } from '@/i18n'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { ErrorNote, Note } from '@/ui/states'
import { answerText, threadOf } from './answer'

export interface TestAnswer {
  status_code: number
  answer: unknown
}

export function TestEvent({ alias, channel, onClose }: { alias: string; channel: Channel; onClose(): void }) {
  const test = useMutation({ mutationFn: () => api.post<TestAnswer>(`/${alias}/channels/${channel.id}/test`) })
  const taken = test.data !== undefined && test.data.status_code >= 200 && test.data.status_code < 300
  const thread = test.data && threadOf(test.data.answer)
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('channels.test.title', { name: channel.channel_name })}
      text={t('channels.test.text')}
      actions={
        <>
          <Button onClick={onClose}>{test.data ? t('action.close') : t('action.cancel')}</Button>
          <Button variant={test.data ? 'secondary' : 'primary'} disabled={test.isPending} onClick={() => test.mutate()}>
            {test.isPending
              ? t('channels.test.busy')
              : test.data || test.isError
                ? t('channels.test.again')
                : t('channels.test.send')}
          </Button>
        </>
      }
    >
      {!test.data && !test.isError && <Note>{t('channels.test.charged')}</Note>}
      {test.isError && <ErrorNote error={test.error} />}
      {test.data && (
        <div className="stack" role="status">
          <Note
            tone={taken ? 'green' : 'red'}
            icon={taken ? <CircleCheck aria-hidden="true" /> : <CircleX aria-hidden="true" />}
          >
            {t(taken ? 'channels.test.taken' : 'channels.test.refused', { status: String(test.data.status_code) })}{' '}
            {taken && thread && <Link to={href.thread(alias, thread)}>{t('channels.test.open')}</Link>}
          </Note>
          <div className="ui-code">
            <pre aria-label={t('channels.test.answer')}>{answerText(test.data.answer)}</pre>
          </div>
        </div>
      )}
    </Dialog>
  )
}
