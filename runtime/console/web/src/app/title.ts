import { useEffect } from 'react'
import { t } from '@/i18n'

/** Names the browser's tab by what is shown. */
export function useTitle(...parts: (string | undefined)[]) {
  const title = [...parts, t('app.name')].filter(Boolean).join(' · ')
  useEffect(() => {
    document.title = title
  }, [title])
}
