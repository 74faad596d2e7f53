import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef, useState, type FormEvent } from 'react'
import { api } from '@/api/client'
import { q } from '@/api/queries'
import type { CannedText } from '@/api/types'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field, Input, TextArea } from '@/ui/field'
import { ErrorNote, Note } from '@/ui/states'
import { toast } from '@/ui/toast'
import { place } from '../kit/errors'
import { focusFirstError } from '../kit/focus'
import { bytesOf, nameLimit, nameProblem, textLimit, textProblem } from './texts'

interface EditProps {
  alias: string
  /** Undefined: a new one. */
  old?: CannedText
  all: CannedText[]
  onClose(): void
}

export function EditText({ alias, old, all, onClose }: EditProps) {
  const [name, setName] = useState(old?.name ?? '')
  const [text, setText] = useState(old?.text ?? '')
  const [tried, setTried] = useState(false)
  const [warned, setWarned] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const client = useQueryClient()
  const { queryKey } = q.canned(alias)
  const save = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), text }
      return old
        ? api.put<CannedText>(`/${alias}/canned/${old.id}`, body)
        : api.post<CannedText>(`/${alias}/canned`, body)
    },
    onSuccess: (saved) => {
      client.setQueryData(queryKey, (list) => [...(list ?? []).filter((c) => c.id !== saved.id), saved])
      void client.invalidateQueries({ queryKey })
      toast({ title: t('canned.saved', { name: saved.name }) })
      onClose()
    },
  })
  const nameWrong = nameProblem(
    name,
    all.filter((c) => c.id !== old?.id),
  )
  const textWrong = textProblem(text)
  const refused = place(save.error, ['name', 'text'])
  const changed = name !== (old?.name ?? '') || text !== (old?.text ?? '')

  const close = () => {
    if (!changed || warned || save.isPending) onClose()
    else setWarned(true)
  }
  const submit = (e: FormEvent) => {
    e.preventDefault()
    setTried(true)
    if (nameWrong || textWrong) focusFirstError(e.currentTarget)
    else if (!save.isPending) save.mutate()
  }

  return (
    <Dialog
      open
      onClose={close}
      title={t(old ? 'canned.edit' : 'canned.new')}
      text={t('canned.edit.text')}
      actions={
        <>
          <Button onClick={close}>{t(warned ? 'canned.discard' : 'action.cancel')}</Button>
          <Button type="submit" form="edit-canned" variant="primary" disabled={save.isPending}>
            {t('action.save')}
          </Button>
        </>
      }
    >
      <form id="edit-canned" ref={form} className="form" onSubmit={submit} noValidate>
        <Field
          label={t('canned.name')}
          hint={t('canned.name.hint')}
          error={(tried && nameWrong ? t(nameWrong, { n: nameLimit }) : undefined) ?? refused.fields.name}
        >
          <Input
            value={name}
            onChange={(e) => setName(e.target.value)}
            placeholder={t('canned.name.sample')}
            autoFocus
          />
        </Field>
        <Field
          label={t('canned.text')}
          hint={
            bytesOf(text) > textLimit / 2
              ? t('canned.text.size', { size: fmt.bytes(bytesOf(text)), most: fmt.bytes(textLimit) })
              : t('canned.text.hint')
          }
          error={(tried && textWrong ? t(textWrong) : undefined) ?? refused.fields.text}
        >
          <TextArea
            value={text}
            rows={7}
            onChange={(e) => setText(e.target.value)}
            onKeyDown={(e) => {
              if (e.key === 'Enter' && (e.metaKey || e.ctrlKey)) form.current?.requestSubmit()
            }}
          />
        </Field>
        {warned && (
          <div role="alert">
            <Note tone="amber">{t('canned.unsaved')}</Note>
          </div>
        )}
        {save.isError && refused.note !== undefined && <ErrorNote error={refused.note} />}
      </form>
    </Dialog>
  )
}
