import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { api } from '@/api/client'
import { q } from '@/api/queries'
import type { Instance, Key } from '@/api/types'
import type { PageProps } from '@/app/page'
import { t } from '@/i18n'
import { Button } from '@/ui/button'
import { ConfirmDialog, Dialog } from '@/ui/dialog'
import { PageFrame } from '@/ui/page-frame'
import { Badge, CodeBlock, EmptyState, ErrorNote } from '@/ui/states'
import { toast } from '@/ui/toast'
import '../kit/pages.css'
import { shellQuote } from '../channels/teach'
import { Rich } from '../kit/rich'
import { RowSkeletons } from '../kit/skeletons'
import { Time } from '../kit/time'
import { CreateKey, ShowKey, type NewKey } from './create'
import './keys.css'
import { sorted, stateOf, stateText } from './keys'

export default function KeysPage({ alias, instance, manage }: PageProps) {
  const keys = useQuery(q.keys(alias))
  const [creating, setCreating] = useState(false)
  const [made, setMade] = useState<NewKey>()
  const [revoking, setRevoking] = useState<Key>()
  const [explaining, setExplaining] = useState<Key>()
  const revoke = useRevoke(alias)
  const add = (
    <Button
      variant="primary"
      icon={<Plus aria-hidden="true" />}
      reason={manage ? undefined : t('readonly.reason')}
      onClick={() => setCreating(true)}
    >
      {t('keys.create')}
    </Button>
  )
  const lists = keys.data && sorted(keys.data, Date.now())
  const table = { manage, onRevoke: setRevoking, onExplain: setExplaining }
  return (
    <PageFrame title={t('page.keys')} actions={add}>
      {keys.isPending ? (
        <RowSkeletons n={4} />
      ) : keys.isError || !lists ? (
        <ErrorNote error={keys.error} onRetry={() => void keys.refetch()} />
      ) : keys.data.length === 0 ? (
        <EmptyState icon={<KeyRound aria-hidden="true" />} title={t('keys.empty')} actions={add}>
          <p>{t('keys.empty.text')}</p>
        </EmptyState>
      ) : (
        <>
          <p className="muted">{t('keys.intro')}</p>
          {lists.usable.length ? (
            <KeyTable keys={lists.usable} label={t('keys.table')} {...table} />
          ) : (
            <p>{t('keys.none')}</p>
          )}
          {lists.ended.length > 0 && (
            <details className="ended">
              <summary>{t('keys.ended', { n: lists.ended.length })}</summary>
              <KeyTable keys={lists.ended} label={t('keys.endedTable')} {...table} />
            </details>
          )}
        </>
      )}
      {creating && (
        <CreateKey
          alias={alias}
          onClose={() => setCreating(false)}
          onCreated={(key) => {
            setCreating(false)
            setMade(key)
          }}
        />
      )}
      {made && <ShowKey alias={alias} made={made} onClose={() => setMade(undefined)} />}
      {revoking && (
        <ConfirmDialog
          open
          onClose={() => setRevoking(undefined)}
          title={t('keys.revoke.title', { name: revoking.name })}
          text={t('keys.revoke.text')}
          confirm={t('keys.revoke.confirm')}
          danger
          onConfirm={async () => {
            await revoke.mutateAsync(revoking)
            toast({ title: t('keys.revoke.done', { name: revoking.name }) })
          }}
        />
      )}
      {explaining && (
        <ManifestKey instance={instance} name={explaining.name} onClose={() => setExplaining(undefined)} />
      )}
    </PageFrame>
  )
}

/** Revoked at once in the list; put back, with the API's reason in the dialog, when it was not. */
function useRevoke(alias: string) {
  const client = useQueryClient()
  const { queryKey } = q.keys(alias)
  return useMutation({
    mutationFn: (key: Key) => api.delete(`/${alias}/keys/${key.id}`),
    onMutate: async (key) => {
      await client.cancelQueries({ queryKey })
      const at = new Date().toISOString()
      client.setQueryData(queryKey, (old) => old?.map((k) => (k.id === key.id ? { ...k, revoked_at: at } : k)))
    },
    onError: (_, key) => client.setQueryData(queryKey, (old) => old?.map((k) => (k.id === key.id ? key : k))),
    onSettled: () => void client.invalidateQueries({ queryKey }),
  })
}

interface TableProps {
  keys: Key[]
  label: string
  manage: boolean
  onRevoke(key: Key): void
  onExplain(key: Key): void
}

function KeyTable({ keys, label, manage, onRevoke, onExplain }: TableProps) {
  const now = Date.now()
  return (
    <div className="ui-table-wrap">
      <table className="ui-table keys-table" aria-label={label}>
        <thead>
          <tr>
            <th scope="col">{t('keys.column.name')}</th>
            <th scope="col">{t('keys.column.scopes')}</th>
            <th scope="col">{t('keys.column.origin')}</th>
            <th scope="col">{t('keys.column.created')}</th>
            <th scope="col">{t('keys.column.ends')}</th>
            <th scope="col">
              <span className="sr-only">{t('keys.column.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => {
            const state = stateOf(key, now)
            const ended = state === 'revoked' || state === 'expired'
            return (
              <tr key={key.id} data-ended={ended || undefined}>
                <th scope="row">
                  <span className="keys-name">{key.name}</span>
                  <code title={t('keys.hint')}>{key.hint}</code>
                </th>
                <td data-label={t('keys.column.scopes')}>
                  <span className="keys-scopes">
                    {key.scopes.map((s) => (
                      <Badge key={s} tone={s === 'socialops:write' ? 'blue' : undefined}>
                        {s === 'socialops:read'
                          ? t('keys.scope.read')
                          : s === 'socialops:write'
                            ? t('keys.scope.write')
                            : s}
                      </Badge>
                    ))}
                  </span>
                </td>
                <td data-label={t('keys.column.origin')}>
                  {t(key.origin === 'manifest' ? 'keys.origin.manifest' : 'keys.origin.api')}
                </td>
                <td data-label={t('keys.column.created')}>
                  <Time at={key.created_at} form="date" />
                </td>
                <td data-label={t('keys.column.ends')}>
                  {key.revoked_at ? (
                    <Rich
                      text={t(state === 'revoked' ? 'keys.revokedAt' : 'keys.revokesAt')}
                      parts={{ time: <Time at={key.revoked_at} /> }}
                    />
                  ) : key.expires_at ? (
                    <>
                      <Time at={key.expires_at} form="date" />{' '}
                      {state !== 'valid' && (
                        <Badge tone={state === 'expiring' ? 'amber' : 'red'}>{t(stateText[state])}</Badge>
                      )}
                    </>
                  ) : (
                    <span className="muted">{t('keys.expires.never')}</span>
                  )}
                </td>
                <td className="keys-actions">
                  {ended ? null : key.origin === 'manifest' ? (
                    <Button
                      size="small"
                      variant="ghost"
                      aria-label={t('keys.manifest.label', { name: key.name })}
                      onClick={() => onExplain(key)}
                    >
                      {t('keys.manifest.button')}
                    </Button>
                  ) : (
                    <Button
                      size="small"
                      variant="danger"
                      aria-label={t('keys.revoke.label', { name: key.name })}
                      reason={manage ? undefined : t('readonly.reason')}
                      onClick={() => onRevoke(key)}
                    >
                      {t('keys.revoke')}
                    </Button>
                  )}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

function ManifestKey({ instance, name, onClose }: { instance: Instance; name: string; onClose(): void }) {
  const kubectl = `kubectl --namespace ${shellQuote(instance.namespace)}`
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('keys.manifest.title', { name })}
      text={
        <Rich
          text={t('keys.manifest.text')}
          parts={{
            manifest: <code>SocialOpsInstance {instance.name}</code>,
            namespace: <code>{instance.namespace}</code>,
          }}
        />
      }
      actions={<Button onClick={onClose}>{t('action.close')}</Button>}
    >
      <div className="stack">
        <p>
          <Rich text={t('keys.manifest.take')} parts={{ field: <code>spec.apiKeys</code> }} />
        </p>
        <CodeBlock text={`${kubectl} edit socialopsinstance ${shellQuote(instance.name)}`} />
        <p>{t('keys.manifest.rotate')}</p>
        <CodeBlock
          text={`${kubectl} annotate socialopsinstance ${shellQuote(instance.name)} socialops.dev/rotate-keys=$(date +%s) --overwrite`}
        />
      </div>
    </Dialog>
  )
}
