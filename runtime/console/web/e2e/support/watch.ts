import type { BrowserContext, Page } from '@playwright/test'

// Watch sees what no page of ours may ever do, whatever the test is about: write an error to the console (a violated
// Content-Security-Policy is one), fail with an exception, open a dialog, or call another host.
export class Watch {
  readonly wrongs: string[] = []
  private readonly allowed: RegExp[] = []

  constructor(
    context: BrowserContext,
    private readonly host: string,
  ) {
    context.on('page', (page) => this.page(page))
    context.on('request', (request) => {
      const url = new URL(request.url())
      if (url.protocol.startsWith('http') && url.host !== this.host && !this.hosts.has(url.host))
        this.wrong(`a request to another host: ${request.url()}`)
    })
    context.on('console', (message) => {
      if (message.type() === 'error' || /content security policy/i.test(message.text())) {
        this.wrong(`console: ${message.text()} (${message.location().url})`)
      }
    })
    context.on('weberror', (error) => this.wrong(`exception: ${error.error().stack ?? error.error().message}`))
  }

  private readonly hosts = new Set<string>()

  // allowHost is for an issuer of tokens, which is another host by its nature.
  allowHost(host: string): void {
    this.hosts.add(host)
  }

  // allow says that the browser itself will complain, as it does of each answer that is an error.
  allow(what: RegExp): void {
    this.allowed.push(what)
  }

  private page(page: Page): void {
    page.on('dialog', (dialog) => {
      this.wrong(`a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
  }

  private wrong(what: string): void {
    this.wrongs.push(what)
  }

  // verdict is what was wrong and not allowed.
  verdict(): string[] {
    return this.wrongs.filter((w) => !this.allowed.some((a) => a.test(w)))
  }
}
