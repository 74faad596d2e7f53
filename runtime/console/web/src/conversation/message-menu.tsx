import { Menu } from '@base-ui/react/menu'
import { Copy, CornerUpLeft, ExternalLink, FileCode } from 'lucide-react'
import type { Message } from '@/api/types'
import { t } from '@/i18n'
import { toast } from '@/ui/toast'
import { safeURL } from './links'

export interface MenuAt {
  message: Message
  anchor: HTMLElement
}

interface Props extends MenuAt {
  manage: boolean
  mayAnswer: boolean
  onAnswer(m: Message): void
  onRaw(m: Message): void
  onClose(): void
}

/** What can be done with one message. */
export default function MessageMenu({ message: m, anchor, manage, mayAnswer, onAnswer, onRaw, onClose }: Props) {
  const url = safeURL(m.url)
  const copy = async () => {
    await navigator.clipboard.writeText(m.text)
    toast({ title: t('message.copied') })
  }
  return (
    <Menu.Root open onOpenChange={(open) => !open && onClose()}>
      <Menu.Portal>
        <Menu.Positioner className="ui-positioner" anchor={anchor} align="end" sideOffset={4} collisionPadding={8}>
          <Menu.Popup className="ui-popup" aria-label={t('message.more')} finalFocus={() => anchor}>
            {mayAnswer && m.direction !== 'internal' && (
              <Menu.Item className="ui-item" onClick={() => onAnswer(m)}>
                <CornerUpLeft aria-hidden="true" /> {t('message.answer')}
              </Menu.Item>
            )}
            {m.text && (
              <Menu.Item className="ui-item" onClick={() => void copy()}>
                <Copy aria-hidden="true" /> {t('message.copy')}
              </Menu.Item>
            )}
            {url && (
              <Menu.Item className="ui-item" onClick={() => window.open(url, '_blank', 'noopener,noreferrer')}>
                <ExternalLink aria-hidden="true" /> {t('message.original')}
              </Menu.Item>
            )}
            {manage && (
              <Menu.Item className="ui-item" onClick={() => onRaw(m)}>
                <FileCode aria-hidden="true" /> {t('message.raw')}
              </Menu.Item>
            )}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  )
}
