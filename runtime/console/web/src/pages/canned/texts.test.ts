import { describe, expect, it } from 'vitest'
import type { CannedText } from '@/api/types'
import { find, nameProblem, textProblem } from './texts'

const text = (name: string, body: string): CannedText => ({
  id: name,
  name,
  text: body,
  updated_at: '2026-11-25T12:00:00Z',
})
const texts = [
  text('Thanks', 'Thanks, we are checking this now.'),
  text('Lösung', 'Bitte neu starten.'),
  text('About', 'We are open 9 to 5.'),
]

describe('find', () => {
  it.each([
    ['', ['About', 'Lösung', 'Thanks']],
    ['we are', ['About', 'Thanks']],
    ['CHECKING thanks', ['Thanks']],
    ['losung', ['Lösung']],
    ['.*', []],
    ['   ', ['About', 'Lösung', 'Thanks']],
  ])('%j', (search, names) => {
    expect(find(texts, search).map((t) => t.name)).toEqual(names)
  })
})

it.each([
  ['New', undefined],
  [' ', 'canned.name.missing'],
  ['Thanks ', 'canned.name.taken'],
  ['🚀'.repeat(60), undefined],
  ['🚀'.repeat(61), 'canned.name.long'],
])('the name %j: %s', (name, problem) => {
  expect(nameProblem(name, texts)).toBe(problem)
})

it.each([
  ['Hello', undefined],
  ['\n', 'canned.text.missing'],
  ['ä'.repeat(32 * 1024), undefined],
  ['ä'.repeat(32 * 1024) + '!', 'canned.text.long'],
])('checks a text', (body, problem) => {
  expect(textProblem(body)).toBe(problem)
})
