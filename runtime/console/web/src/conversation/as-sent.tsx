import { useMemo } from 'react'
import type { ParseMode } from '@/api/types'
import { parse } from '@/composer/format'
import { Formatted } from '@/composer/render'

/** A reply as who got it sees it: with its channel's formatting, or without its markup where Telegram refused that. */
export default function AsSent({ text, mode }: { text: string; mode: ParseMode }) {
  const { nodes } = useMemo(() => parse(text, mode), [text, mode])
  return <Formatted nodes={nodes} />
}
