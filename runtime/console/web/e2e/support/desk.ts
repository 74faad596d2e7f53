import { expect, type Locator, type Page } from '@playwright/test'
import type { Inbox } from './inbox.ts'

export type Section = 'Inbox' | 'Channels' | 'Keys' | 'Usage' | 'Audit trail' | 'Canned texts'

// Desk is the page as a person finds their way in it: by roles and names.
export class Desk {
  readonly list: Locator
  readonly rows: Locator
  readonly search: Locator
  readonly conversation: Locator
  readonly messages: Locator
  readonly reply: Locator
  readonly note: Locator
  readonly bulk: Locator
  readonly connection: Locator

  constructor(
    readonly page: Page,
    readonly inbox: Inbox,
  ) {
    this.list = page.getByRole('list', { name: 'Threads' })
    this.rows = this.list.getByRole('listitem')
    this.search = page.getByRole('searchbox', { name: 'Search' })
    this.conversation = page.getByRole('region', { name: 'Conversation' })
    this.messages = this.conversation.getByRole('log', { name: 'Messages' }).getByRole('article')
    this.reply = this.conversation.getByRole('textbox', { name: 'Reply' })
    this.note = this.conversation.getByRole('textbox', { name: 'Note' })
    this.bulk = page.getByRole('toolbar', { name: 'Selected threads' })
    this.connection = page.getByText(/connection lost|reconnecting/i)
  }

  address(query = ''): string {
    return `${this.inbox.stack.url}/a/${this.inbox.alias}${query ? `?${query}` : ''}`
  }

  // open goes to the list and waits until it is there.
  async open(query = ''): Promise<void> {
    await this.page.goto(this.address(query))
    await this.ready()
  }

  async ready(): Promise<void> {
    await expect(this.page.getByRole('region', { name: 'Threads' })).toBeVisible()
    await expect(this.page.locator('[aria-busy="true"]')).toHaveCount(0)
  }

  async openThread(id: string, query = ''): Promise<void> {
    await this.page.goto(`${this.inbox.stack.url}/a/${this.inbox.alias}/t/${id}${query ? `?${query}` : ''}`)
    await expect(this.messages.first()).toBeVisible()
  }

  // row is the list's row that says something.
  row(text: string | RegExp): Locator {
    return this.rows.filter({ hasText: text })
  }

  message(text: string | RegExp): Locator {
    return this.messages.filter({ hasText: text })
  }

  // pick opens a thread by its row.
  async pick(text: string | RegExp): Promise<void> {
    await this.row(text).getByRole('link').click()
    await expect(this.messages.first()).toBeVisible()
  }

  async tick(text: string | RegExp): Promise<void> {
    await this.row(text).getByRole('checkbox').check()
  }

  async answer(text: string): Promise<void> {
    await this.compose('Reply')
    await this.reply.fill(text)
    await this.conversation.getByRole('button', { name: 'Send', exact: true }).click()
  }

  async remark(text: string): Promise<void> {
    await this.compose('Note')
    await this.note.fill(text)
    await this.conversation.getByRole('button', { name: 'Add note' }).click()
  }

  // compose turns the composer to one of its two uses.
  async compose(what: 'Reply' | 'Note'): Promise<void> {
    const tab = this.conversation.getByRole('tab', { name: what }).or(this.conversation.getByRole('radio', { name: what }))
    if ((await tab.getAttribute('aria-selected')) !== 'true') await tab.click()
  }

  // choose sets one of the conversation's fields, such as its status, to an option by its name.
  async choose(field: string, option: string | RegExp): Promise<void> {
    await this.pickOption(this.conversation, field, option)
  }

  // field is what the conversation's header says of a field, such as its status.
  field(name: string): Locator {
    return this.conversation.getByRole('combobox', { name, exact: true })
  }

  // label gives the conversation a label that may be new.
  async label(name: string): Promise<void> {
    await this.field('Labels').click()
    const choice = this.page.getByRole('dialog', { name: 'Labels' })
    await choice.getByRole('combobox').fill(name)
    await choice.getByRole('option', { name }).click()
    await this.page.keyboard.press('Escape')
    await expect(choice).toHaveCount(0)
  }

  // filter sets one of the list's filters.
  async filter(field: string, option: string): Promise<void> {
    await this.pickOption(this.page.getByRole('region', { name: 'Threads' }), field, option)
  }

  private async pickOption(within: Locator, field: string, option: string | RegExp): Promise<void> {
    await within.getByRole('combobox', { name: field, exact: true }).click()
    const choice = this.page.getByRole('dialog', { name: field })
    await choice.getByRole('option', { name: option, exact: true }).click()
    // where several may be chosen, it stays open
    if (await choice.isVisible()) await this.page.keyboard.press('Escape')
    await expect(choice).toHaveCount(0)
  }

  // section goes to another part of the alias's pages.
  async section(name: Section): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name }).click()
  }

  // channel is the card of a channel, on their page.
  channel(name: string): Locator {
    return this.page.getByRole('list', { name: 'Channels' }).getByRole('listitem').filter({ hasText: name })
  }

  account(): Locator {
    return this.page.getByRole('button', { name: 'Account' })
  }
}
