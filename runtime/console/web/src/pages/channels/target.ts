import type { MessageKey } from '@/i18n'

// The rules of the ChannelBinding's schema, so that most mistakes are told while typing. The server has the last word.

export interface TargetRule {
  every: MessageKey
  one: MessageKey
  field: MessageKey
  hint: MessageKey
  sample: string
  form: RegExp
  wrong: MessageKey
}

const telegram: TargetRule = {
  every: 'channels.target.telegram.every',
  one: 'channels.target.telegram.one',
  field: 'channels.target.telegram.field',
  hint: 'channels.target.telegram.hint',
  sample: '-1001234567890',
  form: /^-?[1-9][0-9]{0,15}$/,
  wrong: 'channels.target.telegram.wrong',
}

const github: TargetRule = {
  every: 'channels.target.github.every',
  one: 'channels.target.github.one',
  field: 'channels.target.github.field',
  hint: 'channels.target.github.hint',
  sample: 'owner/name',
  form: /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\/[A-Za-z0-9._-]{1,100}$/,
  wrong: 'channels.target.github.wrong',
}

const generic: TargetRule = {
  every: 'channels.target.generic.every',
  one: 'channels.target.generic.one',
  field: 'channels.target.generic.field',
  hint: 'channels.target.generic.hint',
  sample: 'monitoring',
  // eslint-disable-next-line no-control-regex
  form: /^[^\u0000-\u001f\u007f\s]{1,200}$/,
  wrong: 'channels.target.generic.wrong',
}

export const targetRule = (provider: string): TargetRule =>
  provider === 'telegram' ? telegram : provider === 'github' ? github : generic

export function targetProblem(provider: string, id: string): MessageKey | undefined {
  if (id === '') return 'channels.target.missing'
  const rule = targetRule(provider)
  return rule.form.test(id) ? undefined : rule.wrong
}

export const nameLimit = 128

export function nameProblem(name: string): MessageKey | undefined {
  if (name.trim() === '') return 'channels.name.missing'
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'channels.name.line'
  return [...name].length > nameLimit ? 'channels.name.long' : undefined
}
