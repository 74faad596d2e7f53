import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { account } from '../support/manifests.ts'
import { test, expect } from '../support/fixtures.ts'

test('a bot is bound, takes messages, and is switched off; the manifests say so', async ({ desk, inbox, stack }) => {
  const token = `${Number.parseInt(inbox.botToken, 10) + 100_000}:SIMULATOR-no-real-token-second-bot`
  writeFileSync(
    join(stack.manifestsDir(), `${inbox.alias}-second.yaml`),
    account(`${inbox.alias}-second`, inbox.owner, 'telegram-bot', 'token', token),
  )
  const page = desk.page
  await desk.open()
  await desk.section('Channels')
  await expect(page.getByText('Support Telegram')).toBeVisible()

  const accounts = () => inbox.console<{ name: string; status: string }[]>('GET', '/accounts')
  await expect.poll(async () => (await accounts()).find((a) => a.name === `${inbox.alias}-second`)?.status).toBe('active')

  await page
    .getByRole('button', { name: /(add|bind|new) .*channel|bind/i })
    .first()
    .click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Provider').first().click()
  await page.getByRole('option', { name: /telegram/i }).click()
  await dialog
    .getByLabel(/account/i)
    .first()
    .click()
  await page
    .getByRole('option', { name: new RegExp(`${inbox.alias}-second`) })
    .or(page.getByRole('option', { name: /second/i }))
    .first()
    .click()
  await dialog.getByLabel(/name/i).first().fill('Second bot')
  await dialog.getByRole('button', { name: /bind|create|add/i }).click()

  const card = page
    .getByRole('article', { name: /Second bot/ })
    .or(page.getByRole('row', { name: /Second bot/ }))
    .first()
  await expect(card).toContainText(/ok|healthy|ready/i, { timeout: 20_000 })
  const manifestOf = (): string =>
    readdirSync(stack.manifestsDir())
      .map((f) => readFileSync(join(stack.manifestsDir(), f), 'utf8'))
      .filter((text) => text.includes('Second bot'))
      .join('\n')
  expect(manifestOf()).toContain(`socialops.dev/changed-by: ${inbox.owner}`)

  const kim = inbox.someone('Kim')
  await stack.simulator.says(token, kim, 'To the second bot')
  await desk.section('Inbox')
  await expect(desk.row('To the second bot')).toBeVisible()

  await desk.section('Channels')
  await card.getByRole('switch').click()
  const confirm = page.getByRole('dialog').getByRole('button', { name: /switch off|turn off/i })
  await confirm.or(card.getByText(/^off$/i)).first().waitFor()
  if (await confirm.isVisible()) await confirm.click()
  await expect.poll(manifestOf).toMatch(/active: false/)
  await expect(card).toContainText(/off/i)
})

test('a test event of a webhook channel comes in as a stranger’s would', async ({ desk }) => {
  await desk.open()
  await desk.section('Channels')
  const card = desk.page
    .getByRole('article', { name: /Support Events/ })
    .or(desk.page.getByRole('row', { name: /Support Events/ }))
    .first()
  await expect(card).toContainText(`/v1/apps/socialops/${desk.inbox.alias}/webhook/generic-webhook`)
  await card.getByRole('button', { name: /test/i }).click()
  await expect(desk.page.getByText(/202/).first()).toBeVisible()
  await desk.section('Inbox')
  await expect(desk.rows).toHaveCount(1)
})

test('a key is made, works, and works no more once it is revoked', async ({ desk, inbox }) => {
  const page = desk.page
  await desk.open()
  await desk.section('Keys')
  await page.getByRole('button', { name: /(new|create|add) .*key/i }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(/name/i).first().fill('Nightly export')
  await dialog.getByRole('button', { name: /create/i }).click()
  const key =
    (
      await page
        .getByText(/sk_\w{20,}/)
        .first()
        .innerText()
    ).match(/sk_\w+/)?.[0] ?? ''
  expect((await inbox.native('GET', '/inbox', undefined, key)).status).toBe(200)
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /done|close/i })
    .first()
    .click()
  await expect(page.getByText(key)).toHaveCount(0)

  const row = page.getByRole('row', { name: /Nightly export/ })
  await expect(row).toContainText(key.slice(-4))
  await row.getByRole('button', { name: /revoke/i }).click()
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /revoke/i })
    .click()
  await expect(row).toContainText(/revoked/i)
  await expect.poll(async () => (await inbox.native('GET', '/inbox', undefined, key)).status, { timeout: 15_000 }).toBe(401)
})

test('usage tells what was charged', async ({ desk, inbox }) => {
  for (let n = 0; n < 3; n++) await inbox.event({ thread_id: 'a', title: 'x', text: `Event ${n}` })
  await desk.open()
  await desk.section('Usage')
  const main = desk.page.getByRole('main')
  await expect(main).toContainText('0.0006')
  await expect(main.getByRole('img').or(main.getByRole('figure')).first()).toBeVisible()
})

test('canned texts are kept and used', async ({ desk, inbox }) => {
  const lee = inbox.someone('Lee')
  const { thread_id } = await inbox.says(lee, 'How long does it take?')
  const page = desk.page
  await desk.open()
  await desk.section('Canned texts')
  await page
    .getByRole('button', { name: /(new|add|create)/i })
    .first()
    .click()
  const form = page.getByRole('dialog')
  await form.getByLabel('Name').fill('Delivery time')
  await form.getByLabel('Text').fill('It takes three days.')
  await form.getByRole('button', { name: /save|create|add/i }).click()
  await expect(page.getByText('Delivery time')).toBeVisible()

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
