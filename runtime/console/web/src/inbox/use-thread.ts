import { useCallback, useSyncExternalStore } from 'react'
import type { InboxThread } from '@/api/types'
import type { Desk } from './desk'

/** A thread as it is now, changes on their way included. */
export function useThread(desk: Desk, id: string | undefined): InboxThread | undefined {
  const subscribe = useCallback((f: () => void) => (id ? desk.threads.subscribe(id, f) : () => {}), [desk, id])
  return useSyncExternalStore(subscribe, () => (id ? desk.threads.get(id) : undefined))
}
