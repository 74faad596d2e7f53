import { useSyncExternalStore } from 'react'

let told = false
let done = false
let waiting: (() => void)[] = []

/** Notes, once, that what the reader came for is painted; then does what had to wait. */
export function markReady() {
  if (told) return
  told = true
  const finish = () => {
    if (done) return
    performance.mark('console:ready')
    done = true
    const now = waiting
    waiting = []
    now.forEach((f) => setTimeout(f)) // each a task of its own, so that none is long
  }
  // what is rendered now is on the screen when the frame after the next begins; a page out of sight has no frames
  requestAnimationFrame(() => requestAnimationFrame(finish))
  setTimeout(finish, document.hidden ? 0 : 1000)
}

/** Whether it is. */
export const painted = () => done

/** Does what the first view can do without, after it. The function that comes back takes it back. */
export function afterPaint(f: () => void): () => void {
  let off = false
  const run = () => {
    if (!off) f()
  }
  if (done) setTimeout(run)
  else waiting.push(run)
  return () => {
    off = true
  }
}

/** Whether it is, for what is asked for after it. */
export const usePainted = () => useSyncExternalStore(afterPaint, painted)
