import { Archive, CircleUser, Inbox, UserX } from 'lucide-react'
import type { ReactNode } from 'react'
import { t } from '@/i18n'
import type { Filter } from '@/inbox/filter'
import { PriorityIcon, StatusIcon } from '@/ui/marks'

export interface View {
  key: string
  name: string
  icon: ReactNode
  filter: Filter
}

/** The views that everybody has. */
export const builtinViews = (): View[] => [
  { key: 'inbox', name: t('view.inbox'), icon: <Inbox size={15} />, filter: { status: [] } },
  { key: 'mine', name: t('view.mine'), icon: <CircleUser size={15} />, filter: { status: [], assignee: 'me' } },
  {
    key: 'unassigned',
    name: t('view.unassigned'),
    icon: <UserX size={15} />,
    filter: { status: [], assignee: 'none' },
  },
  {
    key: 'urgent',
    name: t('view.urgent'),
    icon: <PriorityIcon priority="urgent" />,
    filter: { status: [], priority: 'urgent' },
  },
  { key: 'open', name: t('view.open'), icon: <StatusIcon status="open" />, filter: { status: ['open'] } },
  { key: 'pending', name: t('view.pending'), icon: <StatusIcon status="pending" />, filter: { status: ['pending'] } },
  {
    key: 'resolved',
    name: t('view.resolved'),
    icon: <StatusIcon status="resolved" />,
    filter: { status: ['resolved'] },
  },
  {
    key: 'all',
    name: t('view.all'),
    icon: <Archive size={15} />,
    filter: { status: ['open', 'pending', 'resolved', 'archived'] },
  },
]
