import { describe, expect, it } from 'vitest'
import { Heard, withHeard } from './heard'
import type { Message, Page } from './types'

const message = (seq: number, o: Partial<Message> = {}) =>
  ({ id: 'm' + seq, thread_id: 't', seq, text: 'text ' + seq, ...o }) as Message
const page = (...data: Message[]): Page<Message> => ({
  data,
  pagination: { page: 1, limit: 40, next_cursor: null, has_more: false },
})

function clock() {
  let now = 0
  const heard = new Heard<Message>(() => now)
  return { heard, at: (ms: number) => (now = ms) }
}

describe('Heard', () => {
  it('tells what came since a call was asked, and nothing before', () => {
    const { heard, at } = clock()
    at(10)
    heard.note('m1', message(1))
    expect(heard.since('m1', 10)?.value?.seq).toBe(1)
    expect(heard.since('m1', 11)).toBeUndefined()
    expect(heard.since('m2', 0)).toBeUndefined()
  })

  it('tells what is gone', () => {
    const { heard } = clock()
    heard.note('m1', message(1))
    heard.note('m1', undefined)
    expect(heard.since('m1', 0)).toMatchObject({ value: undefined })
    expect(heard.all(0)).toEqual([])
  })

  it('forgets what no call can be waiting for', () => {
    const { heard, at } = clock()
    heard.note('m1', message(1))
    heard.note('m2', message(2))
    at(60_000)
    heard.note('m2', message(2))
    at(121_000)
    heard.note('m3', message(3))
    expect(heard.all(0).map((m) => m.id)).toEqual(['m2', 'm3'])
  })
})

describe('a page of messages', () => {
  const cases: {
    name: string
    told: (Message | string)[]
    before?: (Message | string)[]
    page: Message[]
    newest?: boolean
    want: string[]
  }[] = [
    { name: 'nothing was told', told: [], page: [message(2), message(1)], want: ['text 2', 'text 1'] },
    {
      name: 'one changed since',
      told: [message(1, { text: 'edited' })],
      page: [message(2), message(1)],
      want: ['text 2', 'edited'],
    },
    {
      name: 'one changed before, so the page knows',
      before: [message(1, { text: 'edited' })],
      told: [],
      page: [message(1)],
      want: ['text 1'],
    },
    { name: 'one is gone since', told: ['m1'], page: [message(2), message(1)], want: ['text 2'] },
    {
      name: 'two came since',
      told: [message(3), message(4)],
      page: [message(2)],
      want: ['text 4', 'text 3', 'text 2'],
    },
    { name: 'the first of all came since', told: [message(1)], page: [], want: ['text 1'] },
    {
      name: 'one came since, and this page is further back',
      told: [message(3)],
      newest: false,
      page: [message(1)],
      want: ['text 1'],
    },
    {
      name: 'one of another thread came since',
      told: [message(3, { thread_id: 'other' })],
      page: [message(1)],
      want: ['text 1'],
    },
    {
      name: 'an old one that is on no page changed since',
      told: [message(1, { text: 'edited' })],
      page: [message(3), message(2)],
      want: ['text 3', 'text 2'],
    },
  ]
  it.each(cases)('$name', ({ told, before = [], page: read, newest = true, want }) => {
    const { heard, at } = clock()
    const note = (x: Message | string) => (typeof x === 'string' ? heard.note(x, undefined) : heard.note(x.id, x))
    before.forEach(note)
    at(100)
    told.forEach(note)
    expect(withHeard(page(...read), 't', 50, newest, heard).data.map((m) => m.text)).toEqual(want)
  })
})
