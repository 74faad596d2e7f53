import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { api } from '@/api/client'
import { q } from '@/api/queries'
import type { Key } from '@/api/types'
import { t } from '@/i18n'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field, Input, Select } from '@/ui/field'
import { CodeBlock, ErrorNote, Note } from '@/ui/states'
import { useCopy } from '@/ui/states'
import { Tick } from '../kit/choice'
import { place } from '../kit/errors'
import { focusFirstError } from '../kit/focus'
import { apiBase, curlOf, lifetimes, nameLimit, nameProblem } from './keys'

export type NewKey = Key & { key: string }

const fields = ['name', 'scopes', 'expires_in_days'] as const
const read = 'socialops:read'
const write = 'socialops:write'

export function CreateKey({
  alias,
  onClose,
  onCreated,
}: {
  alias: string
  onClose(): void
  onCreated(key: NewKey): void
}) {
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState([read, write])
  const [life, setLife] = useState('90')
  const [tried, setTried] = useState(false)
  const client = useQueryClient()
  const create = useMutation({
    mutationFn: () =>
      api.post<NewKey>(`/${alias}/keys`, {
        name: name.trim(),
        scopes,
        ...(life ? { expires_in_days: Number(life) } : {}),
      }),
    onSuccess: (made) => {
      // The list never holds the key itself.
      client.setQueryData(q.keys(alias).queryKey, (old) => [listed(made), ...(old ?? [])])
      void client.invalidateQueries({ queryKey: q.keys(alias).queryKey })
      onCreated(made)
    },
    gcTime: 0,
  })
  const nameWrong = nameProblem(name)
  const refused = place(create.error, fields)
  const scopesWrong = (tried && !scopes.length ? t('keys.scopes.missing') : undefined) ?? refused.fields.scopes
  const toggle = (scope: string) => (on: boolean) =>
    setScopes([read, write].filter((s) => (s === scope ? on : scopes.includes(s))))

  const submit = (e: FormEvent) => {
    e.preventDefault()
    setTried(true)
    if (nameWrong || !scopes.length) focusFirstError(e.currentTarget)
    else create.mutate()
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title={t('keys.create')}
      text={t('keys.create.text')}
      actions={
        <>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button type="submit" form="create-key" variant="primary" disabled={create.isPending}>
            {t('keys.create')}
          </Button>
        </>
      }
    >
      <form id="create-key" className="form" onSubmit={submit} noValidate>
        <Field
          label={t('keys.name')}
          hint={t('keys.name.hint')}
          error={(tried && nameWrong ? t(nameWrong) : undefined) ?? refused.fields.name}
        >
          <Input
            value={name}
            onChange={(e) => setName(e.target.value)}
            placeholder="monitoring"
            maxLength={nameLimit * 2}
            autoFocus
          />
        </Field>
        <fieldset className="choices" aria-describedby={scopesWrong ? 'scopes-wrong' : undefined}>
          <legend className="ui-label">{t('keys.scopes')}</legend>
          <div className="choices-list">
            <Tick
              label={t('keys.scope.read')}
              text={t('keys.scope.readText')}
              checked={scopes.includes(read)}
              onChange={toggle(read)}
            />
            <Tick
              label={t('keys.scope.write')}
              text={t('keys.scope.writeText')}
              checked={scopes.includes(write)}
              onChange={toggle(write)}
            />
          </div>
          {scopesWrong && (
            <span className="ui-error" id="scopes-wrong">
              {scopesWrong}
            </span>
          )}
        </fieldset>
        <Field
          label={t('keys.expires')}
          hint={life ? undefined : t('keys.expires.neverHint')}
          error={refused.fields.expires_in_days}
        >
          <Select
            value={life}
            onChange={setLife}
            options={lifetimes.map((days) => ({
              value: days,
              label: days ? t('keys.expires.days', { n: Number(days) }) : t('keys.expires.never'),
            }))}
          />
        </Field>
        {create.isError && refused.note !== undefined && <ErrorNote error={refused.note} />}
      </form>
    </Dialog>
  )
}

function listed(made: NewKey): Key {
  const key: Key & { key?: string } = { ...made }
  delete key.key
  return key
}

/** The one look at a new key. Closing it without having copied is asked about once. */
export function ShowKey({ alias, made, onClose }: { alias: string; made: NewKey; onClose(): void }) {
  const channels = useQuery(q.channels(alias))
  const [copied, copy] = useCopy(made.key)
  const [taken, setTaken] = useState(false)
  const [warned, setWarned] = useState(false)
  if (copied && !taken) setTaken(true)
  const base = apiBase(alias, channels.data, location.origin)
  const close = () => {
    if (taken || warned) onClose()
    else setWarned(true)
  }
  return (
    <Dialog
      open
      onClose={close}
      title={t('keys.made')}
      text={t('keys.made.text')}
      actions={
        <Button variant={taken ? 'primary' : 'secondary'} onClick={close}>
          {t(warned && !taken ? 'keys.made.closeAnyway' : 'keys.made.done')}
        </Button>
      }
    >
      <div className="ui-field">
        <label className="ui-label" htmlFor="new-key">
          {t('keys.made.key', { name: made.name })}
        </label>
        <div className="copy-line">
          <Input
            id="new-key"
            className="mono"
            readOnly
            value={made.key}
            onFocus={(e) => e.target.select()}
            onCopy={() => setTaken(true)}
          />
          <Button
            variant="primary"
            onClick={() =>
              // Where the browser refuses, the key is selected, so that it can be copied by hand.
              void copy().catch(() => document.querySelector<HTMLInputElement>('#new-key')?.select())
            }
          >
            {copied ? t('action.copied') : t('keys.made.copy')}
          </Button>
        </div>
        <span className="sr-only" role="status">
          {copied ? t('action.copied') : ''}
        </span>
      </div>
      {warned && !taken && (
        <div role="alert">
          <Note tone="amber">{t('keys.made.warning')}</Note>
        </div>
      )}
      <div className="stack">
        <p>{t('keys.made.try')}</p>
        <CodeBlock text={curlOf(base, made.key, made.scopes)} label={t('keys.made.copyCommand')} />
      </div>
    </Dialog>
  )
}
