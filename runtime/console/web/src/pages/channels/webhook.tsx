import { ExternalLink } from 'lucide-react'
import { useId } from 'react'
import type { Channel } from '@/api/types'
import { t } from '@/i18n'
import { Input } from '@/ui/field'
import { CodeBlock, CopyButton } from '@/ui/states'
import { Rich } from '../kit/rich'
import { githubHooks, shellQuote } from './teach'

/** Where the provider sends its events, and how to tell it so. */
export function Webhook({ channel }: { channel: Channel }) {
  const id = useId()
  const url = channel.webhook_url
  if (!url) return <p className="muted">{t('channels.webhook.none')}</p>
  return (
    <div className="stack">
      <div className="ui-field">
        <label className="ui-label" htmlFor={id}>
          {t('channels.webhook.label')}
        </label>
        <div className="copy-line">
          <Input id={id} className="mono" readOnly value={url} onFocus={(e) => e.target.select()} />
          <CopyButton text={url} label={t('channels.webhook.copy')} />
        </div>
      </div>
      {channel.provider === 'github' && <GithubSteps channel={channel} />}
      {channel.provider === 'generic-webhook' && <GenericExample url={url} source={channel.external_channel_id} />}
      {channel.provider === 'telegram' && <p className="ui-hint">{t('channels.webhook.telegram')}</p>}
    </div>
  )
}

function GithubSteps({ channel }: { channel: Channel }) {
  const hooks = githubHooks(channel.external_channel_id)
  return (
    <section aria-label={t('channels.github.label')}>
      <h4>{t('channels.github.label')}</h4>
      <ol className="steps">
        <li>
          {hooks ? (
            <a href={hooks} target="_blank" rel="noreferrer">
              {t('channels.github.open', { repository: channel.external_channel_id ?? '' })}{' '}
              <ExternalLink size={12} aria-hidden="true" />
              <span className="sr-only">{t('channels.newTab')}</span>
            </a>
          ) : (
            t('channels.github.settings')
          )}
        </li>
        <li>
          <Rich text={t('channels.github.url')} parts={{ field: <b>Payload URL</b> }} />
        </li>
        <li>
          <Rich
            text={t('channels.github.type')}
            parts={{ field: <b>Content type</b>, value: <code>application/json</code> }}
          />
        </li>
        <li>
          <Rich text={t('channels.github.secret')} parts={{ field: <b>Secret</b>, key: <code>secret</code> }} />
        </li>
        <li>{t('channels.github.events')}</li>
      </ol>
    </section>
  )
}

function GenericExample({ url, source }: { url: string; source?: string | null }) {
  const body = JSON.stringify({
    event_id: 'evt_1001',
    title: 'Incident opened',
    text: 'API latency is high',
    ...(source ? { source } : {}),
  })
  return (
    <section aria-label={t('channels.generic.label')} className="stack">
      <p className="ui-hint">{t('channels.generic.text')}</p>
      <CodeBlock
        label={t('channels.generic.copy')}
        text={`curl -X POST ${shellQuote(url)} \\\n  -H "X-API-Key: $KEY" -H "Content-Type: application/json" \\\n  -d ${shellQuote(body)}`}
      />
    </section>
  )
}
