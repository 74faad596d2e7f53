import { Braces, Copy, CornerUpLeft, Ellipsis, ExternalLink } from 'lucide-react'
import type { Message } from '@/api/types'
import { t } from '@/i18n'
import { IconButton } from '@/ui/button'
import { Menu, MenuItem } from '@/ui/menu'
import { toast, toastError } from '@/ui/toast'
import type { Reading } from './chunk'
import { safeURL } from './links'

export default function MessageMenu({ message: m, reading }: { message: Message; reading: Reading }) {
  const url = safeURL(m.url)
  const copy = () =>
    navigator.clipboard.writeText(m.text).then(
      () => toast({ title: t('message.copied') }),
      (e: unknown) => toastError(t('message.copy'), e),
    )
  return (
    <Menu
      defaultOpen
      align="end"
      trigger={<IconButton className="talk-more" size="small" label={t('message.more')} icon={<Ellipsis />} />}
    >
      {reading.onAnswer && m.direction !== 'internal' && (
        <MenuItem icon={<CornerUpLeft />} onClick={() => setTimeout(() => reading.onAnswer?.(m))}>
          {t('message.answer')}
        </MenuItem>
      )}
      {m.text && (
        <MenuItem icon={<Copy />} onClick={() => void copy()}>
          {t('message.copy')}
        </MenuItem>
      )}
      {url && (
        <MenuItem icon={<ExternalLink />} onClick={() => window.open(url, '_blank', 'noopener,noreferrer')}>
          {t('message.original')}
        </MenuItem>
      )}
      {reading.onRaw && (
        <MenuItem icon={<Braces />} onClick={() => reading.onRaw?.(m)}>
          {t('message.raw')}
        </MenuItem>
      )}
    </Menu>
  )
}
