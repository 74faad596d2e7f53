import { useState } from 'react'
import { api } from '@/api/client'
import { q, queryClient } from '@/api/queries'
import type { SavedView } from '@/api/types'
import { t } from '@/i18n'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'
import { ErrorNote } from '@/ui/states'

interface Props {
  alias: string
  view?: SavedView
  query: string
  onClose(): void
}

/** Keeps a filter under a name. */
export function ViewDialog({ alias, view, query, onClose }: Props) {
  const manage = queryClient.getQueryData(q.me().queryKey)?.permissions.includes('service:manage')
  const [name, setName] = useState(view?.name ?? '')
  const [shared, setShared] = useState(view?.shared ?? false)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const save = async () => {
    setBusy(true)
    try {
      const body = { name: name.trim(), query: query.replace(/^\?/, ''), shared }
      await (view ? api.put(`/${alias}/views/${view.id}`, body) : api.post(`/${alias}/views`, body))
      await queryClient.invalidateQueries({ queryKey: ['views', alias] })
      onClose()
    } catch (e) {
      setError(e)
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title={view ? t('views.edit') : t('views.save')}
      text={t('views.save.text')}
      actions={
        <>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button variant="primary" type="submit" form="view-form" disabled={busy || !name.trim()}>
            {t('action.save')}
          </Button>
        </>
      }
    >
      <form
        id="view-form"
        className="stack"
        onSubmit={(e) => {
          e.preventDefault()
          void save()
        }}
      >
        <Field label={t('views.name')}>
          <Input value={name} maxLength={60} autoFocus onChange={(e) => setName(e.target.value)} />
        </Field>
        <label className="row">
          <input
            type="checkbox"
            className="ui-check-input"
            checked={shared}
            disabled={!manage}
            onChange={(e) => setShared(e.target.checked)}
          />
          {t('views.shared')}
        </label>
        {error !== undefined && <ErrorNote error={error} />}
      </form>
    </Dialog>
  )
}
