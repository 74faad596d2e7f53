import { Popover } from '@base-ui/react/popover'
import { useQuery } from '@tanstack/react-query'
import { ExternalLink } from 'lucide-react'
import type { ReactNode } from 'react'
import { q } from '@/api/queries'
import type { InboxThread } from '@/api/types'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { whoOf } from '@/inbox/title'
import { ProviderMark, providerText } from '@/ui/marks'
import { safeURL } from './links'
import { Text } from './text'

interface Props {
  alias: string
  thread: InboxThread
  anchor: Element | null
  onClose(): void
}

/** What is known of the contact and the conversation. */
export default function Details({ alias, thread: x, anchor, onClose }: Props) {
  const channel = useQuery(q.channels(alias)).data?.find((c) => c.id === x.channel_id)
  const c = x.contact
  const url = safeURL(c?.url)
  return (
    <Popover.Root open onOpenChange={(open) => !open && onClose()}>
      <Popover.Portal>
        <Popover.Positioner className="ui-positioner" anchor={anchor} align="end" sideOffset={6} collisionPadding={8}>
          <Popover.Popup className="ui-popup details">
            <Popover.Title className="details-title">
              {c ? t('talk.facts', { name: whoOf(x) }) : t('talk.details')}
            </Popover.Title>
            <dl>
              {c?.handle && <Fact name={t('talk.fact.handle')}>@{c.handle.replace(/^@/, '')}</Fact>}
              {c && url && (
                <Fact name={t('talk.fact.page')}>
                  <a href={url} target="_blank" rel="noopener noreferrer nofollow">
                    {t('talk.profile', { name: whoOf(x), provider: providerText(x.provider) })}{' '}
                    <ExternalLink size={12} aria-hidden="true" />
                  </a>
                </Fact>
              )}
              {c && <Fact name={t('talk.fact.since')}>{fmt.dateTime(c.created_at)}</Fact>}
              <Fact name={t('talk.fact.channel')}>
                <ProviderMark provider={x.provider} size={13} /> {channel?.channel_name ?? providerText(x.provider)}
              </Fact>
              <Fact name={t('talk.fact.started')}>{fmt.dateTime(x.created_at)}</Fact>
              {x.expires_at && <Fact name={t('talk.fact.expires')}>{fmt.dateTime(x.expires_at)}</Fact>}
              {c?.blocked && <Fact name={t('talk.blocked')}>{t('talk.blocked.hint')}</Fact>}
              {Object.entries(x.custom_data)
                .slice(0, 20)
                .map(([name, value]) => (
                  <Fact key={name} name={name}>
                    <Text text={(typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 500)} />
                  </Fact>
                ))}
            </dl>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)
