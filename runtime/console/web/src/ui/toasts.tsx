import { Toast } from '@base-ui/react/toast'
import { CircleAlert, CircleCheck, X } from 'lucide-react'
import { useEffect } from 'react'
import { t } from '@/i18n'
import { Button, IconButton } from './button'
import { tellToasts } from './toast'

const manager = Toast.createToastManager()

const hand = () =>
  tellToasts(({ title, text, type = 'success', action }) =>
    manager.add({
      title,
      description: text,
      type,
      timeout: type === 'error' ? 9000 : 4500,
      priority: type === 'error' ? 'high' : 'low',
      actionProps: action && { children: action.label, onClick: action.run },
    }),
  )

export function Toasts() {
  useEffect(hand, []) // the provider listens by now
  return (
    <Toast.Provider toastManager={manager} limit={4}>
      <Toast.Portal>
        <Toast.Viewport className="ui-toasts" aria-label={t('toasts')}>
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}

function List() {
  const { toasts } = Toast.useToastManager()
  return toasts.map((item) => (
    <Toast.Root key={item.id} toast={item} className="ui-toast">
      {item.type === 'error' ? <CircleAlert aria-hidden="true" /> : <CircleCheck aria-hidden="true" />}
      <div className="grow">
        <Toast.Title className="ui-toast-title" render={<div />} />
        <Toast.Description className="ui-toast-text" render={<div />} />
      </div>
      {item.actionProps && <Toast.Action render={<Button size="small" />} />}
      <Toast.Close render={<IconButton label={t('action.close')} size="small" icon={<X />} />} />
    </Toast.Root>
  ))
}
