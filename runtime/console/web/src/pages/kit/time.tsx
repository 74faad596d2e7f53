import { fmt } from '@/i18n/format'

/** A time in the reader's zone; its tooltip has it to the second. */
export function Time({ at, form = 'dateTime' }: { at: string; form?: 'date' | 'dateTime' | 'time' | 'age' }) {
  return (
    <time dateTime={at} title={fmt.exact(at)}>
      {fmt[form](at)}
    </time>
  )
}
