import type { PageProps } from '@/app/page'
import { PageFrame } from '@/ui/page-frame'
import { t } from '@/i18n'

export default function UsagePage({ alias }: PageProps) {
  return (
    <PageFrame title={t('page.usage')}>
      <p>{alias}</p>
    </PageFrame>
  )
}
