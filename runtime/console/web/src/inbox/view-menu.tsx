import { MoreHorizontal, Pencil, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { api } from '@/api/client'
import { queryClient } from '@/api/queries'
import type { SavedView } from '@/api/types'
import { t } from '@/i18n'
import { ConfirmDialog } from '@/ui/dialog'
import { Menu, MenuItem } from '@/ui/menu'
import { ViewDialog } from './view-dialog'

/** What can be done with a saved view of one's own. */
export default function ViewMenu({ alias, view }: { alias: string; view: SavedView }) {
  const [dialog, setDialog] = useState<'edit' | 'delete'>()
  const close = () => setDialog(undefined)
  return (
    <>
      <Menu
        trigger={
          <button type="button" className="side-more" aria-label={t('views.actions', { name: view.name })}>
            <MoreHorizontal size={14} />
          </button>
        }
      >
        <MenuItem icon={<Pencil />} onClick={() => setDialog('edit')}>
          {t('views.edit')}
        </MenuItem>
        <MenuItem icon={<Trash2 />} onClick={() => setDialog('delete')}>
          {t('action.delete')}
        </MenuItem>
      </Menu>
      {dialog === 'edit' && <ViewDialog alias={alias} view={view} query={view.query} onClose={close} />}
      <ConfirmDialog
        open={dialog === 'delete'}
        onClose={close}
        danger
        title={t('views.delete', { name: view.name })}
        text={view.shared ? t('views.delete.shared') : t('views.delete.own')}
        confirm={t('action.delete')}
        onConfirm={async () => {
          await api.delete(`/${alias}/views/${view.id}`)
          await queryClient.invalidateQueries({ queryKey: ['views', alias] })
        }}
      />
    </>
  )
}
