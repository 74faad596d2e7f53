import { expect, it } from 'vitest'
import { nameProblem, targetProblem } from './target'

it.each([
  ['telegram', '-1001234567890', undefined],
  ['telegram', '42', undefined],
  ['telegram', '@support', 'channels.target.telegram.wrong'],
  ['telegram', '0', 'channels.target.telegram.wrong'],
  ['telegram', '12345678901234567', 'channels.target.telegram.wrong'],
  ['telegram', '', 'channels.target.missing'],
  ['github', 'open4x/socialops', undefined],
  ['github', 'https://github.com/open4x/socialops', 'channels.target.github.wrong'],
  ['generic-webhook', 'monitoring', undefined],
  ['generic-webhook', 'a b', 'channels.target.generic.wrong'],
])('%s takes %j: %s', (provider, id, problem) => {
  expect(targetProblem(provider, id)).toBe(problem)
})

it.each([
  ['Support Telegram', undefined],
  ['<script>alert(1)</script>', undefined],
  ['   ', 'channels.name.missing'],
  ['two\nlines', 'channels.name.line'],
  ['🚀'.repeat(128), undefined],
  ['a'.repeat(129), 'channels.name.long'],
])('the name %j: %s', (name, problem) => {
  expect(nameProblem(name)).toBe(problem)
})
