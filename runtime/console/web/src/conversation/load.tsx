import { lazyPart } from '@/ui/lazy-part'

const load = () => import('./conversation')

/** Loaded when the list is there, unless the address names a conversation. What fails now is asked for again then. */
export const preloadConversation = () => load().catch(() => {})

export const Conversation = lazyPart(async () => ({ default: (await load()).Conversation }))
