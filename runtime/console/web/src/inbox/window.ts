// Which rows of a long list are rendered: arithmetic, as all rows have one height.

export interface Range {
  /** The first row that is rendered, and the one after the last. */
  from: number
  to: number
}

const beyond = 6 // rows rendered out of sight on either side
const step = 4 // so that not each row scrolled by renders anew

export function rangeOf(scrollTop: number, height: number, rowHeight: number, count: number, bare = false): Range {
  if (bare) {
    const from = Math.min(Math.floor(scrollTop / rowHeight), Math.max(0, count - 1))
    return { from, to: Math.min(Math.ceil((scrollTop + height) / rowHeight), count) }
  }
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - beyond)
  const last = Math.ceil((scrollTop + height) / rowHeight) + beyond
  const from = Math.min(Math.floor(first / step) * step, Math.max(0, count - 1))
  return { from, to: Math.min(Math.ceil(last / step) * step, count) }
}

const share = 4 // rows that are new in one frame; many more would take longer than it has

/**
 * The next step from what is rendered to what is wanted: what both have stays, and a frame's share of new rows is added,
 * those in sight first.
 */
export function towards(now: Range, want: Range, sight: Range, most = share): Range {
  const from = Math.max(now.from, want.from)
  const to = Math.min(now.to, want.to)
  if (from >= to) {
    const first = Math.min(Math.max(sight.from, want.from), want.to)
    return { from: first, to: Math.min(first + most, want.to) }
  }
  const up = from - want.from
  const down = want.to - to
  const seenUp = Math.max(0, from - Math.max(sight.from, want.from))
  const seenDown = Math.max(0, Math.min(sight.to, want.to) - to)
  let left = most
  const take = (n: number) => {
    const taken = Math.min(n, left)
    left -= taken
    return taken
  }
  let before = take(seenUp)
  let after = take(seenDown)
  before += take(up - before)
  after += take(down - after)
  return { from: from - before, to: to + after }
}

export const sameRange = (a: Range, b: Range) => a.from === b.from && a.to === b.to

/** Where to scroll so that a row is in sight, with a row's part of what is beside it; undefined if it is already. */
export function scrollFor(index: number, scrollTop: number, height: number, rowHeight: number): number | undefined {
  const top = index * rowHeight
  const beside = Math.min(rowHeight / 2, Math.max(0, (height - rowHeight) / 2))
  if (top - beside < scrollTop) return Math.max(0, top - beside) === scrollTop ? undefined : Math.max(0, top - beside)
  if (top + rowHeight + beside > scrollTop + height) return top + rowHeight + beside - height
  return undefined
}
