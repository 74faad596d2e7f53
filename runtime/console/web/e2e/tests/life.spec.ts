import { test, expect } from '../support/fixtures.ts'

test('a Telegram message arrives live, is assigned, answered and delivered', async ({ desk, inbox }) => {
  await desk.open()
  await expect(desk.page.getByText('Nothing here yet')).toBeVisible()

  const jane = inbox.someone('Jane', 'Doe')
  await inbox.says(jane, 'Hello, my order has not come')
  const row = desk.row('Jane Doe')
  await expect(row).toContainText('my order has not come')
  await desk.pick('Jane Doe')
  await expect(desk.message('my order has not come')).toBeVisible()

  await desk.choose('Assignee', /^Me$/)
  await expect(row.getByRole('img', { name: `Assigned to ${inbox.owner}` })).toBeVisible()

  await inbox.says(jane, 'It was order 4711')
  await expect(desk.message('It was order 4711')).toBeVisible()
  await expect(row).toContainText('It was order 4711')

  await desk.answer('Thanks, we are checking this now')
  const sent = desk.message('Thanks, we are checking this now')
  await expect(sent).toContainText(/sent|delivered/i)
  await expect.poll(async () => (await inbox.got(jane)).map((m) => m.text)).toEqual(['Thanks, we are checking this now'])
})

test('a failed delivery is seen with its reason, and delivered when it is sent again', async ({ desk, inbox, stack }) => {
  const john = inbox.someone('John')
  const { thread_id } = await inbox.says(john, 'Is anybody there?')
  await stack.simulator.fault({ method: 'sendMessage', chat_id: john.id, status: 400, description: 'Bad Request: the chat is on fire' })
  await desk.openThread(thread_id)
  await desk.answer('Yes, we are')
  const sent = desk.message('Yes, we are')
  await expect(sent).toContainText('Failed')
  await expect(sent).toContainText('the chat is on fire')
  expect(await inbox.got(john)).toEqual([])

  await stack.simulator.mend()
  await sent.getByRole('button', { name: 'Retry' }).click()
  await expect(sent).not.toContainText('Failed')
  await expect(sent).toContainText(/sent|delivered/i)
  await expect.poll(async () => (await inbox.got(john)).map((m) => m.text)).toEqual(['Yes, we are'])
})

test('a note stays inside', async ({ desk, inbox }) => {
  const ann = inbox.someone('Ann')
  const { thread_id } = await inbox.says(ann, 'Where is my refund?')
  await desk.openThread(thread_id)
  await desk.remark('She is a good customer: be generous')
  const note = desk.message('be generous')
  await expect(note).toBeVisible()
  await expect(note).toHaveAccessibleName(/^Note/)
  await desk.answer('It is on its way')
  await expect.poll(async () => (await inbox.got(ann)).map((m) => m.text)).toEqual(['It is on its way'])
})

test('a message is written with the formatting of its channel, and looks so before', async ({ desk, inbox }) => {
  const kim = inbox.someone('Kim')
  const { thread_id } = await inbox.says(kim, 'How do I reset it?')
  await desk.openThread(thread_id)
  await desk.compose('Reply')
  await desk.reply.fill('Press <b>both</b> buttons & wait')
  const preview = desk.conversation.getByRole('region', { name: 'Preview' })
  await expect(preview.locator('strong, b')).toHaveText('both')
})

test('a file and what was pressed are shown', async ({ desk, inbox }) => {
  const { thread_id } = await inbox.event({
    title: 'Scan',
    text: 'The signed contract',
    user: { id: 'u1', name: 'Uma' },
    attachments: [{ url: 'https://files.invalid/contract.pdf', name: 'contract.pdf', mime_type: 'application/pdf', size: 12345 }],
  })
  await desk.openThread(thread_id)
  const link = desk.message('The signed contract').getByRole('link', { name: /contract\.pdf/ })
  await expect(link).toHaveAttribute('href', 'https://files.invalid/contract.pdf')
  await expect(link).toHaveAttribute('rel', /noreferrer/)
})
