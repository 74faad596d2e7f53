import { ChevronDown, Pencil, Send } from 'lucide-react'
import { useEffect, useId, useRef, useState, type ReactNode } from 'react'
import type { Channel } from '@/api/types'
import { t } from '@/i18n'
import { Button } from '@/ui/button'
import { ConfirmDialog } from '@/ui/dialog'
import { Switch } from '@/ui/field'
import { Badge, Note } from '@/ui/states'
import { ProviderMark, providerText } from '@/ui/marks'
import { Rich } from '../kit/rich'
import { Time } from '../kit/time'
import { Conditions } from './conditions'
import { complaint, healthText, healthTone, siblings } from './health'
import { useChannelCalls } from './mutations'
import { parseModeName } from './parse-mode'
import { targetRule } from './target'
import { TestEvent } from './test-event'
import { EditChannel } from './edit'
import { WebhookLine, WebhookSteps } from './webhook'

interface CardProps {
  alias: string
  channel: Channel
  all: Channel[]
  manage: boolean
  /** It was just made: it takes the focus and shows what is left to do. */
  fresh: boolean
}

type Open = 'edit' | 'test' | 'switch' | undefined

export function ChannelCard({ alias, channel, all, manage, fresh }: CardProps) {
  const id = useId()
  const [details, setDetails] = useState(fresh && channel.provider !== 'telegram')
  const [open, setOpen] = useState<Open>()
  const { change } = useChannelCalls(alias)
  const card = useRef<HTMLLIElement>(null)
  const active = channel.status === 'active'
  const wrong = complaint(channel)
  const reason = manage ? undefined : t('readonly.reason')
  const testable = channel.provider !== 'telegram'
  const close = () => setOpen(undefined)

  useEffect(() => {
    if (!fresh) return
    card.current?.focus()
    card.current?.scrollIntoView({ block: 'nearest' })
  }, [fresh])

  return (
    <li className="ui-card channel" ref={card} tabIndex={-1} aria-labelledby={id} data-health={channel.health}>
      <div className="channel-head">
        <span className="channel-mark">
          <ProviderMark provider={channel.provider} size={19} />
        </span>
        <div className="grow">
          <div className="channel-title">
            <h2 id={id}>{channel.channel_name}</h2>
            <Badge tone={healthTone[channel.health]}>{t(healthText[channel.health])}</Badge>
          </div>
          <Facts channel={channel} manage={manage} />
        </div>
        <Switch
          label={t('channels.switch.label', { name: channel.channel_name })}
          checked={active}
          disabled={!manage || change.isPending}
          onChange={() => setOpen('switch')}
        />
      </div>

      {wrong && (
        <Note tone={channel.health === 'problem' ? 'red' : 'amber'}>
          <p className="sentence">
            {wrong.message} <code>{wrong.reason}</code>
          </p>
        </Note>
      )}
      {channel.health === 'off' && <p className="muted">{t('channels.off.text')}</p>}

      {testable && <WebhookLine url={channel.webhook_url} />}

      <div className="channel-actions">
        <Button
          size="small"
          variant="ghost"
          icon={<ChevronDown aria-hidden="true" className="turn" data-turned={details || undefined} />}
          aria-expanded={details}
          aria-controls={`${id}-details`}
          onClick={() => setDetails(!details)}
        >
          {t('channels.details')}
        </Button>
        <Button
          size="small"
          variant="ghost"
          icon={<Pencil aria-hidden="true" />}
          reason={reason}
          onClick={() => setOpen('edit')}
        >
          {t('channels.edit')}
        </Button>
        {testable && (
          <Button
            size="small"
            variant="ghost"
            icon={<Send aria-hidden="true" />}
            reason={reason ?? (active ? undefined : t('channels.test.off'))}
            onClick={() => setOpen('test')}
          >
            {t('channels.test')}
          </Button>
        )}
      </div>

      {details && (
        <div className="channel-details" id={`${id}-details`}>
          {testable && <WebhookSteps channel={channel} />}
          <section aria-labelledby={`${id}-c`}>
            <h3 id={`${id}-c`}>{t('channels.conditions')}</h3>
            <Conditions conditions={channel.conditions} />
          </section>
          {!testable && <WebhookSteps channel={channel} />}
          <p className="ui-hint">
            <Rich
              text={t('channels.manifest')}
              parts={{
                name: <code>{channel.name}</code>,
                id: <code>{channel.id}</code>,
                time: <Time at={channel.created_at} />,
              }}
            />
          </p>
        </div>
      )}

      {open === 'edit' && <EditChannel alias={alias} channel={channel} onClose={close} />}
      {open === 'test' && <TestEvent alias={alias} channel={channel} onClose={close} />}
      <ConfirmDialog
        open={open === 'switch'}
        onClose={close}
        title={t(active ? 'channels.switch.offTitle' : 'channels.switch.onTitle', { name: channel.channel_name })}
        text={<SwitchMeaning channel={channel} all={all} />}
        confirm={t(active ? 'channels.switch.off' : 'channels.switch.on')}
        danger={active}
        onConfirm={() => change.mutateAsync({ id: channel.id, patch: { status: active ? 'inactive' : 'active' } })}
      />
    </li>
  )
}

function Facts({ channel, manage }: { channel: Channel; manage: boolean }) {
  const facts: { key: string; fact: ReactNode }[] = [{ key: 'provider', fact: providerText(channel.provider) }]
  if (channel.account) facts.push({ key: 'account', fact: channel.account })
  if (channel.external_channel_id) facts.push({ key: 'target', fact: <code>{channel.external_channel_id}</code> })
  else if (manage) facts.push({ key: 'target', fact: t(targetRule(channel.provider).every) })
  if (channel.provider === 'telegram') facts.push({ key: 'markup', fact: parseModeName(channel.parse_mode) })
  return (
    <ul className="facts">
      {facts.map(({ key, fact }) => (
        <li key={key}>{fact}</li>
      ))}
    </ul>
  )
}

/** What switching means for this channel, before somebody does it. */
function SwitchMeaning({ channel, all }: { channel: Channel; all: Channel[] }) {
  const others = siblings(channel, all)
  if (channel.status !== 'active')
    return t(channel.provider === 'telegram' ? 'channels.switch.onTelegram' : 'channels.switch.onOther')
  if (channel.provider === 'telegram') {
    const account = channel.account || t('channels.switch.bot')
    return others.length
      ? t('channels.switch.offShared', { account, n: others.length })
      : t('channels.switch.offLast', { account })
  }
  return t(channel.provider === 'github' ? 'channels.switch.offGithub' : 'channels.switch.offGeneric')
}
