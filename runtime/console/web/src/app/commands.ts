// Everything that can be done by keyboard, in one place: shortcuts, palette and help all read from here.
import { useEffect, useRef } from 'react'
import { createStore } from './store'

export interface Command {
  id: string
  group: 'go' | 'list' | 'thread' | 'app'
  title: string
  /** Such as "e", "shift+x", "mod+k", or "g i" for one key after the other. Several are alternatives. */
  keys?: string | string[]
  run(): void
  /** Not in the palette: it makes sense by keyboard only. */
  hidden?: boolean
  /** Also while something is typed. */
  always?: boolean
}

const registered: { current: Command[] }[] = []
/** Counts changes of what there is, for those that list it. */
export const commandsVersion = createStore(0)

export const allCommands = (): Command[] => {
  const byID = new Map<string, Command>()
  for (const r of registered) for (const c of r.current) byID.set(c.id, c)
  return [...byID.values()]
}

/** Offers commands while the component is there. The latest wins where keys are the same. */
export function useCommands(commands: Command[]) {
  const ref = useRef(commands)
  useEffect(() => {
    ref.current = commands
  })
  useEffect(() => {
    registered.push(ref)
    commandsVersion.set((v) => v + 1)
    return () => {
      registered.splice(registered.indexOf(ref), 1)
      commandsVersion.set((v) => v + 1)
    }
  }, [])
}

/** A key press as commands write it. */
export function chord(e: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>): string {
  const key = e.key === ' ' ? 'space' : e.key.toLowerCase()
  const letter = /^[a-z]$/.test(key)
  return [
    (e.ctrlKey || e.metaKey) && 'mod',
    e.altKey && 'alt',
    e.shiftKey && (letter || key.length > 1) && 'shift', // "?" is a key of its own, however it is typed
    key,
  ]
    .filter(Boolean)
    .join('+')
}

const typing = (el: EventTarget | null) =>
  el instanceof HTMLElement &&
  (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName)) &&
  !(el instanceof HTMLInputElement && /^(checkbox|radio|button)$/.test(el.type))

/** Popups and dialogs have the keyboard for themselves. */
const elsewhere = (el: EventTarget | null) =>
  (el instanceof Element && el.closest('.ui-popup') !== null) || document.querySelector('.ui-dialog') !== null

let prefix = ''
let prefixTimer: ReturnType<typeof setTimeout> | undefined

export function onKeyDown(e: KeyboardEvent) {
  if (e.defaultPrevented || e.isComposing || elsewhere(e.target)) return
  const pressed = chord(e)
  const wanted = prefix ? prefix + ' ' + pressed : pressed
  prefix = ''
  clearTimeout(prefixTimer)
  const busy = typing(e.target)
  for (let i = registered.length - 1; i >= 0; i--) {
    for (const c of registered[i]?.current ?? []) {
      if (busy && !c.always) continue
      if (([] as string[]).concat(c.keys ?? []).includes(wanted)) {
        e.preventDefault()
        c.run()
        return
      }
    }
  }
  if (busy) return
  const begins = registered.some((r) =>
    r.current.some((c) => ([] as string[]).concat(c.keys ?? []).some((k) => k.startsWith(wanted + ' '))),
  )
  if (begins) {
    prefix = wanted
    prefixTimer = setTimeout(() => (prefix = ''), 1200)
  }
}
