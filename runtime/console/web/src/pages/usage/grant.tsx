import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { api } from '@/api/client'
import type { Money } from '@/api/types'
import { t, type MessageKey } from '@/i18n'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'
import { ErrorNote } from '@/ui/states'
import { toast } from '@/ui/toast'
import { place } from '../kit/errors'
import { focusFirstError } from '../kit/focus'
import { parseAmount, plainUsd, type ParsedUsd } from './money'
import { usd, usdOf } from './usd'

const wrong: Record<Extract<ParsedUsd, { ok: false }>['why'], MessageKey> = {
  empty: 'usage.grant.amount.empty',
  malformed: 'usage.grant.amount.malformed',
  digits: 'usage.grant.amount.digits',
  large: 'usage.grant.amount.large',
  sign: 'usage.grant.amount.sign',
}

/** Adds to the balance. A reference is credited once, so sending the form twice is no harm. */
export function GrantCredit({ alias, onClose }: { alias: string; onClose(): void }) {
  const [amount, setAmount] = useState('')
  const [reference, setReference] = useState('')
  const [tried, setTried] = useState(false)
  const client = useQueryClient()
  const parsed = parseAmount(amount)
  const grant = useMutation({
    mutationFn: (micro: bigint) =>
      api.post<{ balance: Money; repeated: boolean }>(`/${alias}/credits`, {
        amount_usd: plainUsd(micro),
        reference: reference.trim(),
      }),
    onSuccess: ({ balance, repeated }, micro) => {
      void client.invalidateQueries({ queryKey: ['usage', alias] })
      toast(
        repeated
          ? {
              title: t('usage.grant.repeated', { reference: reference.trim() }),
              text: t('usage.grant.repeatedText', { balance: usdOf(balance) }),
            }
          : {
              title: t('usage.grant.done', { amount: usd(micro) }),
              text: t('usage.grant.balance', { balance: usdOf(balance) }),
            },
      )
      onClose()
    },
  })
  const refused = place(grant.error, ['amount_usd', 'reference'])

  const submit = (e: FormEvent) => {
    e.preventDefault()
    setTried(true)
    if (parsed.ok && reference.trim()) grant.mutate(parsed.micro)
    else focusFirstError(e.currentTarget)
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title={t('usage.grant')}
      text={t('usage.grant.text', { alias })}
      actions={
        <>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button type="submit" form="grant" variant="primary" disabled={grant.isPending}>
            {parsed.ok ? t('usage.grant.submitAmount', { amount: usd(parsed.micro) }) : t('usage.grant')}
          </Button>
        </>
      }
    >
      <form id="grant" className="form" onSubmit={submit} noValidate>
        <Field
          label={t('usage.grant.amount')}
          hint={t('usage.grant.amount.hint')}
          error={(tried && !parsed.ok ? t(wrong[parsed.why]) : undefined) ?? refused.fields.amount_usd}
        >
          <Input
            value={amount}
            onChange={(e) => setAmount(e.target.value)}
            inputMode="decimal"
            placeholder="25"
            autoFocus
          />
        </Field>
        <Field
          label={t('usage.grant.reference')}
          hint={t('usage.grant.reference.hint')}
          error={
            (tried && !reference.trim() ? t('usage.grant.reference.missing') : undefined) ?? refused.fields.reference
          }
        >
          <Input
            value={reference}
            onChange={(e) => setReference(e.target.value)}
            placeholder="invoice-2026-0042"
            maxLength={200}
          />
        </Field>
        {grant.isError && refused.note !== undefined && <ErrorNote error={refused.note} />}
      </form>
    </Dialog>
  )
}
