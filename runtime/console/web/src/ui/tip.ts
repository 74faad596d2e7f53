// Tooltips: elements say in data-tip what they are called, and one popup, loaded after the first view, shows it on hover
// or focus.
import { createStore } from '@/app/store'

export interface Tip {
  anchor: Element
  text: string
  keys?: string
  /** false: it is on its way out */
  open: boolean
}

const delay = 450 // ms, as one who passes over a button wants nothing of it
const grace = 120 // ms to get from the button into the popup

export const tip = createStore<Tip | undefined>(undefined)
let timer: ReturnType<typeof setTimeout> | undefined

const tipped = (target: EventTarget | null) =>
  target instanceof Element ? target.closest<HTMLElement>('[data-tip]') : null

function later(ms: number, f: () => void) {
  clearTimeout(timer)
  timer = setTimeout(f, ms)
}

function offer(el: HTMLElement) {
  const now = tip.get()
  if (now?.open && now.anchor === el) return clearTimeout(timer)
  const { tip: text, tipKeys: keys } = el.dataset
  if (text) later(now?.open ? 0 : delay, () => el.isConnected && tip.set({ anchor: el, text, keys, open: true }))
}

export function hideTip() {
  clearTimeout(timer)
  tip.set((now) => (now?.open ? { ...now, open: false } : now))
}

/** Keeps the popup while the pointer is on it. */
export const holdTip = () => clearTimeout(timer)
export const leaveTip = () => later(grace, hideTip)

/** Follows pointer and focus of the whole page until the function that comes back is called. */
export function followTips(): () => void {
  const gone = new AbortController()
  const on = <K extends keyof DocumentEventMap>(type: K, f: (e: DocumentEventMap[K]) => void) =>
    document.addEventListener(type, f, { signal: gone.signal, capture: true })
  on('pointerover', (e) => {
    if (e.pointerType === 'touch') return
    const el = tipped(e.target)
    if (el) offer(el)
  })
  on('pointerout', (e) => {
    const el = tipped(e.target)
    if (!el || (e.relatedTarget instanceof Node && el.contains(e.relatedTarget))) return
    leaveTip()
  })
  on('focusin', (e) => {
    const el = tipped(e.target)
    if (el?.matches(':focus-visible')) offer(el)
  })
  on('focusout', hideTip)
  on('pointerdown', hideTip)
  on('keydown', (e) => {
    if (e.key === 'Escape' || e.key === 'Enter' || e.key === ' ') hideTip()
  })
  on('scroll', hideTip)
  return () => {
    gone.abort()
    hideTip()
  }
}
