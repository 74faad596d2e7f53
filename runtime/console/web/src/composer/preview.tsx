import { TriangleAlert } from 'lucide-react'
import type { ParseMode } from '@/api/types'
import { t } from '@/i18n'
import { parse } from './format'
import { Formatted } from './render'

interface PreviewProps {
  text: string
  mode: ParseMode
  /** Also when it would look as it is written. */
  always: boolean
}

/** The text as it will look in the channel's formatting. */
export default function Preview({ text, mode, always }: PreviewProps) {
  const { nodes, error, formatted } = parse(text, mode)
  if (!formatted && !error && !always) return null
  return (
    <section className="composer-preview" aria-label={t('composer.preview')}>
      <p className="composer-preview-head">{t('composer.mode', { mode: mode || t('composer.mode.plain') })}</p>
      {error && (
        <p className="composer-preview-error" role="status">
          <TriangleAlert size={13} aria-hidden="true" />
          <span>{t('composer.mode.error', { reason: error })}</span>
        </p>
      )}
      {text.trim() ? (
        <div className="composer-preview-text" dir="auto">
          <Formatted nodes={nodes} />
        </div>
      ) : (
        <p className="muted">{t('composer.preview.empty')}</p>
      )}
    </section>
  )
}
