import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { account } from '../support/manifests.ts'
import { test, expect } from '../support/fixtures.ts'

const clipboard = (page: Page): Promise<string> => page.evaluate(() => navigator.clipboard.readText())

test('a bot is bound, takes messages, and is switched off; the manifests say so', async ({ desk, inbox, stack }) => {
  const secret = `${inbox.alias}-second`
  const token = `${Number.parseInt(inbox.botToken, 10) + 100_000}:SIMULATOR-no-real-token-second-bot`
  writeFileSync(join(stack.manifestsDir(), `${secret}.yaml`), account(secret, inbox.owner, 'telegram-bot', 'token', token))
  const { page } = desk
  const accounts = () => inbox.console<{ name: string; status: string }[]>('GET', '/accounts')
  await expect.poll(async () => (await accounts()).find((a) => a.name === secret)?.status).toBe('active')
  await desk.open()
  await desk.section('Channels')
  await expect(desk.channel('Support Telegram')).toBeVisible()

  await page.getByRole('button', { name: 'Add channel' }).first().click()
  const dialog = page.getByRole('dialog', { name: 'Add channel' })
  await dialog.getByRole('radio', { name: /telegram/i }).click()
  await dialog.getByRole('group', { name: 'Connected account' }).getByText(secret).click()
  await dialog.getByLabel('Channel name').fill('Second bot')
  await dialog.getByRole('button', { name: 'Bind channel' }).click()
  await expect(dialog).toHaveCount(0)

  const card = desk.channel('Second bot')
  await expect(card).toContainText('Ready', { timeout: 20_000 })
  const manifest = (): string =>
    readdirSync(stack.manifestsDir())
      .map((f) => readFileSync(join(stack.manifestsDir(), f), 'utf8'))
      .filter((text) => text.includes('Second bot'))
      .join('\n')
  expect(manifest()).toContain(`socialops.dev/changed-by: ${inbox.owner}`)

  const kim = inbox.someone('Kim')
  await stack.simulator.says(token, kim, 'To the second bot')
  await desk.section('Inbox')
  await expect(desk.row('To the second bot')).toBeVisible()

  await desk.section('Channels')
  await card.getByRole('switch', { name: 'Active' }).click()
  await page
    .getByRole('dialog', { name: /switch off/i })
    .getByRole('button', { name: 'Switch off' })
    .click()
  await expect.poll(manifest).toMatch(/active: false/)
  await expect(card.getByRole('switch', { name: 'Active' })).not.toBeChecked()
  const trail = await inbox.console<{ type: string; actor_name?: string }[]>('GET', '/audit?people=true')
  expect(trail.map((e) => e.type)).toEqual(expect.arrayContaining(['channel.created', 'channel.updated']))
})

test('a test event of a webhook channel comes in as a stranger’s would', async ({ desk, inbox, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await desk.open()
  await desk.section('Channels')
  const card = desk.channel('Support Events')
  await expect(card).toContainText(`/v1/apps/socialops/${inbox.alias}/webhook/generic-webhook`)
  await card.getByRole('button', { name: 'Copy webhook URL' }).click()
  await expect(card.getByRole('button', { name: 'Copied' })).toBeVisible()
  expect(await clipboard(desk.page)).toBe(`${desk.inbox.stack.url}/v1/apps/socialops/${inbox.alias}/webhook/generic-webhook`)
  await card.getByRole('button', { name: 'Send a test event' }).click()
  const dialog = desk.page.getByRole('dialog', { name: /test event/ })
  await dialog.getByRole('button', { name: 'Send it' }).click()
  await expect(dialog).toContainText('It was taken in (202).')
  await dialog.getByRole('button', { name: 'Close' }).first().click()
  await expect(dialog).toHaveCount(0)
  await desk.section('Inbox')
  await expect(desk.rows).toHaveCount(1)
})

test('a key is made, works, and works no more once it is revoked', async ({ desk, inbox, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const { page } = desk
  await desk.open()
  await desk.section('Keys')
  await page.getByRole('button', { name: 'Create key' }).first().click()
  const dialog = page.getByRole('dialog', { name: 'Create key' })
  await dialog.getByLabel('Name').fill('Nightly export')
  await dialog.getByRole('button', { name: 'Create key' }).click()
  const shown = page.getByRole('dialog', { name: 'Your new key' })
  const key = await shown.getByRole('textbox', { name: 'Key' }).inputValue()
  expect(key).toMatch(/^sk_\w{20,}$/)
  await expect.poll(async () => (await inbox.native('GET', '/inbox', undefined, key)).status).toBe(200)
  // Who would lose it is asked.
  await shown.getByRole('button', { name: 'Done' }).click()
  await expect(shown.getByRole('alert')).toContainText('You have not copied the key')
  await shown.getByRole('button', { name: 'Copy key' }).click()
  await expect.poll(() => clipboard(page)).toBe(key)
  await shown.getByRole('button', { name: 'Done' }).click()
  await expect(shown).toHaveCount(0)
  expect(await page.content()).not.toContain(key)

  const row = page.getByRole('table', { name: 'Keys' }).getByRole('row', { name: /Nightly export/ })
  await expect(row).toContainText(key.slice(-4))
  await row.getByRole('button', { name: /^Revoke/ }).click()
  const asked = page.getByRole('dialog', { name: /^Revoke/ })
  await asked.getByRole('button', { name: 'Revoke key' }).click()
  await expect(asked).toHaveCount(0)
  await expect.poll(async () => (await inbox.native('GET', '/inbox', undefined, key)).status, { timeout: 15_000 }).toBe(401)
  expect(await inbox.console<unknown[]>('GET', '/audit?type=key.revoked')).toHaveLength(1)
})

test('usage tells what was charged', async ({ desk, inbox }) => {
  for (let n = 0; n < 3; n++) await inbox.event({ thread_id: 'a', title: 'x', text: `Event ${n}` })
  await desk.open()
  await desk.section('Usage')
  const main = desk.page.getByRole('main')
  await expect(main).toContainText('0.0006')
  await expect(main.getByRole('figure', { name: 'Charges' })).toBeVisible()
})

test('an admin grants credit, once for each reference', async ({ inbox, sit }) => {
  const { desk, page } = await sit(inbox.token(['service:read', 'service:manage', 'service:admin']))
  await desk.open()
  await desk.section('Usage')
  for (let n = 0; n < 2; n++) {
    await page.getByRole('button', { name: 'Grant credit' }).first().click()
    const dialog = page.getByRole('dialog', { name: 'Grant credit' }) // what is told at the edge is one too
    await dialog.getByLabel('Amount in USD').fill('25')
    await dialog.getByLabel('Reference').fill('invoice-1')
    await dialog.getByRole('button', { name: /^Grant/ }).click()
    await expect(dialog).toHaveCount(0)
    const said = page.getByRole('region', { name: 'Notifications' })
    await expect(said).toContainText(n === 0 ? 'was granted' : 'was credited before')
  }
  await expect(page.getByRole('main')).toContainText('25')
  const credits = await inbox.console<unknown[]>('GET', '/entries?kind=credit')
  expect(credits).toHaveLength(1)
})

test('canned texts are kept and used', async ({ desk, inbox }) => {
  const lee = inbox.someone('Lee')
  const { thread_id } = await inbox.says(lee, 'How long does it take?')
  const { page } = desk
  await desk.open()
  await desk.section('Canned texts')
  await page.getByRole('button', { name: 'New text' }).first().click()
  const form = page.getByRole('dialog', { name: 'New text' })
  await form.getByLabel('Name').fill('Delivery time')
  await form.getByLabel('Text').fill('It takes three days.')
  await form.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { name: 'Delivery time' })).toBeVisible()

  await desk.openThread(thread_id)
  await desk.compose('Reply')
  await desk.conversation.getByRole('button', { name: 'Canned texts' }).click()
  await page
    .getByRole('option', { name: /Delivery time/ })
    .or(page.getByRole('menuitem', { name: /Delivery time/ }))
    .first()
    .click()
  await expect(desk.reply).toHaveValue('It takes three days.')
})
