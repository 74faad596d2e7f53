import { useQuery } from '@tanstack/react-query'
import { RefreshCw } from 'lucide-react'
import { useState } from 'react'
import { q } from '@/api/queries'
import type { Account, Instance } from '@/api/types'
import { t } from '@/i18n'
import { Button } from '@/ui/button'
import { CodeBlock, ErrorNote, Skeleton } from '@/ui/states'
import { Tabs } from '@/ui/tabs'
import { useDevMode } from '../kit/mode'
import { Choices } from '../kit/choice'
import { Rich } from '../kit/rich'
import { teach, type AccountKind } from './teach'

const look = 4000 // how often to look for an account that somebody is about to make

interface AccountFieldProps {
  alias: string
  instance: Instance
  owner: string
  kind: AccountKind
  value: string
  onChange(account: Account): void
  error?: string
}

/** Picks one of the caller's accounts, or teaches how to make the first. */
export function AccountField({ alias, instance, owner, kind, value, onChange, error }: AccountFieldProps) {
  const accounts = useQuery({
    ...q.accounts(alias),
    staleTime: 0,
    refetchInterval: (query) =>
      query.state.data?.some((a) => a.kind === kind && a.status === 'active') ? false : look,
  })
  const [teaching, setTeaching] = useState(false)

  if (accounts.isPending) return <Skeleton height={58} />
  if (accounts.isError) return <ErrorNote error={accounts.error} onRetry={() => void accounts.refetch()} />

  const own = accounts.data.filter((a) => a.kind === kind && a.status !== 'removed')
  const usable = own.some((a) => a.status === 'active')
  return (
    <div className="stack">
      {own.length > 0 && (
        <Choices
          legend={t('channels.account.label')}
          value={value}
          onChange={(id) => {
            const account = own.find((a) => a.id === id)
            if (account) onChange(account)
          }}
          choices={own.map((a) => ({
            value: a.id,
            label: a.display_name || a.name,
            text: t('channels.account.secret', { name: a.name }),
            reason: a.status === 'active' ? undefined : a.message || t('channels.account.unproven'),
          }))}
          error={error}
        />
      )}
      {!usable || teaching ? (
        <Teaching
          kind={kind}
          instance={instance}
          owner={owner}
          taken={accounts.data.map((a) => a.name)}
          none={!own.length}
          looking={accounts.isFetching}
          onLook={() => void accounts.refetch()}
        />
      ) : (
        <div>
          <Button variant="ghost" size="small" onClick={() => setTeaching(true)}>
            {t('channels.account.another')}
          </Button>
        </div>
      )}
    </div>
  )
}

interface TeachingProps {
  kind: AccountKind
  instance: Instance
  owner: string
  taken: string[]
  none: boolean
  looking: boolean
  onLook(): void
}

function Teaching({ kind, instance, owner, taken, none, looking, onLook }: TeachingProps) {
  const { commands, manifest, file } = teach(kind, instance, owner, taken)
  const dev = useDevMode()
  const [chosen, setPlace] = useState<string>()
  const place = chosen ?? (dev ? 'dev' : 'cluster')
  const secret = kind === 'telegram-bot' ? t('channels.teach.token') : t('channels.teach.secret')
  return (
    <section className="ui-card teach" aria-label={t('channels.teach.label')}>
      <h3>
        {none
          ? t(kind === 'telegram-bot' ? 'channels.teach.noBot' : 'channels.teach.noGithub')
          : t('channels.teach.label')}
      </h3>
      <p className="muted">{t(kind === 'telegram-bot' ? 'channels.teach.bot' : 'channels.teach.github')}</p>
      <Tabs
        label={t('channels.teach.where')}
        value={place}
        onChange={setPlace}
        tabs={[
          {
            value: 'cluster',
            label: t('channels.teach.cluster'),
            panel: (
              <div className="stack">
                <p>
                  <Rich text={t('channels.teach.clusterText')} parts={{ secret, file: <code>{file}</code> }} />
                </p>
                <CodeBlock text={commands} label={t('channels.teach.copyCommands')} />
              </div>
            ),
          },
          {
            value: 'dev',
            label: t('channels.teach.dev'),
            panel: (
              <div className="stack">
                <p>
                  <Rich text={t('channels.teach.devText')} parts={{ folder: <code>--manifests</code> }} />
                </p>
                <CodeBlock text={manifest} label={t('channels.teach.copyManifest')} />
              </div>
            ),
          },
        ]}
      />
      <div className="row teach-look">
        <Button size="small" icon={<RefreshCw aria-hidden="true" />} onClick={onLook} disabled={looking}>
          {t('channels.teach.look')}
        </Button>
        <span className="ui-hint">{t('channels.teach.looking')}</span>
      </div>
    </section>
  )
}
