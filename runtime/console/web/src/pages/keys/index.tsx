import type { PageProps } from '@/app/page'
import { PageFrame } from '@/ui/page-frame'
import { t } from '@/i18n'

export default function KeysPage({ alias }: PageProps) {
  return (
    <PageFrame title={t('page.keys')}>
      <p>{alias}</p>
    </PageFrame>
  )
}
