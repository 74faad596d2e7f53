import { test, expect } from '../support/fixtures.ts'

test('the network is cut and heals: nothing is lost, nothing is doubled', async ({ desk, inbox, context, watch }) => {
  watch.allow(/ERR_INTERNET_DISCONNECTED|Failed to fetch|Failed to load resource/)
  const jane = inbox.someone('Jane')
  const { thread_id } = await inbox.says(jane, 'Before the cut')
  await desk.openThread(thread_id)
  await expect(desk.connection).toHaveCount(0)

  await context.setOffline(true)
  await expect(desk.connection.first()).toBeVisible()
  await inbox.says(jane, 'During the cut, one')
  await inbox.says(jane, 'During the cut, two')
  const other = await inbox.event({ thread_id: 'b', title: 'Another thread', text: 'It came meanwhile' })
  expect(other.thread_id).not.toBe('')

  await context.setOffline(false)
  await expect(desk.message('During the cut, two')).toHaveCount(1)
  await expect(desk.message('During the cut, one')).toHaveCount(1)
  await expect(desk.connection).toHaveCount(0)
  await expect(desk.row('Another thread')).toHaveCount(1)
  await inbox.says(jane, 'After the cut')
  await expect(desk.message('After the cut')).toHaveCount(1)
})

test('the server is killed and comes back: the page heals, the draft is still there, a reply goes once', async ({
  desk,
  inbox,
  stack,
  watch,
}) => {
  watch.allow(/ERR_|Failed to fetch|Failed to load resource/)
  const jane = inbox.someone('Jane')
  const { thread_id } = await inbox.says(jane, 'Are you there?')
  await desk.openThread(thread_id)
  await desk.compose('Reply')
  await desk.reply.fill('We are, and this is half a sent')

  await stack.crash()
  await expect(desk.connection.first()).toBeVisible()
  await expect(desk.reply).toHaveValue('We are, and this is half a sent')
  await stack.restart()
  await expect(desk.connection).toHaveCount(0, { timeout: 30_000 })
  await inbox.says(jane, 'Hello again')
  await expect(desk.message('Hello again')).toHaveCount(1)
  await expect(desk.message('Are you there?')).toHaveCount(1)

  await desk.page.reload()
  await expect(desk.reply).toHaveValue('We are, and this is half a sent')
  await desk.answer('We are, and this is a whole sentence')
  await expect.poll(async () => (await inbox.got(jane)).map((m) => m.text)).toEqual(['We are, and this is a whole sentence'])
  await expect(desk.reply).toHaveValue('')
})

test('a reply whose answer was lost goes once', async ({ desk, inbox, watch }) => {
  watch.allow(/ERR_|Failed to load resource/)
  const jane = inbox.someone('Jane')
  const { thread_id } = await inbox.says(jane, 'Twice or once?')
  await desk.openThread(thread_id)
  let cut = false
  await desk.page.route('**/replies', async (route) => {
    if (cut) return route.fallback()
    cut = true
    await route.fetch() // the server has it
    await route.abort('connectionreset') // and the page does not know
  })
  await desk.answer('Once')
  const again = desk.conversation.getByRole('button', { name: /^(send|retry|try again)/i })
  const sent = desk.message('Once').filter({ hasText: /sent|delivered/i })
  // Whether the page tries again by itself or a person does: the Idempotency-Key is the same.
  await expect(again.first()).toBeVisible()
  if ((await desk.reply.inputValue()) === 'Once') await again.first().click()
  await expect(sent).toHaveCount(1)
  await expect.poll(async () => (await inbox.got(jane)).map((m) => m.text)).toEqual(['Once'])
})

test('an answer that comes after the event that outdates it changes nothing', async ({ desk, inbox, stack }) => {
  const john = inbox.someone('John')
  const { thread_id } = await inbox.says(john, 'Is this slow?')
  await stack.simulator.fault({ method: 'sendMessage', chat_id: john.id, status: 400, description: 'Bad Request: the chat is on fire' })
  await desk.openThread(thread_id)
  let answer: () => void = () => {}
  const answered = desk.page.waitForResponse('**/replies')
  await desk.page.route('**/replies', async (route) => {
    const response = await route.fetch()
    await new Promise<void>((done) => (answer = done))
    await route.fulfill({ response })
  })
  await desk.answer('It is')
  const sent = desk.message('It is')
  await expect(sent).toContainText('the chat is on fire')
  answer()
  await (await answered).finished()
  await desk.page.evaluate(() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))))
  await expect(sent).toHaveCount(1)
  await expect(sent).toContainText('the chat is on fire')
})

test('what happens between the first reading and the stream is seen', async ({ desk, inbox }) => {
  const jane = inbox.someone('Jane')
  const { thread_id } = await inbox.says(jane, 'Before')
  let open: () => void = () => {}
  const waiting = new Promise<void>((done) => (open = done))
  await desk.page.route(/\/console\/socialops\/[^/]+\/events$/, async (route) => {
    await waiting
    await route.continue()
  })
  await desk.openThread(thread_id)
  await expect(desk.row('Before')).toHaveCount(1)
  await inbox.says(jane, 'Between')
  await inbox.event({ thread_id: 'b', title: 'Another', text: 'It came meanwhile' })
  open()
  await expect(desk.message('Between')).toHaveCount(1)
  await expect(desk.row('Another')).toHaveCount(1)
  await expect(desk.row('Between')).toHaveCount(1)
})

test('a part of the page that could not be loaded is asked for again', async ({ desk, inbox, watch }) => {
  watch.allow(/ERR_|Failed to fetch|Failed to load resource|dynamically imported module/)
  await inbox.event({ thread_id: 'a', title: 'Far away', text: 'Hello' })
  await desk.page.route(/\/assets\/conversation-.*\.js$/, (route) => route.abort('connectionrefused'))
  await desk.open()
  await desk.row('Far away').getByRole('link').click()
  const fault = desk.page.getByRole('alert').filter({ hasText: 'fault' })
  await expect(fault).toBeVisible()
  await desk.page.unroute(/\/assets\/conversation-.*\.js$/)
  await fault.getByRole('button', { name: 'Try again' }).click()
  await expect(desk.message('Hello')).toBeVisible()
})
