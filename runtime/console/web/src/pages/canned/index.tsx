import type { PageProps } from '@/app/page'
import { PageFrame } from '@/ui/page-frame'
import { t } from '@/i18n'

export default function CannedPage({ alias }: PageProps) {
  return (
    <PageFrame title={t('page.canned')}>
      <p>{alias}</p>
    </PageFrame>
  )
}
