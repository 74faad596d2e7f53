import { test, expect } from '../support/fixtures.ts'

test('several threads are resolved at once', async ({ desk, inbox }) => {
  for (const n of [1, 2, 3, 4])
    await inbox.event({ thread_id: `t${n}`, title: `Printer ${n} is out of paper`, text: `Printer ${n} needs paper` })
  await desk.open()
  await expect(desk.rows).toHaveCount(4)
  for (const n of [1, 2, 3]) await desk.tick(`Printer ${n} is out of paper`)
  await expect(desk.bulk).toContainText('3')
  await desk.bulk.getByRole('button', { name: 'Resolve' }).click()
  await expect(desk.rows).toHaveCount(1)
  await expect(desk.row('Printer 4')).toBeVisible()
  await desk.filter('Status', 'Resolved')
  await expect(desk.rows).toHaveCount(3)
  const resolved = await inbox.native('GET', '/threads?status=resolved')
  expect(((await resolved.json()) as { data: unknown[] }).data).toHaveLength(3)
})

test('search finds words of any message', async ({ desk, inbox }) => {
  await inbox.event({ thread_id: 'a', title: 'Delivery of a sofa', text: 'It is green' })
  await inbox.event({ thread_id: 'b', title: 'Delivery of a chair', text: 'It is blue' })
  await desk.open()
  await expect(desk.rows).toHaveCount(2)
  await desk.page.keyboard.press('/')
  await expect(desk.search).toBeFocused()
  await desk.search.fill('sofa')
  await expect(desk.rows).toHaveCount(1)
  await expect(desk.row('sofa')).toBeVisible()
  await expect(desk.page).toHaveURL(/[?&]q=sofa/)
  await desk.search.fill('elephant')
  await expect(desk.rows).toHaveCount(0)
  await expect(desk.page.getByRole('button', { name: /clear/i }).first()).toBeVisible()
})

test('filters are in the address, and whoever gets it sees the same', async ({ desk, inbox, sit }) => {
  await inbox.event({ thread_id: 'a', title: 'Urgent and ops', text: 'x', labels: ['ops'], priority: 'urgent' })
  await inbox.event({ thread_id: 'b', title: 'Urgent and billing', text: 'x', labels: ['billing'], priority: 'urgent' })
  await inbox.event({ thread_id: 'c', title: 'Low and ops', text: 'x', labels: ['ops'], priority: 'low' })
  await desk.open()
  await expect(desk.rows).toHaveCount(3)
  await desk.filter('Priority', 'Urgent')
  await expect(desk.rows).toHaveCount(2)
  await desk.filter('Label', 'ops')
  await expect(desk.rows).toHaveCount(1)
  await expect(desk.page).toHaveURL(/priority=urgent/)
  await expect(desk.page).toHaveURL(/label=ops/)

  const other = await sit()
  await other.page.goto(desk.page.url())
  await other.desk.ready()
  await expect(other.desk.rows).toHaveCount(1)
  await expect(other.desk.row('Urgent and ops')).toBeVisible()

  await desk.page.goBack()
  await expect(desk.rows).toHaveCount(2)
})

test('a saved view is shared with the others', async ({ desk, inbox, sit, stack }) => {
  await inbox.event({ thread_id: 'a', title: 'About money', text: 'x', labels: ['billing'] })
  await inbox.event({ thread_id: 'b', title: 'About other things', text: 'x' })
  await desk.open('label=billing')
  await expect(desk.rows).toHaveCount(1)
  await desk.page.getByRole('button', { name: 'Save view' }).click()
  const dialog = desk.page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Money matters')
  await dialog.getByLabel(/share/i).check()
  await dialog.getByRole('button', { name: 'Save' }).click()
  const inboxes = desk.page.getByRole('navigation', { name: 'Inboxes' })
  await expect(inboxes.getByRole('link', { name: /Money matters/ })).toBeVisible()

  const other = await sit(stack.token(inbox.owner, ['service:read']))
  await other.desk.open()
  await expect(other.desk.rows).toHaveCount(2)
  await other.page
    .getByRole('navigation', { name: 'Inboxes' })
    .getByRole('link', { name: /Money matters/ })
    .click()
  await expect(other.desk.rows).toHaveCount(1)
  await expect(other.page).toHaveURL(/label=billing/)
})

test('labels and priority are changed in place', async ({ desk, inbox }) => {
  const { thread_id } = await inbox.event({ thread_id: 'a', title: 'A leaking pipe', text: 'Water everywhere' })
  await desk.openThread(thread_id)
  await desk.choose('Priority', 'High')
  await desk.choose('Status', 'Pending')
  await desk.label('plumbing')
  await expect
    .poll(async () => {
      const answer = await inbox.native('GET', `/threads/${thread_id}`)
      const { data } = (await answer.json()) as { data: { priority: string; status: string; labels: string[] } }
      return [data.priority, data.status, ...data.labels]
    })
    .toEqual(['high', 'pending', 'plumbing'])
  await expect(desk.row('A leaking pipe')).toContainText('plumbing')
})

test('reading makes a thread read', async ({ desk, inbox }) => {
  const { thread_id } = await inbox.event({ thread_id: 'a', title: 'Unread', text: 'one' })
  await inbox.event({ thread_id: 'a', text: 'two' })
  await desk.open()
  await expect(desk.row('Unread')).toContainText(/2/)
  await desk.pick('Unread')
  await expect
    .poll(async () => {
      const answer = await inbox.native('GET', `/threads/${thread_id}`)
      return ((await answer.json()) as { data: { unread_count: number } }).data.unread_count
    })
    .toBe(0)
})
