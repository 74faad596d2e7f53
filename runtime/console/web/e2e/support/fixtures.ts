import { test as base, expect, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from '@playwright/test'
import { Desk } from './desk.ts'
import type { Inbox } from './inbox.ts'
import { Stack } from './stack.ts'
import { Watch } from './watch.ts'

export { expect }

export interface Seat {
  desk: Desk
  page: Page
  context: BrowserContext
  watch: Watch
}

interface Fixtures {
  inbox: Inbox // nobody else's
  desk: Desk // its owner's page, signed in, not yet opened
  watch: Watch // of desk
  // sit opens a further browser for somebody.
  sit: (token?: string, options?: BrowserContextOptions) => Promise<Seat>
}

export const test = base.extend<Fixtures, { stack: Stack }>({
  stack: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const stack = await Stack.start({ inboxes: true })
      await use(stack)
      await stack.stop()
    },
    { scope: 'worker', timeout: 90_000 },
  ],

  inbox: async ({ stack }, use, info) => {
    await use(await stack.inbox())
    if (info.status !== info.expectedStatus) await info.attach('socialops.log', { body: stack.log(), contentType: 'text/plain' })
  },

  watch: async ({ context, stack }, use) => {
    const watch = new Watch(context, new URL(stack.url).host)
    await use(watch)
    expect(watch.verdict(), 'what the page may never do').toEqual([])
  },

  desk: async ({ context, page, inbox, watch }, use) => {
    void watch
    await signIn(context, inbox.token())
    await use(new Desk(page, inbox))
  },

  sit: async ({ browser, inbox, contextOptions, stack }, use) => {
    const seats: Seat[] = []
    await use(async (token = inbox.token(), options = {}) => {
      const seat = await sit(browser, { ...contextOptions, ...options }, inbox, token, new URL(stack.url).host)
      seats.push(seat)
      return seat
    })
    for (const seat of seats) {
      expect(seat.watch.verdict(), 'what the page may never do').toEqual([])
      await seat.context.close()
    }
  },
})

async function sit(browser: Browser, options: BrowserContextOptions, inbox: Inbox, token: string, host: string): Promise<Seat> {
  const context = await browser.newContext(options)
  const watch = new Watch(context, host)
  await signIn(context, token)
  const page = await context.newPage()
  return { desk: new Desk(page, inbox), page, context, watch }
}

// signIn lays a token where the page looks for one before it signs in by itself.
export async function signIn(context: BrowserContext, token: string): Promise<void> {
  await context.addInitScript((value) => {
    // about:blank has no storage
    if (window.top !== window || !location.protocol.startsWith('http')) return
    if (!sessionStorage.getItem('socialops.token')) sessionStorage.setItem('socialops.token', value)
  }, token)
}
