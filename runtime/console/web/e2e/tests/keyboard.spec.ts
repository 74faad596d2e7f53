import { test, expect } from '../support/fixtures.ts'

test('a whole shift without a mouse', async ({ desk, inbox }) => {
  const page = desk.page
  const keys = page.keyboard
  const bob = inbox.someone('Bob')
  await inbox.event({ thread_id: 'a', title: 'First case', text: 'One' })
  await inbox.says(bob, 'Second case')
  await inbox.event({ thread_id: 'c', title: 'Third case', text: 'Three' })
  await desk.open()
  await expect(desk.rows).toHaveCount(3)

  await keys.press('?')
  await expect(page.getByRole('dialog', { name: /keyboard/i })).toBeVisible()
  await keys.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)

  await keys.press('j') // newest first: the third
  await expect(desk.message('Three')).toBeVisible()
  await keys.press('j')
  await expect(desk.message('Second case')).toBeVisible()
  await keys.press('j')
  await keys.press('k')
  await expect(desk.message('Second case')).toBeVisible()

  await keys.press('r')
  await expect(desk.reply).toBeFocused()
  await keys.type('An answer by keys')
  await keys.press('Control+Enter')
  await expect.poll(async () => (await inbox.got(bob)).map((m) => m.text)).toEqual(['An answer by keys'])
  await keys.press('Escape')
  await keys.press('n')
  await expect(desk.note).toBeFocused()
  await keys.type('A note by keys')
  await keys.press('Control+Enter')
  await expect(desk.message('A note by keys')).toBeVisible()
  await keys.press('Escape')
  await keys.press('e')
  await expect(desk.row('Second case')).toHaveCount(0)

  await keys.press('/')
  await expect(desk.search).toBeFocused()
  await keys.type('First')
  await expect(desk.rows).toHaveCount(1)
  await keys.press('Escape')

  await keys.press('Control+k')
  const commands = page
    .getByRole('dialog')
    .filter({ has: page.getByRole('combobox').or(page.getByRole('searchbox')).or(page.getByRole('textbox')) })
  await expect(commands).toBeVisible()
  await keys.type('audit')
  await keys.press('Enter')
  await expect(page).toHaveURL(new RegExp(`/a/${inbox.alias}/audit`))
  await expect(page.getByRole('heading', { name: 'Audit trail' })).toBeVisible()
})

test('the first Tab leads past the panes, and what has the focus is seen', async ({ desk, inbox }) => {
  await inbox.event({ thread_id: 'a', title: 'Focus', text: 'x' })
  await desk.open()
  await desk.page.keyboard.press('Tab')
  const skip = desk.page.getByRole('link', { name: /skip/i })
  await expect(skip).toBeFocused()
  await expect(skip).toBeInViewport()
  const seen = new Set<string>()
  for (let n = 0; n < 40; n++) {
    await desk.page.keyboard.press('Tab')
    const focused = await desk.page.evaluate(() => {
      const e = document.activeElement
      if (!e || e === document.body) return ''
      const box = e.getBoundingClientRect()
      return `${e.tagName} ${e.getAttribute('aria-label') ?? e.textContent?.slice(0, 40) ?? ''} ${box.width > 0 && box.height > 0 ? '' : 'UNSEEN'}`
    })
    expect(focused).not.toContain('UNSEEN')
    seen.add(focused)
  }
  expect(seen.size).toBeGreaterThan(8)
})
