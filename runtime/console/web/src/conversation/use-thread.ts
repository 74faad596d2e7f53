import { useEffect, useState } from 'react'
import { deskOf } from '@/inbox/desk'
import { useThread } from '@/inbox/use-thread'

/** The thread that is opened. Read from the server if no list has it. */
export function useOpenThread(alias: string, id: string) {
  const desk = deskOf(alias)
  const thread = useThread(desk, id)
  const [error, setError] = useState<unknown>()
  const [attempt, setAttempt] = useState(0)
  const missing = thread === undefined
  useEffect(() => {
    if (!missing) return
    let gone = false
    desk.load(id).catch((e: unknown) => !gone && setError(e))
    return () => void (gone = true)
  }, [desk, id, missing, attempt])
  return {
    thread,
    error: thread ? undefined : error,
    again: () => {
      setError(undefined)
      setAttempt((n) => n + 1)
    },
  }
}
