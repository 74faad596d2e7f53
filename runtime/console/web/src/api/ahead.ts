// Answers to what app/early.ts asked before the page's code was there.

declare global {
  interface Window {
    ahead?: Map<string, Promise<Response>>
  }
}

const lasts = 5_000 // ms after the page began; what nobody took by then is old

/** Keeps an answer for the first call of the same address. */
export function keepAhead(address: string, answer: Promise<Response>) {
  answer.catch(() => {}) // whoever takes it sees it
  ;(window.ahead ??= new Map()).set(address, answer)
}

/** The answer, if there is one and its token was taken: else the call is to be made as ever. */
export async function takeAhead(address: string): Promise<Response | undefined> {
  const kept = globalThis.window?.ahead
  const answer = kept?.get(address)
  kept?.delete(address)
  if (performance.now() > lasts) return undefined
  const res = await answer?.catch(() => undefined)
  return res?.status === 401 ? undefined : res
}
