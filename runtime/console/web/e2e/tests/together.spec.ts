import { middle, scrollBy } from '../support/scroll.ts'
import { test, expect } from '../support/fixtures.ts'

test('two agents see what the other does', async ({ desk, inbox, sit }) => {
  const { thread_id } = await inbox.event({ thread_id: 'a', title: 'Shared work', text: 'Somebody should look' })
  const other = await sit()
  await desk.openThread(thread_id)
  await other.desk.openThread(thread_id)

  await desk.choose('Status', 'Pending')
  await expect(other.desk.field('Status')).toHaveText(/pending/i)
  await other.desk.remark('I am on it')
  await expect(desk.message('I am on it')).toBeVisible()
  await desk.choose('Status', 'Resolved')
  await expect(other.desk.field('Status')).toHaveText(/resolved/i)
})

test('nothing moves under a reader when others write', async ({ desk, inbox }) => {
  for (let n = 0; n < 60; n++) await inbox.event({ thread_id: `t${n}`, title: `Case number ${n}`, text: `Text ${n}` })
  await desk.open()
  await expect(desk.rows.first()).toContainText('Case number 59')
  // Somewhere in the middle, so that new rows above would push.
  await scrollBy(desk.list, 1200)
  const row = desk.row(new RegExp(`${await middle(desk.rows, /Case number \d+/)}(?!\\d)`))
  await expect(row).toBeInViewport()
  const before = await row.boundingBox()
  await inbox.event({ thread_id: 'new', title: 'Brand new', text: 'Just in' })
  await inbox.event({ thread_id: 't3', text: 'An old one moves up' })
  await expect(desk.page.getByRole('button', { name: /new/i }).first()).toBeVisible()
  expect(await row.boundingBox()).toEqual(before)
  await desk.page.getByRole('button', { name: /new/i }).first().click()
  await expect(desk.row('Brand new')).toBeInViewport()
})

test('a reader of older messages stays where he is', async ({ desk, inbox }) => {
  const { thread_id } = await inbox.event({ thread_id: 'long', title: 'A long story', text: 'Chapter 0' })
  for (let n = 1; n < 60; n++) await inbox.event({ thread_id: 'long', text: `Chapter ${n}: ${'and so on and on. '.repeat(8)}` })
  await desk.openThread(thread_id)
  await expect(desk.message('Chapter 59')).toBeInViewport()
  await scrollBy(desk.messages.last(), -1500)
  const marked = desk.message(await middle(desk.messages, /Chapter \d+:/))
  await expect(marked).toBeInViewport()
  const before = await marked.boundingBox()
  await inbox.event({ thread_id: 'long', text: 'Chapter 60, at last' })
  await expect(desk.page.getByRole('button', { name: /new/i }).first()).toBeVisible()
  expect(await marked.boundingBox()).toEqual(before)
})

test('a change that is refused is taken back, with the reason', async ({ desk, inbox, watch }) => {
  const { thread_id } = await inbox.event({ thread_id: 'a', title: 'Stubborn', text: 'x', priority: 'low' })
  await desk.openThread(thread_id)
  await desk.page.route(`**/threads/${thread_id}`, async (route) => {
    if (route.request().method() !== 'PATCH') return route.fallback()
    await route.fulfill({
      status: 409,
      contentType: 'application/json',
      body: JSON.stringify({ success: false, error: { code: 'CONFLICT', message: 'the thread is being moved' } }),
    })
  })
  watch.allow(/409/)
  await desk.choose('Priority', 'Urgent')
  await expect(desk.page.getByRole('region', { name: 'Notifications' }).getByText('the thread is being moved')).toBeVisible()
  await expect(desk.field('Priority')).toHaveText(/low/i)
})
