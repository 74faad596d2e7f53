let told = false

/** Notes, once, that what the reader came for is painted. */
export function markReady() {
  if (told) return
  told = true
  // what is rendered now is on the screen when the frame after the next begins
  requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('console:ready')))
}
