import { test, expect } from '../support/fixtures.ts'

test('who may only read sees all and changes nothing', async ({ inbox, sit }) => {
  const { thread_id } = await inbox.event({ thread_id: 'a', title: 'Look, but do not touch', text: 'The text' })
  const token = inbox.token(['service:read'])
  const { desk, page } = await sit(token)
  await desk.openThread(thread_id)
  await expect(desk.message('The text')).toBeVisible()
  for (const name of ['Send', 'Add note', 'Show raw', 'Retry']) {
    await expect(page.getByRole('button', { name, exact: true, disabled: false })).toHaveCount(0)
  }
  await expect(desk.rows.first()).toBeVisible()
  await expect(desk.rows.getByRole('checkbox', { disabled: false })).toHaveCount(0)
  for (const name of ['Status', 'Priority', 'Assignee', 'Labels']) await expect(desk.field(name)).toBeDisabled()
  for (const [section, button] of [
    ['Channels', /bind|new|add/i],
    ['Keys', /new|create|add/i],
    ['Canned texts', /new|create|add/i],
  ] as const) {
    await desk.section(section)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await expect(page.getByRole('main').getByRole('button', { name: button, disabled: false })).toHaveCount(0)
  }

  // What the page hides, the server refuses.
  for (const [method, path, body] of [
    ['PATCH', `/threads/${thread_id}`, { status: 'resolved' }],
    ['POST', `/threads/${thread_id}/replies`, { text: 'x' }],
    ['POST', `/threads/${thread_id}/notes`, { text: 'x' }],
    ['POST', `/threads/${thread_id}/read`, {}],
    ['POST', '/bulk', { thread_ids: [thread_id], status: 'resolved' }],
    ['POST', '/keys', { name: 'x', scopes: ['socialops:read'] }],
    ['POST', '/channels', { provider: 'generic-webhook', channel_name: 'x' }],
    ['POST', '/canned', { name: 'x', text: 'x' }],
    ['POST', '/credits', { amount_usd: '1', reference: 'x' }],
  ] as const) {
    await expect(inbox.console(method, path, body, token), `${method} ${path}`).rejects.toThrow(/403/)
  }
})

test('another one’s inbox looks like none', async ({ inbox, stack, sit }) => {
  const stranger = await sit(stack.token('a-stranger', ['service:read', 'service:manage']))
  stranger.watch.allow(/404/)
  await stranger.page.goto(`${stack.url}/a/${inbox.alias}`)
  await expect(stranger.page.getByText(/not found|no such inbox|no inbox|not yours/i).first()).toBeVisible()
  await expect(inbox.console('GET', '/inbox', undefined, stack.token('a-stranger', ['service:read']))).rejects.toThrow(/404/)
})

test('without permissions nothing is shown', async ({ inbox, stack, sit }) => {
  const nobody = await sit(stack.token(inbox.owner, ['something:else']))
  nobody.watch.allow(/403/)
  await nobody.page.goto(`${stack.url}/a/${inbox.alias}`)
  await expect(nobody.page.getByText(/permission/i).first()).toBeVisible()
})

test('a token that is no good leads to signing in', async ({ stack, sit }) => {
  const nobody = await sit('not.a.token')
  nobody.watch.allow(/401/)
  await nobody.page.goto(stack.url)
  await expect(
    nobody.page
      .getByRole('button', { name: /sign in/i })
      .or(nobody.page.getByRole('navigation', { name: 'Inboxes' }))
      .first(),
  ).toBeVisible()
})

test('raw is shown only when asked for, and the trail says who looked', async ({ desk, inbox }) => {
  const requests: string[] = []
  desk.page.on('request', (r) => requests.push(r.url()))
  const { thread_id } = await inbox.event({
    thread_id: 'external-thread-4711',
    title: 'Raw',
    text: 'Show me',
    user: { id: 'external-user-4711', name: 'Uma' },
  })
  await desk.openThread(thread_id)
  expect(await desk.page.content()).not.toContain('4711')
  expect(requests.filter((u) => u.endsWith('/raw'))).toEqual([])

  await desk.message('Show me').hover()
  await desk.message('Show me').getByRole('button', { name: /^More actions/ }).click()
  await desk.page.getByRole('menuitem', { name: 'Show raw' }).click()
  const dialog = desk.page.getByRole('dialog', { name: 'Raw payload' })
  // It asks before, as it is told on.
  await expect(dialog).toContainText(/audit trail/)
  expect(requests.filter((u) => u.endsWith('/raw'))).toEqual([])
  await dialog.getByRole('button', { name: 'Show it' }).click()
  await expect(dialog).toContainText('external-thread-4711')
  await expect(dialog).toContainText('external-user-4711')
  await desk.page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)

  await desk.section('Audit trail')
  await expect(desk.page.getByRole('main').getByText(/raw/i).first()).toBeVisible()
  await expect(desk.page.getByRole('main')).toContainText(inbox.owner)
})

test('dev mode signs in by itself, and says so', async ({ browser, stack }) => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(stack.url)
  await expect(page.getByRole('navigation', { name: 'Inboxes' })).toContainText('desk-00')
  await expect(page.getByText(/dev mode|development/i).first()).toBeVisible()
  await context.close()
})
