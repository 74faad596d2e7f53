import { useEffect, useRef, useSyncExternalStore } from 'react'
import type { Desk } from './desk'
import { useThread } from './use-thread'

const seen = () => document.visibilityState === 'visible' && document.hasFocus()
const onSeen = (f: () => void) => {
  document.addEventListener('visibilitychange', f)
  window.addEventListener('focus', f)
  window.addEventListener('blur', f)
  return () => {
    document.removeEventListener('visibilitychange', f)
    window.removeEventListener('focus', f)
    window.removeEventListener('blur', f)
  }
}

/** What is open before the reader's eyes is read; a page in the background leaves it unread. */
export function useMarkRead(desk: Desk, id: string | undefined, manage: boolean) {
  const x = useThread(desk, id)
  const watched = useSyncExternalStore(onSeen, seen)
  const tried = useRef('')
  const unread = x?.unread_count ?? 0
  const at = x?.last_message_at
  useEffect(() => {
    if (!id || !manage || !watched || !unread) return
    const what = id + at
    if (tried.current === what) return // it was refused: not again until something new comes
    tried.current = what
    void desk.markRead(id)
  }, [desk, id, manage, watched, unread, at])
}
