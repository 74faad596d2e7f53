import { ExternalLink } from 'lucide-react'
import type { Channel } from '@/api/types'
import { t } from '@/i18n'
import { CodeBlock, CopyButton } from '@/ui/states'
import { Rich } from '../kit/rich'
import { githubHooks, shellQuote } from './teach'

/** Where the provider sends its events: what people come for. */
export function WebhookLine({ url }: { url?: string }) {
  if (!url) return <p className="muted">{t('channels.webhook.none')}</p>
  return (
    <div className="webhook-line">
      <span className="sr-only">{t('channels.webhook.label')}</span>
      <code>{url}</code>
      <CopyButton text={url} label={t('channels.webhook.copy')} />
    </div>
  )
}

/** How the provider is told of it. */
export function WebhookSteps({ channel }: { channel: Channel }) {
  const url = channel.webhook_url
  if (!url) return channel.provider === 'telegram' ? <p className="muted">{t('channels.webhook.none')}</p> : null
  switch (channel.provider) {
    case 'telegram':
      return (
        <div className="stack">
          <WebhookLine url={url} />
          <p className="ui-hint">{t('channels.webhook.telegram')}</p>
        </div>
      )
    case 'github':
      return <GithubSteps channel={channel} />
    case 'generic-webhook':
      return <GenericExample url={url} source={channel.external_channel_id} />
    default:
      return null
  }
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
