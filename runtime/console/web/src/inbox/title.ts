import type { InboxThread } from '@/api/types'
import { t } from '@/i18n'
import { providerText } from '@/ui/marks'

/** Who a thread is with, for people. */
export const whoOf = (x: InboxThread) =>
  x.contact?.name || (x.contact?.handle && '@' + x.contact.handle.replace(/^@/, '')) || t('thread.noContact')

/** What a thread is about, for people: chats have no subject, so it is who wrote. */
export const titleOf = (x: InboxThread) => x.subject || (x.contact ? whoOf(x) : providerText(x.provider))
