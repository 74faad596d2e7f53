import { expect, it } from 'vitest'
import { answerText, threadOf } from './answer'

it.each([
  [{ status: 'accepted' }, '{\n  "status": "accepted"\n}'],
  ['{"status":"accepted"}', '{\n  "status": "accepted"\n}'],
  ['<h1>Bad gateway</h1>', '<h1>Bad gateway</h1>'],
  [undefined, ''],
  ['', ''],
])('%j is told as %j', (answer, text) => {
  expect(answerText(answer)).toBe(text)
})

it.each([
  [{ thread_id: 'soth_01kc0w3v2pf0bvd9m4v9wq7x5e' }, 'soth_01kc0w3v2pf0bvd9m4v9wq7x5e'],
  ['{"thread_id":"soth_1"}', 'soth_1'],
  [{ thread_id: '../channels' }, undefined],
  [{ thread_id: 7 }, undefined],
  [null, undefined],
  ['no', undefined],
])('%j leads to %s', (answer, id) => {
  expect(threadOf(answer)).toBe(id)
})
