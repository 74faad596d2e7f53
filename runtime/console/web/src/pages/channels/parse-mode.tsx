import type { ReactNode } from 'react'
import type { ParseMode } from '@/api/types'
import { t, type MessageKey } from '@/i18n'
import { Field, Select } from '@/ui/field'

interface Markup {
  name: MessageKey
  source: string
  look: ReactNode
}

const link = <span className="markup-link">docs</span>

const markups: Record<ParseMode, Markup> = {
  '': { name: 'channels.parse.plain', source: 'Fixed in *v2* — see docs', look: <>Fixed in *v2* — see docs</> },
  HTML: {
    name: 'channels.parse.html',
    source: 'Fixed in <b>v2</b> — see <a href="https://example.com">docs</a>',
    look: (
      <>
        Fixed in <b>v2</b> — see {link}
      </>
    ),
  },
  Markdown: {
    name: 'channels.parse.markdown',
    source: 'Fixed in *v2* — see [docs](https://example.com)',
    look: (
      <>
        Fixed in <b>v2</b> — see {link}
      </>
    ),
  },
  MarkdownV2: {
    name: 'channels.parse.markdown2',
    source: 'Fixed in *v2* — __really__, see [docs](https://example.com)\\.',
    look: (
      <>
        Fixed in <b>v2</b> — <u>really</u>, see {link}.
      </>
    ),
  },
}

export const parseModeName = (mode: ParseMode): string => t(markups[mode].name)

/** The markup of replies, with a sentence as it is written and as it will look. */
export function ParseModeField({
  value,
  onChange,
  error,
}: {
  value: ParseMode
  onChange(mode: ParseMode): void
  error?: string
}) {
  const { source, look } = markups[value]
  return (
    <div className="stack">
      <Field label={t('channels.parse.label')} hint={t('channels.parse.hint')} error={error}>
        <Select
          value={value}
          onChange={(mode) => onChange(mode as ParseMode)}
          options={(Object.keys(markups) as ParseMode[]).map((mode) => ({ value: mode, label: parseModeName(mode) }))}
        />
      </Field>
      <dl className="markup">
        <div>
          <dt>{t('channels.parse.written')}</dt>
          <dd className="mono">{source}</dd>
        </div>
        <div>
          <dt>{t('channels.parse.looks')}</dt>
          <dd className="markup-bubble">{look}</dd>
        </div>
      </dl>
    </div>
  )
}
