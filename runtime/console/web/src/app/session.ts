// Who is signed in. A token lives in this tab's sessionStorage only; in dev mode the server hands it out.
import { ApiError, base, failure, setTokenSource } from '@/api/client'
import type { Config } from '@/api/types'
import { forgetDrafts } from '@/composer/drafts'
import { isFresh, restKey, storedSession, tokenKey, type Session } from './stored-session'

let config: Promise<Config> | undefined
let current = storedSession()
let pending: Promise<Session> | undefined

/** What the server said about itself, in the page or on asking. */
export function getConfig(): Promise<Config> {
  return (config ??= readConfig())
}

async function readConfig(): Promise<Config> {
  const inline = JSON.parse(document.getElementById('config')?.textContent || '{}') as Partial<Config> | null
  if (inline?.mode) return inline as Config
  const res = await fetch(base + '/config')
  if (!res.ok) throw await failure(res)
  const body = (await res.json()) as { data?: Config } & Config
  return body.data ?? body
}

function keep(s: Session | undefined) {
  current = s
  if (s) {
    sessionStorage.setItem(tokenKey, s.token)
    sessionStorage.setItem(restKey, JSON.stringify(s))
  } else {
    sessionStorage.removeItem(tokenKey)
    sessionStorage.removeItem(restKey)
  }
}

/** What a token says of itself; the server alone decides whether that holds. */
function claims(token: string): { sub?: string; permissions?: string[] } {
  try {
    const part = (token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/')
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))))
  } catch {
    return {}
  }
}

interface DevSession {
  token: string
  expires_at: string
}

async function devSession(who: { subject?: string; permissions?: string[] }): Promise<Session> {
  let res: Response
  try {
    res = await fetch(base + '/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(who),
    })
  } catch (e) {
    throw new ApiError(0, 'unreachable', 'The server cannot be reached.', e)
  }
  if (!res.ok) throw await failure(res)
  const { data } = (await res.json()) as { data: DevSession }
  return { token: data.token, expires: Date.parse(data.expires_at) }
}

async function obtain(): Promise<Session> {
  const c = await getConfig()
  if (c.mode === 'dev') {
    const { sub, permissions } = current ? claims(current.token) : {}
    return devSession({ subject: sub, permissions })
  }
  const oidc = await import('./oidc')
  if (current?.refresh) {
    const renewed = await oidc.renew(c, current.refresh).catch((e: unknown) => {
      // nothing came back: the session may well go on when the issuer is there again
      if (e instanceof TypeError) throw new ApiError(0, 'unreachable', 'The issuer cannot be reached.', e)
    })
    if (renewed) return renewed
  }
  keep(undefined)
  await oidc.signIn(c) // leaves the page
  return new Promise<never>(() => {})
}

function renew(): Promise<Session> {
  pending ??= obtain()
    .then((s) => {
      keep(s)
      return s
    })
    .finally(() => (pending = undefined))
  return pending
}

setTokenSource({
  async token() {
    if (current && isFresh(current)) return current.token
    return (await renew()).token
  },
  async refresh(stale) {
    if (current && current.token !== stale) return true
    await renew()
    return true
  },
})

/** Ends the way back from the issuer; gives the address to go on at. */
export async function finishSignIn(): Promise<string> {
  const oidc = await import('./oidc')
  const { session, returnTo } = await oidc.finish(await getConfig())
  keep(session)
  return returnTo
}

/** Dev mode: works on as somebody else. Everything is read anew. */
export async function switchUser(subject: string, permissions?: string[]) {
  keep(await devSession({ subject, permissions }))
  location.assign('/')
}

export async function signOut() {
  const c = await getConfig()
  keep(undefined)
  forgetDrafts() // whoever sits here next is somebody else
  if (c.mode === 'oidc') await (await import('./oidc')).signOut(c)
  else location.assign('/')
}
