import { CircleAlert } from 'lucide-react'
import { useDeferredValue, useMemo } from 'react'
import type { ParseMode } from '@/api/types'
import { t } from '@/i18n'
import { parse } from './format'
import { Formatted } from './render'

interface Props {
  text: string
  mode: ParseMode
  /** Shown even when it looks as it was written. */
  always: boolean
}

/** A reply as it will look to who gets it. */
export default function Preview({ text, mode, always }: Props) {
  const shown = useDeferredValue(text.trim())
  const parsed = useMemo(() => parse(shown, mode), [shown, mode])
  if (!always && !parsed.formatted) return null
  return (
    <section className="preview" aria-label={t('composer.preview')}>
      <div className="preview-head">
        {t('composer.preview')}
        <span className="preview-mode">{mode || t('composer.mode.plain')}</span>
      </div>
      {parsed.error && (
        <p className="preview-error" role="status">
          <CircleAlert size={14} aria-hidden="true" />
          <span>{t('composer.mode.error', { reason: parsed.error })}</span>
        </p>
      )}
      {shown ? (
        <div className="preview-text" tabIndex={0} role="group" aria-label={t('composer.preview.text')} dir="auto">
          <Formatted nodes={parsed.nodes} />
        </div>
      ) : (
        <p className="muted">{t('composer.preview.empty')}</p>
      )}
    </section>
  )
}
