import type { InboxThread } from '@/api/types'
import { t } from '@/i18n'
import { titleOf, whoOf } from './title'

/** A thread's last message in a line, and who wrote it where that is not plain from the row. */
export function previewOf(x: InboxThread, actor: string | undefined): { by?: string; text: string } {
  const m = x.last_message
  if (!m) return { text: x.ai_summary || t('list.none') }
  const text =
    m.text.slice(0, 300).replace(/\s+/g, ' ').trim() ||
    m.attachments.map((a) => a.name || t('list.attachment')).join(', ') ||
    t('list.none')
  if (m.direction === 'internal') return { by: t('list.note'), text }
  if (m.direction === 'inbound') {
    const by = m.author.name || whoOf(x)
    return { by: by === titleOf(x) ? undefined : by, text }
  }
  const own = m.author.kind === 'agent' && 'agent:' + m.author.id === actor
  return { by: own ? t('list.you') : m.author.name || t('list.us'), text }
}
