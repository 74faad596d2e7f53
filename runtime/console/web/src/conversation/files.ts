// Files of messages, fetched with the reader's token: an address alone opens none of them.
import { useEffect, useState } from 'react'
import { ApiError, failure, request } from '@/api/client'
import type { Attachment } from '@/api/types'

/** Pictures that can't run anything, as runtime/rest/attachments.go serves them to be shown. */
const pictures = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'])
export const isPicture = (a: Attachment) =>
  pictures.has(a.mime_type.split(';')[0]?.trim().toLowerCase() ?? '') && (a.state === 'stored' || a.state === 'remote')

const tries = 8 // for the worker to fetch a file from the provider
const kept = 40 // pictures in memory

async function fetchFile(alias: string, id: string, signal?: AbortSignal): Promise<Blob> {
  for (let n = 0; ; n++) {
    const res = await request('GET', `/${alias}/attachments/${id}`, { headers: { Accept: '*/*' }, signal })
    if (!res.ok) throw await failure(res)
    if (res.status !== 202) return res.blob()
    await res.body?.cancel()
    if (n >= tries) throw new ApiError(202, 'pending', 'The provider has not handed it out yet. Try again later.')
    const seconds = Number(res.headers.get('Retry-After')) || 1
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000 * Math.min(4, 1 + n / 2)))
    signal?.throwIfAborted()
  }
}

interface Picture {
  url: string
  users: number
}

const loaded = new Map<string, Picture>()
const loading = new Map<string, Promise<Picture>>()

/** Lets go of the pictures that were used longest ago, unless they are shown. */
function sweep() {
  for (const [key, p] of loaded) {
    if (loaded.size <= kept) return
    if (p.users > 0) continue
    URL.revokeObjectURL(p.url)
    loaded.delete(key)
  }
}

function load(alias: string, id: string): Promise<Picture> {
  const key = alias + '/' + id
  let p = loading.get(key)
  if (!p) {
    p = fetchFile(alias, id)
      .then((blob) => {
        const picture = { url: URL.createObjectURL(blob), users: 0 }
        loaded.set(key, picture)
        sweep()
        return picture
      })
      .finally(() => loading.delete(key))
    loading.set(key, p)
  }
  return p
}

/** A picture as a blob: address, once it is wanted. */
export function usePicture(alias: string, id: string, wanted: boolean) {
  const key = alias + '/' + id
  const [url, setURL] = useState(() => loaded.get(key)?.url)
  const [error, setError] = useState<unknown>()
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    if (!wanted) return
    let picture: Picture | undefined
    let gone = false
    const take = (p: Picture) => {
      if (gone) return
      picture = p
      p.users++
      setURL(p.url)
      setError(undefined)
    }
    const there = loaded.get(key)
    if (there) {
      loaded.delete(key)
      loaded.set(key, there) // the map's order is by use
      take(there)
    } else load(alias, id).then(take, (e: unknown) => !gone && setError(e))
    return () => {
      gone = true
      if (picture) picture.users--
    }
  }, [alias, id, key, wanted, attempt])
  return { url, error, retry: () => setAttempt((n) => n + 1) }
}

/** Has the browser keep a file. */
export async function download(alias: string, a: Attachment, unnamed: string) {
  const url = URL.createObjectURL(await fetchFile(alias, a.id))
  const link = document.createElement('a')
  link.href = url
  link.download = a.name || unnamed
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 30_000)
}
