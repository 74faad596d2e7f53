import { Toast } from '@base-ui/react/toast'
import { CircleAlert, CircleCheck, X } from 'lucide-react'
import { t } from '@/i18n'
import { Button, IconButton } from './button'
import { reasonOf } from './states'

const manager = Toast.createToastManager()

interface ToastOptions {
  title: string
  text?: string
  type?: 'success' | 'error'
  action?: { label: string; run(): void }
}

/** Tells briefly what happened. Errors stay longer and are announced at once. */
export function toast({ title, text, type = 'success', action }: ToastOptions) {
  manager.add({
    title,
    description: text,
    type,
    timeout: type === 'error' ? 9000 : 4500,
    priority: type === 'error' ? 'high' : 'low',
    actionProps: action && { children: action.label, onClick: action.run },
  })
}

/** A change that did not happen, with the reason. */
export const toastError = (title: string, error: unknown) => toast({ title, text: reasonOf(error), type: 'error' })

export function Toasts() {
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
