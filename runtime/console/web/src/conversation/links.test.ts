import { describe, expect, it } from 'vitest'
import { linkPieces, safeURL } from './links'

const urls = (text: string) => linkPieces(text).flatMap((p) => ('url' in p ? [p.url] : []))

describe('linkPieces', () => {
  it.each([
    ['nothing here', []],
    ['see https://a.example/x.', ['https://a.example/x']],
    ['(https://a.example/x_(y))', ['https://a.example/x_(y)']],
    ['HTTP://A.example and http://b.example:81/?q=1&r=2#f', ['HTTP://A.example', 'http://b.example:81/?q=1&r=2#f']],
    ['https://example.com/"onmouseover="alert(4)', ['https://example.com/']],
    ['javascript:alert(1) data:text/html,x ftp://a.example', []],
    ['[x](javascript:alert(6)) [y](https://a.example)', ['https://a.example']],
    ['https:// http://', []],
    ['<https://a.example>', ['https://a.example']],
    ['xhttps://a.example', []],
  ])('%s', (text, want) => {
    expect(urls(text)).toEqual(want)
    expect(
      linkPieces(text)
        .map((p) => p.text)
        .join(''),
    ).toBe(text)
  })
})

describe('safeURL', () => {
  it.each([
    ['https://a.example/b', true],
    ['javascript:alert(1)', false],
    [' https://a.example', false],
    ['//a.example', false],
    ['https://', false],
    ['', false],
    [undefined, false],
  ])('%s', (url, want) => expect(safeURL(url) !== undefined).toBe(want))
})
