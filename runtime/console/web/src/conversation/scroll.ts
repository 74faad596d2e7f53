// Keeps still what the reader looks at, whatever is added or grows above it, and follows the end while the reader is
// there. Browsers' own anchoring does nothing at the very top, and Safari has none, so it is switched off.

const nearEnd = 48

export class Follower {
  private scroller: HTMLElement | undefined
  private anchor: { el: Element; top: number } | undefined
  private watch: ResizeObserver | undefined
  /** The reader is at the end, and stays there as more comes. */
  atEnd = true

  constructor(private changed: (atEnd: boolean, fromTop: number, fromEnd: number) => void) {}

  attach(scroller: HTMLElement, content: HTMLElement) {
    this.scroller = scroller
    this.watch = new ResizeObserver(() => this.settle())
    this.watch.observe(content)
    this.watch.observe(scroller)
    scroller.addEventListener('scroll', this.look, { passive: true })
    this.settle()
    return () => {
      this.watch?.disconnect()
      scroller.removeEventListener('scroll', this.look)
      this.scroller = undefined
    }
  }

  toEnd(smooth = false) {
    const s = this.scroller
    if (!s) return
    this.atEnd = true
    if (smooth && s.scrollHeight - s.scrollTop < 4 * s.clientHeight)
      s.scrollTo({ top: s.scrollHeight, behavior: 'smooth' })
    else this.settle()
  }

  /** After the content changed, before it is painted. */
  settle() {
    const s = this.scroller
    if (!s?.clientHeight) return
    if (this.atEnd) s.scrollTop = s.scrollHeight
    else if (this.anchor?.el.isConnected) {
      const moved = this.anchor.el.getBoundingClientRect().top - s.getBoundingClientRect().top - this.anchor.top
      if (Math.abs(moved) > 0.5) s.scrollTop += moved
    }
    this.look()
  }

  private look = () => {
    const s = this.scroller
    if (!s?.clientHeight) return
    const fromEnd = s.scrollHeight - s.scrollTop - s.clientHeight
    this.atEnd = fromEnd < nearEnd
    this.anchor = this.atEnd ? undefined : firstSeen(s)
    this.changed(this.atEnd, s.scrollTop, fromEnd)
  }
}

/** The first row that is seen, and where it is seen. */
function firstSeen(s: HTMLElement) {
  const top = s.getBoundingClientRect().top
  for (const chunk of s.querySelectorAll('[data-chunk]')) {
    if (chunk.getBoundingClientRect().bottom <= top) continue
    for (const row of chunk.children) {
      const box = row.getBoundingClientRect()
      if (box.bottom > top) return { el: row, top: box.top - top }
    }
    return { el: chunk, top: chunk.getBoundingClientRect().top - top }
  }
  return undefined
}
