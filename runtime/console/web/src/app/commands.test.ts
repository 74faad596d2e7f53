import { describe, expect, it } from 'vitest'
import { chord } from './commands'

const press = (key: string, o: Partial<KeyboardEvent> = {}) =>
  chord({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...o })

describe('chord', () => {
  it.each([
    ['j', {}, 'j'],
    ['X', { shiftKey: true }, 'shift+x'],
    ['?', { shiftKey: true }, '?'],
    ['k', { metaKey: true }, 'mod+k'],
    ['k', { ctrlKey: true }, 'mod+k'],
    ['Enter', { ctrlKey: true }, 'mod+enter'],
    ['ArrowDown', {}, 'arrowdown'],
    ['ArrowDown', { shiftKey: true }, 'shift+arrowdown'],
  ])('%s %o is %s', (key, o, want) => expect(press(key, o)).toBe(want))
})
