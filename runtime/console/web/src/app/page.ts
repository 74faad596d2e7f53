import type { Instance, Me } from '@/api/types'

/** What the shell gives to each lazily loaded page. */
export interface PageProps {
  alias: string
  instance: Instance
  me: Me
  /** Has service:manage. Hide nothing that explains itself: disable with t('readonly.reason'). */
  manage: boolean
  /** Has service:admin. */
  admin: boolean
}
