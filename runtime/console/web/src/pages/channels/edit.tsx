import { useState, type FormEvent } from 'react'
import type { Channel } from '@/api/types'
import { t } from '@/i18n'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'
import { ErrorNote } from '@/ui/states'
import { toast } from '@/ui/toast'
import { place } from '../kit/errors'
import { focusFirstError } from '../kit/focus'
import { useChannelCalls, type ChannelPatch } from './mutations'
import { ParseModeField } from './parse-mode'
import { nameLimit, nameProblem, targetProblem } from './target'
import { TargetField } from './target-field'

const fields = ['channel_name', 'external_channel_id', 'parse_mode'] as const

export function EditChannel({ alias, channel, onClose }: { alias: string; channel: Channel; onClose(): void }) {
  const [name, setName] = useState(channel.channel_name)
  const [target, setTarget] = useState({ every: !channel.external_channel_id, id: channel.external_channel_id ?? '' })
  const [parseMode, setParseMode] = useState(channel.parse_mode)
  const [tried, setTried] = useState(false)
  const { change } = useChannelCalls(alias)

  const nameWrong = nameProblem(name)
  const targetWrong = target.every ? undefined : targetProblem(channel.provider, target.id)
  const refused = place(change.error, fields)

  const submit = (e: FormEvent) => {
    e.preventDefault()
    setTried(true)
    if (nameWrong || targetWrong) {
      focusFirstError(e.currentTarget)
      return
    }
    const patch: ChannelPatch = {}
    if (name.trim() !== channel.channel_name) patch.channel_name = name.trim()
    const id = target.every ? null : target.id
    if (id !== (channel.external_channel_id ?? null)) patch.external_channel_id = id
    if (parseMode !== channel.parse_mode) patch.parse_mode = parseMode
    if (!Object.keys(patch).length) return onClose()
    change.mutate(
      { id: channel.id, patch },
      {
        onSuccess: () => {
          toast({ title: t('channels.edit.done') })
          onClose()
        },
      },
    )
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title={t('channels.edit.title', { name: channel.channel_name })}
      text={t('channels.edit.text')}
      actions={
        <>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button type="submit" form="edit-channel" variant="primary" disabled={change.isPending}>
            {t('action.save')}
          </Button>
        </>
      }
    >
      <form id="edit-channel" className="form" onSubmit={submit} noValidate>
        <Field
          label={t('channels.name.label')}
          hint={t('channels.name.hint')}
          error={(tried && nameWrong ? t(nameWrong) : undefined) ?? refused.fields.channel_name}
        >
          <Input value={name} onChange={(e) => setName(e.target.value)} maxLength={nameLimit * 2} autoFocus />
        </Field>
        <TargetField
          provider={channel.provider}
          value={target}
          onChange={setTarget}
          error={(tried && targetWrong ? t(targetWrong) : undefined) ?? refused.fields.external_channel_id}
        />
        {channel.provider === 'telegram' && (
          <ParseModeField value={parseMode} onChange={setParseMode} error={refused.fields.parse_mode} />
        )}
        {change.isError && refused.note !== undefined && <ErrorNote error={refused.note} />}
      </form>
    </Dialog>
  )
}
