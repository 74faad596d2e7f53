import { describe, expect, it } from 'vitest'
import { apiQuery, countQuery, formatFilter, matches, parseFilter, type Filter } from './filter'
import { thread } from './fixtures'

describe('the filter in the address', () => {
  it.each<[string, string]>([
    ['', ''],
    ['?status=', ''],
    ['?status=pending,open', '?status=open,pending'],
    ['?status=open,nonsense,<script>', '?status=open'],
    ['?priority=urgent&label=billing', '?priority=urgent&label=billing'],
    ['?label=billing&priority=urgent', '?priority=urgent&label=billing'],
    ['?priority=enormous', ''],
    ['?assignee=sub:alice%40example.com', '?assignee=sub:alice%40example.com'],
    ['?assignee=me', '?assignee=me'],
    ['?q=%20two%20words%20', '?q=two+words'],
    ['?q=a%26b%3Dc%23d', '?q=a%26b%3Dc%23d'],
    ['?unknown=1', ''],
  ])('%s is written %s', (from, to) => {
    expect(formatFilter(parseFilter(from))).toBe(to)
    expect(formatFilter(parseFilter(to))).toBe(to)
  })
})

describe('what the server is asked', () => {
  it('names the reader', () => {
    expect(apiQuery({ status: [], assignee: 'me' }, 'alice')).toMatchObject({
      assignee: 'sub:alice',
      status: undefined,
    })
  })
  it('counts what an empty status means', () => {
    expect(countQuery({ status: [], assignee: 'none' }, 'alice')).toBe('status=open%2Cpending&assignee=none')
  })
})

describe('matches', () => {
  const alice = { id: 'soag_1', subject: 'alice', name: 'Alice' }
  it.each<[string, Filter, Parameters<typeof thread>[1], boolean]>([
    ['open belongs to all that is to do', { status: [] }, {}, true],
    ['resolved does not', { status: [] }, { status: 'resolved' }, false],
    ['a status that is asked for', { status: ['resolved'] }, { status: 'resolved' }, true],
    ['another priority', { status: [], priority: 'high' }, {}, false],
    ['another provider', { status: [], provider: 'github' }, {}, false],
    ['a label among others', { status: [], label: 'b' }, { labels: ['a', 'b'] }, true],
    ['a label that is missing', { status: [], label: 'b' }, { labels: ['a'] }, false],
    ['nobody', { status: [], assignee: 'none' }, {}, true],
    ['somebody is not nobody', { status: [], assignee: 'none' }, { assignee: alice }, false],
    ['me', { status: [], assignee: 'me' }, { assignee: alice }, true],
    ['not me', { status: [], assignee: 'me' }, { assignee: { ...alice, subject: 'bob' } }, false],
    ['by id', { status: [], assignee: 'soag_1' }, { assignee: alice }, true],
    ['by subject', { status: [], assignee: 'sub:bob' }, { assignee: alice }, false],
  ])('%s', (_, filter, o, want) => expect(matches(filter, thread(1, o), 'alice')).toBe(want))
})
