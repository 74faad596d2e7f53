import { describe, expect, it } from 'vitest'
import type { InboxThread } from '@/api/types'
import type { Filter } from './filter'
import { at, server, thread } from './fixtures'
import { ThreadList } from './list'
import { Threads } from './threads'

const descending = (n: number) => Array.from({ length: n }, (_, i) => thread(n - i))

async function open(threads: InboxThread[], filter: Filter = { status: [] }) {
  const store = new Threads()
  const s = server(threads)
  const list = new ThreadList(filter, store, s.fetch, () => 'alice')
  list.reader.shown = true
  await list.refresh()
  const numbers = () => list.ids().map((id) => Number(id.slice(1)))
  const event = (t: InboxThread, own = false) => {
    store.hear(t)
    list.place(t, own)
  }
  return { list, store, calls: s.calls, numbers, event }
}

/** A list whose reading is under way: what the server read is on its way to it. */
function reading(read: InboxThread[]) {
  const store = new Threads()
  let land: () => void = () => {}
  const s = server(read)
  const fetch = async (cursor: string | null, limit: number) => {
    const page = await s.fetch(cursor, limit)
    await new Promise<void>((done) => (land = done))
    return page
  }
  const list = new ThreadList({ status: ['open'] }, store, fetch, () => 'alice')
  list.reader.shown = true
  const done = list.refresh()
  return {
    list,
    store,
    hear: (t: InboxThread) => {
      store.hear(t)
      list.place(t, false)
    },
    landed: async () => {
      await settled()
      land()
      await done
      return list.ids().map((id) => Number(id.slice(1)))
    },
  }
}

const settled = () => new Promise((done) => setTimeout(done))

describe('a list at the top', () => {
  it('takes in what is new, and moves up what is written to', async () => {
    const { numbers, event } = await open(descending(3))
    event(thread(4))
    expect(numbers()).toEqual([4, 3, 2, 1])
    event(thread(1, { last_message_at: at(9) }))
    expect(numbers()).toEqual([1, 4, 3, 2])
  })

  it('lets go what no longer belongs', async () => {
    const { numbers, event } = await open(descending(3))
    event(thread(2, { status: 'resolved' }))
    expect(numbers()).toEqual([3, 1])
  })

  it('keeps the one that is open where it is, until it is left', async () => {
    const { list, numbers, event } = await open(descending(3))
    list.sticky = thread(2).id
    event(thread(2, { last_message_at: at(9) }))
    expect(numbers()).toEqual([3, 2, 1])
    event(thread(2, { status: 'resolved', last_message_at: at(9) }), true)
    expect(numbers()).toEqual([3, 2, 1])
    list.leave(thread(2).id)
    expect(numbers()).toEqual([3, 1])
  })

  it('orders threads of the same time by id, as the server does', async () => {
    const { numbers, event } = await open([
      thread(5, { last_message_at: at(1) }),
      thread(3, { last_message_at: at(1) }),
    ])
    event(thread(4, { last_message_at: at(1) }))
    expect(numbers()).toEqual([5, 4, 3])
  })
})

describe('a list whose reader is further down', () => {
  const down = async (n = 3) => {
    const o = await open(descending(n))
    o.list.reader.atTop = false
    return o
  }

  it('moves nothing, and counts what is new', async () => {
    const { list, numbers, event } = await down()
    event(thread(4))
    event(thread(1, { last_message_at: at(9) }))
    event(thread(2, { status: 'resolved' }))
    expect(numbers()).toEqual([3, 2, 1])
    expect(list.fresh).toBe(2)
    list.showFresh()
    expect(numbers()).toEqual([1, 4, 3, 2])
    expect(list.fresh).toBe(0)
  })

  it('counts a thread once, and not at all when it goes again', async () => {
    const { list, event } = await down()
    event(thread(4))
    event(thread(4, { last_message_at: at(8) }))
    expect(list.fresh).toBe(1)
    event(thread(4, { status: 'archived' }))
    expect(list.fresh).toBe(0)
  })

  it('follows the reader’s own changes', async () => {
    const { numbers, event } = await down()
    event(thread(2, { status: 'resolved' }), true)
    expect(numbers()).toEqual([3, 1])
    event(thread(2), true)
    expect(numbers()).toEqual([3, 2, 1])
  })

  it('leaves to its page what belongs beyond what was read', async () => {
    const { list, numbers, event } = await down(120)
    event(thread(0), false)
    expect(list.fresh).toBe(0)
    expect(numbers()).toHaveLength(50)
  })

  it('only tells of what is new when it is read again', async () => {
    const threads = descending(3)
    const { list, numbers } = await open(threads)
    list.reader.atTop = false
    threads.unshift(thread(7))
    await list.refresh()
    expect(numbers()).toEqual([3, 2, 1])
    expect(list.fresh).toBe(1)
  })
})

describe('a list that is read again after a gap', () => {
  it('has what is in sight as it is now, and the rest when it is scrolled to', async () => {
    const threads = descending(400)
    const { list, store } = await open(threads)
    for (const row of [0, 40, 140, 240, 340]) {
      list.ensure(row, row + 10)
      await settled()
    }
    list.reader.atTop = false
    list.ensure(60, 70)
    threads.forEach((t, i) => (threads[i] = { ...t, priority: 'high' }))
    await list.refresh()
    await settled()
    expect(list.length).toBe(400)
    expect(store.get(list.idAt(65) ?? '')?.priority).toBe('high')
    expect(list.idAt(360)).toBeUndefined()
    list.ensure(355, 365)
    await settled()
    expect(store.get(list.idAt(360) ?? '')?.priority).toBe('high')
  })
})

describe('a long list', () => {
  const scroll = async (list: ThreadList, to: number) => {
    for (let row = 0; row < to; row = Math.min(row + 40, list.length)) {
      list.ensure(row, row + 10)
      await settled()
      if (row >= list.length) return
    }
  }

  it('is read to its end, each thread once, and holds a few pages only', async () => {
    const { list, calls } = await open(descending(5000))
    await scroll(list, 4990)
    expect(list.length).toBe(5000)
    expect(list.hasMore).toBe(false)
    expect(calls).toHaveLength(51)
    expect(list.ids().length).toBeLessThan(2000)
    expect(list.idAt(4999)).toBe(thread(1).id)
  })

  it('reads again what it forgot', async () => {
    const { list, store } = await open(descending(5000))
    await scroll(list, 4990)
    store.sweep((id) => list.indexOf(id) >= 0)
    expect(list.idAt(1000)).toBeUndefined()
    list.ensure(1000, 1010)
    await settled()
    expect(list.idAt(1000)).toBe(thread(4000).id)
    expect(list.length).toBe(5000)
  })

  it('tells that reading failed, and goes on when asked', async () => {
    const { list } = await open(descending(200))
    const store = new Threads()
    const s = server(descending(200))
    let broken = true
    const other = new ThreadList(
      { status: [] },
      store,
      (cursor, limit) => (cursor && broken ? Promise.reject(new Error('cut')) : s.fetch(cursor, limit)),
      () => 'alice',
    )
    await other.refresh()
    other.ensure(0, 20)
    await settled()
    expect(String(other.error)).toContain('cut')
    broken = false
    other.retry()
    await settled()
    expect(other.length).toBe(150)
    expect(list.length).toBe(50)
  })
})

describe('what the stream tells while a page is on its way', () => {
  it('is newer than the page: a thread that came', async () => {
    const r = reading(descending(2))
    r.hear(thread(3))
    expect(await r.landed()).toEqual([3, 2, 1])
  })

  it('is newer than the page: a thread that was written to', async () => {
    const r = reading(descending(3))
    r.hear(thread(1, { last_message_at: at(9), unread_count: 1 }))
    expect(await r.landed()).toEqual([1, 3, 2])
    expect(r.store.get(thread(1).id)?.unread_count).toBe(1)
  })

  it('is newer than the page: a thread that no longer belongs', async () => {
    const r = reading(descending(2))
    r.hear(thread(2, { status: 'resolved' }))
    expect(await r.landed()).toEqual([1])
  })

  it('is newer than the page: a thread that is gone', async () => {
    const r = reading(descending(2))
    r.store.hearGone(thread(2).id)
    r.list.remove(thread(2).id)
    expect(await r.landed()).toEqual([1])
    expect(r.store.get(thread(2).id)).toBeUndefined()
  })

  it('is taken in by a list that is read again once it is there', async () => {
    const r = reading(descending(2))
    const again = r.list.refreshAgain()
    expect(await r.landed()).toEqual([2, 1])
    await settled()
    expect(r.list.refreshing).toBe(true)
    void again
  })
})
