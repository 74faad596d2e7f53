import { lazy } from 'react'

const load = () => import('./conversation')

/** Loaded when the list is there, unless the address names a conversation. What fails now is asked for again then. */
export const preloadConversation = () => load().catch(() => {})

export const Conversation = lazy(() => load().then((m) => ({ default: m.Conversation })))
