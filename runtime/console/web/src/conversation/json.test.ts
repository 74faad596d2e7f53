import { expect, it } from 'vitest'
import { indentJSON } from './json'

it.each([
  ['{"a":[1,2],"b":{}}', '{\n  "a": [\n    1,\n    2\n  ],\n  "b": {}\n}'],
  ['{"id":12345678901234567890}', '{\n  "id": 12345678901234567890\n}'],
  ['{"t":"{\\"x\\": [1]}, <b>"}', '{\n  "t": "{\\"x\\": [1]}, <b>"\n}'],
  ['[ ]', '[]'],
  ['not json', 'not json'],
  ['{"a":', '{"a":'],
  ['"text"', '"text"'],
])('%s', (text, want) => expect(indentJSON(text)).toBe(want))
