import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { q } from '@/api/queries'
import type { Account, Channel, Instance, ParseMode } from '@/api/types'
import { t } from '@/i18n'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'
import { ErrorNote } from '@/ui/states'
import { Choices } from '../kit/choice'
import { place } from '../kit/errors'
import { focusFirstError } from '../kit/focus'
import { ProviderMark, providerText } from '@/ui/marks'
import { providers } from '../kit/providers'
import { AccountField } from './account-field'
import { useChannelCalls } from './mutations'
import { ParseModeField } from './parse-mode'
import { nameLimit, nameProblem, targetProblem } from './target'
import { TargetField } from './target-field'
import { accountKinds } from './teach'

const fields = ['provider', 'connected_account_id', 'channel_name', 'external_channel_id', 'parse_mode'] as const

interface AddProps {
  alias: string
  instance: Instance
  owner: string
  onClose(): void
  onAdded(channel: Channel): void
}

export function AddChannel({ alias, instance, owner, onClose, onAdded }: AddProps) {
  const allowed = (p: string) => instance.providers.includes(p)
  const [provider, setProvider] = useState<string>(providers.find(allowed) ?? 'telegram')
  const [picked, setAccount] = useState<Account>()
  const [typed, setTyped] = useState<string>() // the name, once somebody typed one
  const [target, setTarget] = useState({ every: true, id: '' })
  const [parseMode, setParseMode] = useState<ParseMode>('HTML')
  const [tried, setTried] = useState(false)
  const { create } = useChannelCalls(alias)

  const kind = accountKinds[provider]
  const accounts = useQuery({ ...q.accounts(alias), enabled: kind !== undefined })
  const usable = accounts.data?.filter((a) => a.kind === kind && a.status === 'active') ?? []
  const account = picked ?? (usable.length === 1 ? usable[0] : undefined)
  const name = typed ?? suggestion(provider, account)
  const problems = {
    connected_account_id: kind && !account ? t('channels.account.missing') : undefined,
    channel_name: text(nameProblem(name)),
    external_channel_id: target.every ? undefined : text(targetProblem(provider, target.id)),
  }
  const refused = place(create.error, fields)
  const wrong = (field: (typeof fields)[number]) =>
    (tried ? (problems as Record<string, string | undefined>)[field] : undefined) ?? refused.fields[field]

  const submit = (e: FormEvent) => {
    e.preventDefault()
    setTried(true)
    if (Object.values(problems).some(Boolean)) {
      focusFirstError(e.currentTarget)
      return
    }
    create.mutate(
      {
        provider,
        channel_name: name.trim(),
        ...(account && kind ? { connected_account_id: account.id } : {}),
        ...(target.every ? {} : { external_channel_id: target.id }),
        ...(provider === 'telegram' && parseMode ? { parse_mode: parseMode } : {}),
      },
      { onSuccess: onAdded },
    )
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title={t('channels.add')}
      text={t('channels.add.text')}
      actions={
        <>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button type="submit" form="add-channel" variant="primary" disabled={create.isPending}>
            {create.isPending ? t('channels.add.busy') : t('channels.add.submit')}
          </Button>
        </>
      }
    >
      <form id="add-channel" className="form" onSubmit={submit} noValidate>
        <Choices
          legend={t('channels.provider')}
          value={provider}
          onChange={(p) => {
            setProvider(p)
            setAccount(undefined)
            setTarget({ every: true, id: '' })
            setTried(false)
            create.reset()
          }}
          choices={providers.map((p) => ({
            value: p,
            label: t(`channels.provider.${p}`),
            text: t(`channels.provider.${p}.text`),
            icon: <ProviderMark provider={p} size={16} />,
            reason: allowed(p)
              ? undefined
              : t('channels.provider.notAllowed', { provider: providerText(p), instance: instance.name }),
          }))}
          error={refused.fields.provider}
        />
        {kind && (
          <AccountField
            key={kind}
            alias={alias}
            instance={instance}
            owner={owner}
            kind={kind}
            value={account?.id ?? ''}
            onChange={setAccount}
            error={wrong('connected_account_id')}
          />
        )}
        <Field label={t('channels.name.label')} hint={t('channels.name.hint')} error={wrong('channel_name')}>
          <Input value={name} onChange={(e) => setTyped(e.target.value)} maxLength={nameLimit * 2} />
        </Field>
        <TargetField provider={provider} value={target} onChange={setTarget} error={wrong('external_channel_id')} />
        {provider === 'telegram' && (
          <ParseModeField value={parseMode} onChange={setParseMode} error={wrong('parse_mode')} />
        )}
        {create.isError && refused.note !== undefined && <ErrorNote error={refused.note} />}
      </form>
    </Dialog>
  )
}

const text = (key: ReturnType<typeof nameProblem>) => key && t(key)

function suggestion(provider: string, account: Account | undefined): string {
  if (account?.display_name) return `${providerText(provider)} ${account.display_name}`
  return provider === 'generic-webhook' ? t('channels.name.events') : providerText(provider)
}
