import { createContext, useContext } from 'react'
import type { Message, ParseMode } from '@/api/types'

/** What messages need of the conversation that they stand in. It stays the same object while that is open. */
export interface Talk {
  alias: string
  provider: string
  manage: boolean
  /** How the channel has replies formatted. */
  mode: ParseMode
  messageOf(id: string): Message | undefined
  menu(m: Message, anchor: HTMLElement): void
  retry(m: Message): void
  reveal(id: string): void
}

export const TalkContext = createContext<Talk | undefined>(undefined)

export function useTalk(): Talk {
  const t = useContext(TalkContext)
  if (!t) throw new Error('a message outside of a conversation')
  return t
}
