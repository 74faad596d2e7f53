import { describe, expect, it } from 'vitest'
import { ApiError } from '@/api/client'
import { place } from './errors'
import { split } from './split'

describe('split', () => {
  it.each([
    ['{actor} resolved {thread}', [{ name: 'actor' }, { text: ' resolved ' }, { name: 'thread' }]],
    ['plain', [{ text: 'plain' }]],
    ['', []],
    ['{a}{b}.', [{ name: 'a' }, { name: 'b' }, { text: '.' }]],
    ['{not a name}', [{ text: '{not a name}' }]],
  ])('%s', (text, pieces) => {
    expect(split(text)).toEqual(pieces)
  })
})

describe('place', () => {
  const known = ['name', 'text']
  const refused = (message: string, details?: unknown) => new ApiError(422, 'unprocessed', message, details)

  it('puts details beside their fields', () => {
    const error = refused('two fields', [
      { location: 'body.name', message: 'is taken' },
      { location: 'body.text', message: 'is empty' },
    ])
    expect(place(error, known)).toEqual({ fields: { name: 'is taken', text: 'is empty' } })
  })
  it('keeps what no field shows', () => {
    const error = refused('two fields', [
      { location: 'body.name', message: 'is taken' },
      { location: 'body.other', message: 'is unknown' },
    ])
    expect(place(error, known)).toEqual({ fields: { name: 'is taken' }, note: error })
  })
  it('reads a field from the message', () => {
    expect(place(refused('body.name: is taken: use another'), known)).toEqual({
      fields: { name: 'is taken: use another' },
    })
  })
  it('leaves a field that the form lacks in the note', () => {
    const error = refused('body.other: is unknown')
    expect(place(error, known)).toEqual({ fields: {}, note: error })
  })
  it.each([[undefined], ['text'], [[null, 1, { location: 2 }]], [{}]])('takes %j for no details', (details) => {
    const error = refused('no', details)
    expect(place(error, known)).toEqual({ fields: {}, note: error })
  })
  it('passes on what is no answer', () => {
    const error = new Error('lost')
    expect(place(error, known)).toEqual({ fields: {}, note: error })
  })
})
