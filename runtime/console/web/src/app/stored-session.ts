export interface Session {
  token: string
  expires?: number // ms
  refresh?: string
}

export const tokenKey = 'socialops.token'
export const restKey = 'socialops.session'

const soon = 30_000

/** Whether its token holds for some time yet, as far as is known. */
export const isFresh = (s: Session) => !(s.expires && s.expires - Date.now() < soon)

/** The session that this tab had before it was loaded anew. */
export function storedSession(): Session | undefined {
  const token = sessionStorage.getItem(tokenKey)
  if (!token) return undefined
  try {
    const rest = JSON.parse(sessionStorage.getItem(restKey) ?? '{}') as Session
    if (rest.token === token) return rest
  } catch {
    // written by somebody else: the token alone will do
  }
  return { token }
}
