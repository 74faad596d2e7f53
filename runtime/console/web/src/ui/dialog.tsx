import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import { useRef, useState, type ReactNode } from 'react'
import { t } from '@/i18n'
import { Button, IconButton } from './button'
import { ErrorNote } from './states'

export interface DialogProps {
  open: boolean
  onClose(): void
  title: string
  text?: ReactNode
  /** Buttons at the end, the main one last. */
  actions?: ReactNode
  size?: 'normal' | 'wide'
  /** Nothing to be pressed first: the dialog itself has the focus. */
  toRead?: boolean
  children?: ReactNode
}

export function Dialog({ open, onClose, title, text, actions, size = 'normal', toRead, children }: DialogProps) {
  const popup = useRef<HTMLDivElement>(null)
  return (
    <Base.Root open={open} onOpenChange={(o) => !o && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="ui-backdrop" />
        <Base.Popup
          className="ui-dialog"
          data-size={size}
          ref={popup}
          tabIndex={-1}
          initialFocus={toRead ? popup : undefined}
        >
          <div className="ui-dialog-head">
            <Base.Title>{title}</Base.Title>
            <Base.Close render={<IconButton label={t('action.close')} icon={<X />} size="small" />} />
          </div>
          {text && <Base.Description className="ui-dialog-text">{text}</Base.Description>}
          <div className="ui-dialog-body">{children}</div>
          {actions && <div className="ui-dialog-actions">{actions}</div>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

interface ConfirmProps {
  open: boolean
  onClose(): void
  title: string
  text: ReactNode
  confirm: string
  danger?: boolean
  /** Closes when it resolves; shows the API's words when it rejects. */
  onConfirm(): Promise<unknown>
}

export function ConfirmDialog({ open, onClose, title, text, confirm, danger, onConfirm }: ConfirmProps) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const close = () => {
    setError(undefined)
    onClose()
  }
  const run = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await onConfirm()
      close()
    } catch (e) {
      setError(e)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={open}
      onClose={close}
      title={title}
      text={text}
      actions={
        <>
          <Button onClick={close}>{t('action.cancel')}</Button>
          <Button variant={danger ? 'danger' : 'primary'} disabled={busy} onClick={() => void run()}>
            {confirm}
          </Button>
        </>
      }
    >
      {error !== undefined && <ErrorNote error={error} />}
    </Dialog>
  )
}
