import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import type { Desk } from '../support/desk.ts'
import type { Inbox } from '../support/inbox.ts'
import { test, expect } from '../support/fixtures.ts'

const views = ['list', 'conversation', 'channels', 'keys', 'usage', 'audit', 'canned'] as const

async function show(desk: Desk, view: (typeof views)[number], thread: string): Promise<void> {
  if (view === 'list') return desk.open()
  if (view === 'conversation') return desk.openThread(thread)
  await desk.page.goto(`${desk.inbox.stack.url}/a/${desk.inbox.alias}/${view}`)
  await expect(desk.page.getByRole('heading', { level: 1 }).first()).toBeVisible()
  await expect(desk.page.locator('[aria-busy="true"]')).toHaveCount(0)
}

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

// wrong says what breaks WCAG 2.2 AA, or good practice, in what is shown now.
async function wrong(page: Page, view: string): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(tags).analyze()
  const wrong = violations.map((v) => `${view}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`)
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  if (sideways > 0) wrong.push(`${view}: scrolls sideways by ${sideways} px`)
  return wrong
}

async function furnish(inbox: Inbox): Promise<string> {
  const jane = inbox.someone('Jane', 'Doe')
  const { thread_id } = await inbox.says(jane, 'Hello there')
  await inbox.event({ thread_id: 'a', title: 'Urgent one', text: 'Look', labels: ['ops', 'vip'], priority: 'urgent' })
  await inbox.console('POST', `/threads/${thread_id}/notes`, { text: 'A note' })
  await inbox.console('POST', `/threads/${thread_id}/replies`, { text: 'A <b>reply</b>' })
  await inbox.console('POST', '/canned', { name: 'Greeting', text: 'Hello' })
  return thread_id
}

for (const [name, options] of [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true }],
] as const) {
  test(`every view is accessible, ${name}`, async ({ inbox, sit }) => {
    test.slow() // axe looks at everything
    const thread = await furnish(inbox)
    const { desk, page } = await sit(undefined, { ...options, reducedMotion: 'reduce' })
    const violations: string[] = []
    for (const view of views) {
      await show(desk, view, thread)
      violations.push(...(await wrong(page, view)))
    }
    expect(violations).toEqual([])
  })
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`every dialog is accessible, ${colorScheme}`, async ({ inbox, sit }) => {
    test.slow()
    const thread = await furnish(inbox)
    const admin = inbox.token(['service:read', 'service:manage', 'service:admin'])
    const { desk, page } = await sit(admin, { colorScheme, reducedMotion: 'reduce' })
    const violations: string[] = []
    const look = async (name: string, open: () => Promise<void>, what = page.getByRole('dialog')): Promise<void> => {
      await open()
      await expect(what.first()).toBeVisible()
      violations.push(...(await wrong(page, name)))
      await page.keyboard.press('Escape')
      await expect(what).toHaveCount(0)
    }
    const press = (name: string | RegExp) => () => page.getByRole('button', { name }).first().click()

    await desk.openThread(thread)
    await look('commands', () => page.keyboard.press('Control+k'))
    await look('shortcuts', () => page.keyboard.press('?'))
    await look('account', () => desk.account().click(), page.getByRole('menu'))
    await look('status', () => desk.field('Status').click())
    await look('labels', () => desk.field('Labels').click())
    await look('details', press('Details'))
    await look('canned texts', press('Canned texts'))
    await look('raw', async () => {
      await desk.message('Hello there').hover()
      await desk.message('Hello there').getByRole('button', { name: /^More actions/ }).click()
      await page.getByRole('menuitem', { name: 'Show raw' }).click()
      await page.getByRole('button', { name: 'Show it' }).click()
      await expect(page.getByRole('dialog')).toContainText('Hello there')
    })
    await desk.open('label=ops')
    await look('save view', press('Save view'))
    await desk.section('Channels')
    await look('add channel', press('Add channel'))
    await look('edit channel', press('Edit'))
    await look('switch off', () => page.getByRole('switch').first().click(), page.getByRole('alertdialog').or(page.getByRole('dialog')))
    await desk.section('Keys')
    await look('create key', press('Create key'))
    await desk.section('Usage')
    await look('grant credit', press('Grant credit'))
    await desk.section('Canned texts')
    await look('new text', press('New text'))
    expect(violations).toEqual([])
  })
}

test('on a phone one pane is shown at a time, and there is a way back', async ({ inbox, sit }) => {
  await inbox.event({ thread_id: 'a', title: 'On the phone', text: 'The small text' })
  const { desk, page } = await sit(undefined, { viewport: { width: 390, height: 844 }, hasTouch: true })
  await desk.open()
  await desk.pick('On the phone')
  await expect(desk.message('The small text')).toBeInViewport()
  await expect(desk.list).not.toBeInViewport()
  await page
    .getByRole('link', { name: /back/i })
    .or(page.getByRole('button', { name: /back/i }))
    .first()
    .click()
  await expect(desk.row('On the phone')).toBeInViewport()
})

test('German, by the browser’s wish and by choice', async ({ inbox, sit }) => {
  await inbox.event({ thread_id: 'a', title: 'A case', text: 'x' })
  const { desk, page } = await sit(undefined, { locale: 'de-DE' })
  await page.goto(desk.address())
  await expect(page.locator('html')).toHaveAttribute('lang', 'de')
  await expect(page.getByRole('link', { name: /Kanäle/ }).first()).toBeVisible()
  for (const view of ['channels', 'keys', 'usage', 'audit', 'canned']) {
    await page.goto(`${desk.inbox.stack.url}/a/${desk.inbox.alias}/${view}`)
    await expect(page.getByRole('heading', { level: 1 }).first()).toBeVisible()
    // A key that has no translation would show as such.
    await expect(page.getByRole('main')).not.toContainText(/\b[a-z]+\.[a-z]+\.[a-z]+\b/)
  }
  await page.goto(desk.address())
  await page.getByRole('button', { name: /Konto/ }).click()
  await page.getByText('English').click()
  await expect(page.locator('html')).toHaveAttribute('lang', 'en')
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('lang', 'en')
})

test('times are in the reader’s zone', async ({ inbox, sit }) => {
  const { thread_id } = await inbox.event({ thread_id: 'a', title: 'When', text: 'Now' })
  const clock = (at: string | null, zone: string): number[] =>
    new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone }).format(new Date(at ?? '')).split(':').map(Number)
  for (const zone of ['Asia/Tokyo', 'America/New_York']) {
    const { desk } = await sit(undefined, { timezoneId: zone })
    await desk.openThread(thread_id)
    const time = desk.message('Now').locator('time').first()
    const shown = (await time.innerText()).split(':').map(Number)
    expect(shown).toEqual(clock(await time.getAttribute('datetime'), zone))
  }
})

test('light and dark are a matter of choice', async ({ desk, inbox }) => {
  await inbox.event({ thread_id: 'a', title: 'Colour', text: 'x' })
  await desk.open()
  const lightness = (): Promise<number> =>
    desk.page.evaluate(() => {
      const [r = 0, g = 0, b = 0] = (getComputedStyle(document.body).backgroundColor.match(/\d+/g) ?? []).map(Number)
      return (r + g + b) / 765
    })
  expect(await lightness()).toBeGreaterThan(0.8)
  await desk.account().click()
  await desk.page.getByText('Dark', { exact: true }).click()
  await expect.poll(lightness).toBeLessThan(0.3)
  await desk.page.reload()
  await expect.poll(lightness).toBeLessThan(0.3)
})

test('a button without words says on hover and focus what it is called', async ({ desk, inbox }) => {
  const { thread_id } = await inbox.event({ thread_id: 'a', title: 'Tips', text: 'One' })
  await desk.openThread(thread_id)
  const tip = desk.page.locator('.ui-tooltip')
  const details = desk.conversation.getByRole('button', { name: 'Details' })
  await details.hover()
  await expect(tip).toHaveText(/Details/)
  await desk.list.hover()
  await expect(tip).toHaveCount(0)

  await desk.note.focus()
  await desk.page.keyboard.press('Tab')
  await expect(desk.conversation.getByRole('button', { name: 'Canned texts' })).toBeFocused()
  await expect(tip).toHaveText(/Canned texts/)
  await desk.page.keyboard.press('Escape')
  await expect(tip).toHaveCount(0)
})
