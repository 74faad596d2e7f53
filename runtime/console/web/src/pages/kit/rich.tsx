import { Fragment, type ReactNode } from 'react'
import { split } from './split'

/** A text with elements in the places of its placeholders. */
export function Rich({ text, parts }: { text: string; parts: Record<string, ReactNode> }) {
  return split(text).map((piece, i) => (
    <Fragment key={i}>{'text' in piece ? piece.text : (parts[piece.name] ?? `{${piece.name}}`)}</Fragment>
  ))
}
