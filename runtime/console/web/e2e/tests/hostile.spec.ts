import { test, expect } from '../support/fixtures.ts'

const script = '<img src=x onerror="alert(1)"><script>alert(2)</script><b>bold</b>"\'><svg/onload=alert(3)>{{7*7}}'

// Whatever people write is shown as they wrote it. The watch of every page fails the test on a dialog, an error or a
// violated policy.
test('HTML and script are text, in every field', async ({ desk, inbox }) => {
  const page = desk.page
  const { thread_id } = await inbox.event({
    thread_id: 'evil',
    title: `Subject ${script}`,
    text: `Text ${script} https://example.com/"onmouseover="alert(4) javascript:alert(5) [x](javascript:alert(6))`,
    user: { id: 'evil', name: `Name ${script}`, handle: `handle${script}` },
    labels: [`l${script}`.slice(0, 100)],
    attachments: [{ url: 'https://files.invalid/a"b', name: `file${script}.pdf`, mime_type: 'text/html' }],
  })
  const evil = inbox.someone(`First ${script}`.slice(0, 64), 'Last<u>')
  await inbox.says(evil, `From Telegram ${script}`)
  await inbox.console('POST', '/canned', { name: `Canned ${script}`.slice(0, 60), text: `Canned text ${script}` })
  await inbox.console('POST', '/views', { name: `View ${script}`.slice(0, 60), query: 'status=open', shared: true })
  await inbox.console('POST', `/threads/${thread_id}/notes`, { text: `Note ${script}` })
  const channels = await inbox.console<{ id: string; provider: string }[]>('GET', '/channels')
  const channel = channels.find((c) => c.provider === 'generic-webhook')
  await inbox.console('PATCH', `/channels/${channel?.id ?? ''}`, { channel_name: `Channel ${script}`.slice(0, 80) })
  await inbox.console('POST', '/keys', { name: `Key ${script}`.slice(0, 60), scopes: ['socialops:read'] })

  await desk.open()
  await expect(desk.row('Subject <img')).toBeVisible()
  await expect(desk.row('From Telegram <img')).toBeVisible()
  await desk.pick('Subject <img')
  await expect(desk.message('Text <img')).toContainText('<script>alert(2)</script>')
  await expect(desk.message('Note <img')).toBeVisible()
  await expect(desk.conversation).toContainText('Name <img')
  await desk.compose('Reply')
  await desk.reply.fill(script)
  await desk.conversation.getByRole('button', { name: 'Canned texts' }).click()
  await expect(page.getByText(/^Canned <img/).first()).toBeVisible()
  await page.keyboard.press('Escape')
  for (const link of await page.getByRole('link').all()) {
    expect(await link.getAttribute('href')).not.toMatch(/^\s*(javascript|data|vbscript):/i)
  }
  for (const section of ['Channels', 'Keys', 'Usage', 'Audit trail', 'Canned texts'] as const) {
    await desk.section(section)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
  }
  await expect(page.getByText(/Canned <img/).first()).toBeVisible()
  await desk.section('Keys')
  await expect(page.getByText(/Key <img/).first()).toBeVisible()
  await desk.section('Channels')
  await expect(page.getByText(/Channel <img/).first()).toBeVisible()
  // Nothing of it became an element; the document has one script of its own.
  expect(await page.locator('img[src="x"], svg[onload], script:not([src]):not([type]):not(#early)').count()).toBe(0)
})

test('the address can hold what it likes', async ({ desk, stack, watch }) => {
  watch.allow(/40[04]/)
  const page = desk.page
  await desk.open(`q=${encodeURIComponent(script)}&status=<script>&label=${encodeURIComponent(script)}`)
  await expect(page.getByRole('navigation', { name: 'Inboxes' })).toBeVisible()
  for (const path of ['/a/%3Cscript%3E', '/a/desk-00/t/soth_nonsense', '/nowhere', `/a/${desk.inbox.alias}/nowhere`]) {
    await page.goto(stack.url + path)
    await expect(page.getByRole('navigation', { name: 'Inboxes' }).or(page.getByRole('heading')).first()).toBeVisible()
  }
})
