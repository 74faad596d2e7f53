import { mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test as base, type Page } from '@playwright/test'
import { scrollBy } from '../support/scroll.ts'
import { Stack } from '../support/stack.ts'

const out = fileURLToPath(new URL('../../screenshots/', import.meta.url))
const samples = fileURLToPath(new URL('../../../../../config/samples/', import.meta.url))
const sizes = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } }

interface Shared {
  stack: Stack
}

// The demo's inbox: a support desk with a past, in which nothing happens any more.
const test = base.extend<object, Shared>({
  stack: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const manifests = Object.fromEntries(
        ['support.yaml', 'accounts.yaml', 'channels.yaml'].map((f) => [f, readFileSync(samples + f, 'utf8')]),
      )
      const stack = await Stack.start({ manifests, args: ['--demo', '--demo-for', '0'], simulator: false })
      await stack.says(/Go on with/)
      await use(stack)
      await stack.stop()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
})

// threadOf finds a conversation of the desk by whom it is with.
async function threadOf(stack: Stack, name: string): Promise<string> {
  const api = `${stack.url}/console/socialops`
  const session = (await (await fetch(`${api}/session`, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } })).json()) as {
    data: { token: string }
  }
  const found = (await (
    await fetch(`${api}/support/inbox?q=${encodeURIComponent(name)}`, { headers: { Authorization: `Bearer ${session.data.token}` } })
  ).json()) as { data: { id: string; contact?: { name?: string } }[] }
  const thread = found.data.find((x) => x.contact?.name === name)
  if (!thread) throw new Error(`nobody is called ${name}`)
  return thread.id
}

async function settled(page: Page): Promise<void> {
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
  await page.evaluate(async () => {
    await document.fonts.ready
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
  })
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [size, viewport] of Object.entries(sizes)) {
    test(`${colorScheme}, ${size}`, async ({ browser, stack }) => {
      mkdirSync(out, { recursive: true })
      const context = await browser.newContext({
        colorScheme,
        viewport,
        reducedMotion: 'reduce',
        hasTouch: size === 'phone',
        locale: 'en-GB',
      })
      const page = await context.newPage()
      const shoot = async (view: string): Promise<void> => {
        await settled(page)
        await page.screenshot({ path: `${out}${view}-${colorScheme}-${size}.png` })
      }
      await page.goto(`${stack.url}/a/support`)
      const rows = page.getByRole('list', { name: 'Threads' }).getByRole('listitem')
      await expect(rows.nth(5)).toBeVisible()
      await shoot('list')
      await page.goto(`${stack.url}/a/support/t/${await threadOf(stack, 'Grace Okafor')}`)
      await expect(page.getByRole('log', { name: 'Messages' })).toContainText('Works, thank you!')
      if (size === 'wide') {
        const row = rows.filter({ hasText: 'Grace Okafor' })
        while ((await row.count()) === 0) await scrollBy(page.getByRole('list', { name: 'Threads' }), 400)
        await row.scrollIntoViewIfNeeded()
      }
      await shoot('inbox')
      for (const view of ['channels', 'keys', 'usage', 'audit', 'canned']) {
        await page.goto(`${stack.url}/a/support/${view}`)
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
        await shoot(view)
      }
      await page.goto(`${stack.url}/a/support?status=resolved&q=nothing-of-the-kind`)
      await expect(page.getByRole('region', { name: 'Threads' })).toBeVisible()
      await shoot('empty')
      if (size === 'wide') {
        await page.goto(`${stack.url}/a/support`)
        await expect(rows.nth(5)).toBeVisible()
        await page.keyboard.press('Control+k')
        await expect(page.getByRole('dialog')).toBeVisible()
        await shoot('commands')
        await page.keyboard.press('Escape')
        await page.keyboard.press('?')
        await expect(page.getByRole('dialog')).toBeVisible()
        await shoot('shortcuts')
        await page.keyboard.press('Escape')
        for (let n = 0; n < 3; n++) await rows.nth(n).getByRole('checkbox').check()
        await shoot('bulk')
      }
      await context.close()
    })
  }
}

test('German', async ({ browser, stack }) => {
  const context = await browser.newContext({ viewport: sizes.wide, reducedMotion: 'reduce', locale: 'de-DE' })
  const page = await context.newPage()
  await page.goto(`${stack.url}/a/support`)
  await expect(page.getByRole('listitem').nth(5)).toBeVisible()
  await settled(page)
  await page.screenshot({ path: `${out}list-german-wide.png` })
  await context.close()
})
