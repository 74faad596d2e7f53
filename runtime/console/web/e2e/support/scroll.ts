import type { Locator } from '@playwright/test'

// scrollBy scrolls what holds an element, as a reader does, and waits until it is painted.
export async function scrollBy(inside: Locator, y: number): Promise<void> {
  await inside.evaluate(async (element, by) => {
    let box: Element | null = element
    while (box && box.scrollHeight <= box.clientHeight) box = box.parentElement
    if (!box) throw new Error('nothing here can be scrolled')
    const before = box.scrollTop
    box.scrollTop += by
    if (box.scrollTop === before) throw new Error('it is at its end')
    for (let n = 0; n < 3; n++) await new Promise((done) => requestAnimationFrame(done))
  }, y)
}

// middle is the text of the item in the middle of the screen, of those that match.
export async function middle(items: Locator, what: RegExp): Promise<string> {
  const found = await items.evaluateAll((elements) =>
    elements
      .map((e) => ({ text: e.textContent ?? '', box: e.getBoundingClientRect() }))
      .filter(({ box }) => box.top > 150 && box.bottom < innerHeight - 150)
      .map(({ text }) => text),
  )
  const match = what.exec(found[Math.floor(found.length / 2)] ?? '')
  if (!match) throw new Error(`none of ${found.length} items in view has ${what}`)
  return match[0]
}
