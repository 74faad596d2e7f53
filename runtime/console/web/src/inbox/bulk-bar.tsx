import { CircleCheck, RotateCcw, SignalMedium, Tag, UserRound, X } from 'lucide-react'
import { useStore } from '@/app/store'
import { t } from '@/i18n'
import { Button, IconButton } from '@/ui/button'
import { setStatus } from './changes'
import type { Desk } from './desk'
import { pickAssignee, pickLabels, pickPriority } from './pickers'
import type { Selection } from './selection'

/** What can be done with all that is ticked. */
export function BulkBar({ desk, selection }: { desk: Desk; selection: Selection }) {
  const ids = [...useStore(selection.ids)]
  const done = ids.length > 0 && ids.every((id) => desk.threads.get(id)?.status === 'resolved')
  if (!ids.length) return null
  return (
    <div className="thread-bulk" role="toolbar" aria-label={t('bulk.label')}>
      <span className="thread-bulk-count" role="status">
        {t('list.selected', { n: ids.length })}
      </span>
      <Button
        size="small"
        icon={done ? <RotateCcw /> : <CircleCheck />}
        onClick={() => {
          selection.clear()
          void setStatus(desk, ids, done ? 'open' : 'resolved')
        }}
      >
        {done ? t('bulk.open') : t('bulk.resolve')}
      </Button>
      <IconButton
        size="small"
        keys="a"
        label={t('bulk.assign')}
        icon={<UserRound />}
        onClick={(e) => pickAssignee(desk, ids, e.currentTarget)}
      />
      <IconButton
        size="small"
        keys="p"
        label={t('bulk.priority')}
        icon={<SignalMedium />}
        onClick={(e) => pickPriority(desk, ids, e.currentTarget)}
      />
      <IconButton
        size="small"
        keys="l"
        label={t('bulk.labels')}
        icon={<Tag />}
        onClick={(e) => pickLabels(desk, ids, e.currentTarget)}
      />
      <IconButton
        size="small"
        keys="escape"
        className="thread-bulk-clear"
        label={t('bulk.clear')}
        icon={<X />}
        onClick={selection.clear}
      />
    </div>
  )
}
