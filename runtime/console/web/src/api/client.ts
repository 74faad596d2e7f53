import { takeAhead } from './ahead'
import type { Read } from './reads'
import type { Page } from './types'

export const base = '/console/socialops'

/** An answer that is not a success, in the API's own words. Status 0: nothing came back. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details?: unknown,
    readonly retryAfter?: number,
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

/** Where tokens come from: app/session.ts sets it at start. */
export interface TokenSource {
  token(): Promise<string>
  /** Called once when a call was answered 401; true when a new token is there. */
  refresh(stale: string): Promise<boolean>
}

let source: TokenSource | undefined
export const setTokenSource = (s: TokenSource) => (source = s)

export type Query = Record<string, string | number | boolean | string[] | undefined | null>

export function queryString(query?: Query): string {
  const p = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === null || value === '') continue
    for (const v of Array.isArray(value) ? value : [value]) p.append(name, String(v))
  }
  const s = p.toString()
  return s && '?' + s
}

export interface Options {
  query?: Query
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

const unreachable = (cause: unknown) =>
  new ApiError(
    0,
    'unreachable',
    navigator.onLine === false ? 'You are offline.' : 'The server cannot be reached.',
    cause,
  )

/** One call, with a token or without. */
export function send(method: string, address: string, token: string, o: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...o.headers }
  if (token) headers.Authorization = 'Bearer ' + token
  if (o.body !== undefined) headers['Content-Type'] = 'application/json'
  return fetch(base + address, {
    method,
    headers,
    body: o.body === undefined ? undefined : JSON.stringify(o.body),
    signal: o.signal,
    cache: 'no-store',
  })
}

/** The raw answer to an authorised call, whatever its status. A 401 is tried again with a new token. */
export async function request(method: string, path: string, o: Options = {}): Promise<Response> {
  const address = path + queryString(o.query)
  const early = method === 'GET' && (await takeAhead(address))
  if (early) return early
  for (let attempt = 0; ; attempt++) {
    const token = source ? await source.token() : ''
    let res: Response
    try {
      res = await send(method, address, token, o)
    } catch (e) {
      if (o.signal?.aborted) throw e
      throw unreachable(e)
    }
    if (res.status === 401 && attempt === 0 && source && (await source.refresh(token))) continue
    return res
  }
}

export async function failure(res: Response): Promise<ApiError> {
  let code = 'http_' + res.status
  let message = res.statusText || `HTTP ${res.status}`
  let details: unknown
  try {
    const { error } = (await res.json()) as { error?: { code: string; message: string; details?: unknown } }
    if (error?.message) {
      code = error.code
      message = error.message
      details = error.details
    }
  } catch {
    // not ours: a proxy's page; its status has to do
  }
  const after = Number(res.headers.get('Retry-After'))
  return new ApiError(res.status, code, message, details, after > 0 ? after : undefined)
}

async function json<T>(method: string, path: string, o?: Options): Promise<T> {
  const res = await request(method, path, o)
  if (!res.ok) throw await failure(res)
  if (res.status === 204) return undefined as T
  return (await res.json()) as T
}

const data = async <T>(method: string, path: string, o?: Options) => (await json<{ data: T }>(method, path, o))?.data

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) => data<T>('GET', path, { query, signal }),
  list: <T>(path: string, query?: Query, signal?: AbortSignal) => json<Page<T>>('GET', path, { query, signal }),
  read: <T>({ path, query }: Read) => data<T>('GET', path, { query }),
  readList: <T>({ path, query }: Read, signal?: AbortSignal) => json<Page<T>>('GET', path, { query, signal }),
  post: <T>(path: string, body?: unknown, headers?: Record<string, string>) => data<T>('POST', path, { body, headers }),
  patch: <T>(path: string, body: unknown) => data<T>('PATCH', path, { body }),
  put: <T>(path: string, body: unknown) => data<T>('PUT', path, { body }),
  delete: <T = void>(path: string) => data<T>('DELETE', path),
}
