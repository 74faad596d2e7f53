import { useQuery } from '@tanstack/react-query'
import { Plug, Plus } from 'lucide-react'
import { useState } from 'react'
import { q } from '@/api/queries'
import type { PageProps } from '@/app/page'
import { t } from '@/i18n'
import { Button } from '@/ui/button'
import { PageFrame } from '@/ui/page-frame'
import { EmptyState, ErrorNote } from '@/ui/states'
import { toast } from '@/ui/toast'
import { CardSkeletons } from '../kit/skeletons'
import '../kit/pages.css'
import { AddChannel } from './add'
import './channels.css'
import { ChannelCard } from './card'

const settling = 2000 // how often to look while a channel is being worked on

export default function ChannelsPage({ alias, instance, me, manage }: PageProps) {
  const channels = useQuery({
    ...q.channels(alias),
    refetchInterval: (query) => (query.state.data?.some((c) => c.health === 'working') ? settling : false),
  })
  const [adding, setAdding] = useState(false)
  const [fresh, setFresh] = useState<string>()
  const add = (
    <Button
      variant="primary"
      icon={<Plus aria-hidden="true" />}
      reason={manage ? undefined : t('readonly.reason')}
      onClick={() => setAdding(true)}
    >
      {t('channels.add')}
    </Button>
  )
  return (
    <PageFrame title={t('page.channels')} actions={add}>
      {channels.isPending ? (
        <CardSkeletons n={3} />
      ) : channels.isError ? (
        <ErrorNote error={channels.error} onRetry={() => void channels.refetch()} />
      ) : channels.data.length === 0 ? (
        <EmptyState icon={<Plug aria-hidden="true" />} title={t('channels.empty')} actions={add}>
          <p>{t('channels.empty.text')}</p>
        </EmptyState>
      ) : (
        <>
          <p className="muted">{t('channels.intro')}</p>
          <ul className="cards" aria-label={t('page.channels')}>
            {channels.data.map((channel) => (
              <ChannelCard
                key={channel.id}
                alias={alias}
                channel={channel}
                all={channels.data}
                manage={manage}
                fresh={channel.id === fresh}
              />
            ))}
          </ul>
        </>
      )}
      {adding && (
        <AddChannel
          alias={alias}
          instance={instance}
          owner={me.subject}
          onClose={() => setAdding(false)}
          onAdded={(channel) => {
            setAdding(false)
            setFresh(channel.id)
            toast({ title: t('channels.add.done', { name: channel.channel_name }), text: t('channels.add.doneText') })
          }}
        />
      )}
    </PageFrame>
  )
}
