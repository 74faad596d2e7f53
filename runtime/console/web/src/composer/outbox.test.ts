import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api, ApiError } from '@/api/client'
import { q, queryClient } from '@/api/queries'
import type { Message, Queued } from '@/api/types'
import { hearMessage, inOrder } from '@/inbox/messages'
import { draftID, drafts } from './drafts'
import { outbox, unseen, type Sending } from './outbox'

vi.mock('@/ui/toast', () => ({ toast: vi.fn(), toastError: vi.fn() }))

interface Call {
  key: string
  text: string
  answer(q: Queued): void
  refuse(e: unknown): void
}

let calls: Call[]
let n = 0
let thread: string
const id = () => draftID('support', thread, 'reply')

const message = (over: Partial<Message> = {}) =>
  ({
    id: 'm' + ++n,
    thread_id: thread,
    seq: n,
    direction: 'outbound',
    text: 'hi',
    author: { kind: 'agent', id: 'soag_1', name: 'Alice' },
    attachments: [],
    ...over,
  }) as Message

const lost = () => new ApiError(0, 'unreachable', 'The server cannot be reached.')
const send = (text = 'hi') => outbox.send('support', thread, 'reply', text, 0)
const turn = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
  thread = 't' + ++n
  calls = []
  vi.spyOn(api, 'post').mockImplementation((_path, body, headers) => {
    const key = headers?.['Idempotency-Key'] ?? ''
    return new Promise<never>((resolve, reject) =>
      calls.push({
        key,
        text: (body as { text: string }).text,
        answer: (q) => resolve(q as never),
        refuse: reject,
      }),
    )
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('outbox', () => {
  it('shows what is on its way, until it is there', async () => {
    const done = send()
    await turn()
    expect(outbox.of('support', thread).map((s) => [s.text, s.state])).toEqual([['hi', 'sending']])
    expect(drafts.get(id())?.text).toBe('')
    calls[0]?.answer({ message: message() })
    expect(await done).toBe(true)
    expect(outbox.of('support', thread)).toEqual([])
    expect(drafts.get(id())).toBeUndefined()
  })

  it('asks again with the same key when no answer came', async () => {
    const done = send()
    await turn()
    calls[0]?.refuse(lost())
    await turn()
    expect(outbox.of('support', thread)[0]?.state).toBe('waiting')
    await vi.advanceTimersByTimeAsync(20_000)
    expect(calls).toHaveLength(2)
    expect(calls[1]?.key).toBe(calls[0]?.key)
    expect(calls[0]?.key).not.toBe('')
    calls[1]?.answer({ message: message() })
    expect(await done).toBe(true)
  })

  it('leaves the message as the stream told it, which may be before the answer or between two attempts', async () => {
    const { queryKey } = q.messages('support', thread)
    const pagination = { page: 1, limit: 40, next_cursor: null, has_more: false }
    queryClient.setQueryData(queryKey, { pages: [{ data: [], pagination }], pageParams: [null] })
    const m = message({ delivery: { action_id: 'a', status: 'pending', attempts: 0, error: '' } })
    void send()
    await turn()
    hearMessage('support', { ...m, delivery: { action_id: 'a', status: 'failed', attempts: 1, error: 'on fire' } })
    calls[0]?.refuse(lost())
    await vi.advanceTimersByTimeAsync(20_000)
    calls[1]?.answer({ message: m })
    await turn()
    expect(inOrder(queryClient.getQueryData(queryKey)).map((x) => x.delivery?.error)).toEqual(['on fire'])
  })

  it('asks again at once when told to', async () => {
    void send()
    await turn()
    calls[0]?.refuse(lost())
    await turn()
    outbox.retry(calls[0]?.key ?? '')
    await turn()
    expect(calls).toHaveLength(2)
    calls[1]?.answer({ message: message() })
    await turn()
  })

  it.each([
    ['403', new ApiError(403, 'forbidden', 'You may not.')],
    ['422', new ApiError(422, 'invalid', 'Too long.')],
  ])('gives the text back when it is refused: %s', async (_, why) => {
    const done = send('my words')
    await turn()
    calls[0]?.refuse(why)
    expect(await done).toBe(false)
    expect(outbox.of('support', thread)).toEqual([])
    expect(drafts.get(id())?.text).toBe('my words')
    expect(outbox.refusal(id())?.error).toBe(why)
    outbox.forgive(id())
    expect(outbox.refusal(id())).toBeUndefined()
  })

  it('loses nothing that was written meanwhile', async () => {
    const done = send('first')
    await turn()
    drafts.set(id(), { ...drafts.get(id()), text: 'second' })
    calls[0]?.refuse(new ApiError(422, 'invalid', 'No.'))
    await done
    expect(drafts.get(id())?.text).toBe('first\n\nsecond')
  })

  it('sends one after the other, in the order of writing', async () => {
    void send('one')
    void send('two')
    await turn()
    expect(calls.map((c) => c.text)).toEqual(['one'])
    calls[0]?.answer({ message: message({ text: 'one' }) })
    await turn()
    expect(calls.map((c) => c.text)).toEqual(['one', 'two'])
    expect(calls[1]?.key).not.toBe(calls[0]?.key)
    calls[1]?.answer({ message: message({ text: 'two' }) })
    await turn()
  })

  it('gives each text a key of its own, and the same text its key while nobody knows what became of it', async () => {
    drafts.set(id(), { text: 'hi', attempt: { key: 'old', text: 'hi' } }) // from before a reload
    void send('hi')
    await turn()
    expect(calls[0]?.key).toBe('old')
    calls[0]?.answer({ message: message() })
    await turn()
    drafts.set(id(), { text: 'changed', attempt: { key: 'older', text: 'hi' } })
    void send('changed')
    await turn()
    expect(calls[1]?.key).not.toBe('older')
    calls[1]?.answer({ message: message({ text: 'changed' }) })
    await turn()
  })

  it('is deaf to a second press', async () => {
    drafts.set(id(), { text: 'hi', attempt: { key: 'same', text: 'hi' } })
    void send()
    expect(await send()).toBe(false)
    await turn()
    expect(calls).toHaveLength(1)
    calls[0]?.answer({ message: message() })
    await turn()
  })
})

describe('unseen', () => {
  const going = (over: Partial<Sending> = {}): Sending => ({
    alias: 'support',
    thread: 't',
    kind: 'reply',
    text: 'hi',
    key: 'k' + ++n,
    at: '',
    state: 'sending',
    after: 10,
    ...over,
  })
  const texts = (s: Sending[], m: Message[], me: string | undefined = 'soag_1') => unseen(s, m, me).length

  it('leaves out what the stream told of before the call was answered', () => {
    expect(texts([going()], [message({ seq: 11 })])).toBe(0)
  })
  it.each([
    ['an equal one from before', message({ seq: 10 })],
    ['another’s', message({ seq: 11, author: { kind: 'agent', id: 'soag_2', name: 'Bob' } })],
    ['a note', message({ seq: 11, direction: 'internal' })],
    ['another text', message({ seq: 11, text: 'ho' })],
    ['the contact’s', message({ seq: 11, direction: 'inbound', author: { kind: 'contact', name: 'Jane' } })],
  ])('keeps it beside %s', (_, m) => expect(texts([going()], [m])).toBe(1))
  it('takes each message for one of two equal texts', () => {
    expect(texts([going(), going()], [message({ seq: 11 })])).toBe(1)
    expect(texts([going(), going()], [message({ seq: 12 }), message({ seq: 11 })])).toBe(0)
  })
})
