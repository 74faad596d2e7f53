// The authorization-code flow with PKCE. Loaded only when an issuer signs users in.
import * as oauth from 'oauth4webapi'
import type { Config } from '@/api/types'

interface Session {
  token: string
  expires?: number
  refresh?: string
}

const stateKey = 'socialops.signin'
const redirectURI = () => location.origin + '/callback'

/** An issuer on this very machine may speak plain HTTP, as dev clusters' do. */
const options = (issuer: string) =>
  /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/.test(issuer) ? { [oauth.allowInsecureRequests]: true } : {}

function need(c: Config) {
  if (!c.oidc) throw new Error('The server names no issuer to sign in with.')
  return c.oidc
}

async function discover(issuer: string) {
  const url = new URL(issuer)
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options(issuer)))
}

export async function signIn(c: Config) {
  const { issuer, client_id, scopes } = need(c)
  const as = await discover(issuer)
  if (!as.authorization_endpoint) throw new Error(`The issuer ${issuer} has no authorization endpoint.`)
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const here = location.pathname === '/callback' ? '/' : location.pathname + location.search
  sessionStorage.setItem(stateKey, JSON.stringify({ verifier, state, returnTo: here }))
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    ...Object.fromEntries(url.searchParams),
    client_id,
    redirect_uri: redirectURI(),
    response_type: 'code',
    scope: scopes,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
  }).toString()
  location.assign(url)
}

export async function finish(c: Config): Promise<{ session: Session; returnTo: string }> {
  const { issuer, client_id } = need(c)
  const saved = JSON.parse(sessionStorage.getItem(stateKey) ?? 'null') as {
    verifier: string
    state: string
    returnTo: string
  } | null
  if (!saved) throw new Error('This sign-in was not begun in this tab. Open the console again.')
  const as = await discover(issuer)
  const client: oauth.Client = { client_id }
  const params = oauth.validateAuthResponse(as, client, new URL(location.href), saved.state)
  const res = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    oauth.None(),
    params,
    redirectURI(),
    saved.verifier,
    options(issuer),
  )
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, res)
  sessionStorage.removeItem(stateKey)
  return { session: session(tokens), returnTo: saved.returnTo }
}

export async function renew(c: Config, refresh: string): Promise<Session> {
  const { issuer, client_id } = need(c)
  const as = await discover(issuer)
  const client: oauth.Client = { client_id }
  const res = await oauth.refreshTokenGrantRequest(as, client, oauth.None(), refresh, options(issuer))
  const tokens = await oauth.processRefreshTokenResponse(as, client, res)
  return { refresh, ...session(tokens) }
}

export async function signOut(c: Config) {
  const { issuer, client_id } = need(c)
  const as = await discover(issuer).catch(() => undefined)
  if (!as?.end_session_endpoint) return location.assign('/')
  const url = new URL(as.end_session_endpoint)
  url.searchParams.set('client_id', client_id)
  url.searchParams.set('post_logout_redirect_uri', location.origin + '/')
  location.assign(url)
}

function session(t: oauth.TokenEndpointResponse): Session {
  const s: Session = { token: t.access_token }
  if (t.expires_in) s.expires = Date.now() + t.expires_in * 1000
  if (t.refresh_token) s.refresh = t.refresh_token
  return s
}
