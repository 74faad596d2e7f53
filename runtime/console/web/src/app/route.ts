// The addresses of the page: pure functions between URLs and routes.

export const pages = ['channels', 'keys', 'usage', 'audit', 'canned'] as const
export type PageName = (typeof pages)[number]

export type Route =
  | { page: 'home' }
  | { page: 'callback' }
  | { page: 'missing' }
  | { page: 'inbox'; alias: string; thread?: string }
  | { page: PageName; alias: string }

export function parseRoute(path: string): Route {
  const [first, alias, kind, id, ...rest] = path.split('/').filter(Boolean).map(decode)
  if (first === undefined) return { page: 'home' }
  if (first === 'callback' && alias === undefined) return { page: 'callback' }
  if (first !== 'a' || !alias || rest.length) return { page: 'missing' }
  if (kind === undefined) return { page: 'inbox', alias }
  if (kind === 't' && id) return { page: 'inbox', alias, thread: id }
  const page = pages.find((p) => p === kind)
  return page && id === undefined ? { page, alias } : { page: 'missing' }
}

function decode(s: string) {
  try {
    return decodeURIComponent(s)
  } catch {
    return s
  }
}

const e = encodeURIComponent

export const href = {
  /** search has its question mark, or is empty. */
  inbox: (alias: string, search = '') => `/a/${e(alias)}${search}`,
  thread: (alias: string, id: string, search = '') => `/a/${e(alias)}/t/${e(id)}${search}`,
  page: (alias: string, page: PageName, search = '') => `/a/${e(alias)}/${page}${search}`,
}
