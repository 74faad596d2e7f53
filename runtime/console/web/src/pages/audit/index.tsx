import type { PageProps } from '@/app/page'
import { PageFrame } from '@/ui/page-frame'
import { t } from '@/i18n'

export default function AuditPage({ alias }: PageProps) {
  return (
    <PageFrame title={t('page.audit')}>
      <p>{alias}</p>
    </PageFrame>
  )
}
