import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execFileSync } from 'node:child_process'
import { Inbox } from './inbox.ts'
import { manifest, plan } from './manifests.ts'
import { freePort, Program } from './program.ts'
import { Simulator } from './simulator.ts'

// binary is the socialops to prove; it holds the page.
export const binary = process.env.SOCIALOPS ?? fileURLToPath(new URL('../../../../../bin/socialops', import.meta.url))

// How many inboxes are made before they are wanted.
const ahead = 3

export interface Options {
  inboxes?: boolean // with names and owners of their own, a new one for each test, besides what is in manifests
  manifests?: Record<string, string> // file name to content
  args?: string[] // of `socialops dev`
  simulator?: boolean // false: none beside it, as the demo has its own
}

// Stack is a `socialops dev` with a Telegram simulator beside it, on data of its own.
export class Stack {
  private program: Program
  private next = 0
  private prepared = 0

  private constructor(
    readonly dir: string,
    readonly port: number,
    private readonly telegram: Simulator | undefined,
    private readonly options: Options,
  ) {
    this.prepare(0)
    this.program = this.launch()
  }

  static async start(options: Options): Promise<Stack> {
    const dir = mkdtempSync(join(tmpdir(), 'socialops-e2e-'))
    // As root, Postgres runs as another user and must reach its folder below.
    execFileSync('chmod', ['755', dir])
    mkdirSync(join(dir, 'manifests'))
    for (const [name, content] of Object.entries(options.manifests ?? {})) writeFileSync(join(dir, 'manifests', name), content)
    const telegram = options.simulator === false ? undefined : await Simulator.start(binary, join(dir, 'simulator.log'))
    const stack = new Stack(dir, await freePort(), telegram, options)
    await stack.ready()
    return stack
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get simulator(): Simulator {
    if (!this.telegram) throw new Error('this stack has no simulator')
    return this.telegram
  }

  get pid(): number {
    return this.program.pid
  }

  private launch(): Program {
    return new Program('socialops dev', join(this.dir, 'socialops.log'), binary, [
      'dev',
      '--listen',
      `127.0.0.1:${this.port}`,
      '--data-dir',
      join(this.dir, 'data'),
      '--manifests',
      join(this.dir, 'manifests'),
      ...(this.telegram ? ['--telegram-api-url', this.telegram.url] : []),
      ...(this.options.args ?? []),
    ])
  }

  private async ready(): Promise<void> {
    await this.program.says(/SocialOps (is at|lives at) http/)
  }

  // prepare applies the manifests of the inboxes up to a few ahead of a number, so that no test waits for its own.
  private prepare(n: number): void {
    if (!this.options.inboxes) return
    for (; this.prepared < n + ahead; this.prepared++) {
      const p = plan(this.prepared)
      writeFileSync(join(this.manifestsDir(), `${p.alias}.yaml`), manifest(p))
    }
  }

  // inbox gives out an inbox that no other test has had.
  async inbox(): Promise<Inbox> {
    const n = this.next++
    this.prepare(n)
    const p = plan(n)
    for (const start = Date.now(); ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      if (existsSync(this.keyFile(p.alias))) {
        const inbox = this.known(p)
        if ((await inbox.native('GET', '/inbox')).ok) return inbox
      }
      if (Date.now() - start > 20_000) throw new Error(`the inbox ${p.alias} is not served:\n${this.log()}`)
    }
  }

  // known is an inbox by its plan.
  known(p: ReturnType<typeof plan>): Inbox {
    return new Inbox(this, p, readFileSync(this.keyFile(p.alias), 'utf8').trim())
  }

  private keyFile(alias: string): string {
    return join(this.dir, 'data', 'keys', alias)
  }

  manifestsDir(): string {
    return join(this.dir, 'manifests')
  }

  // token is what `socialops token` prints: a console token of a person with some permissions.
  token(subject: string, permissions: string[]): string {
    return execFileSync(
      binary,
      ['token', '--data-dir', join(this.dir, 'data'), '--subject', subject, '--permissions', permissions.join(',')],
      {
        encoding: 'utf8',
      },
    ).trim()
  }

  // says waits until the server has printed something.
  async says(what: RegExp): Promise<void> {
    await this.program.says(what)
  }

  // crash is kill -9; restart starts it again on the same port and data.
  crash(): Promise<void> {
    return this.program.kill()
  }

  async restart(): Promise<void> {
    this.program = this.launch()
    await this.ready()
  }

  log(): string {
    return this.program.tail()
  }

  async stop(): Promise<void> {
    await this.program.stop()
    await this.telegram?.stop()
    if (!process.env.KEEP) rmSync(this.dir, { recursive: true, force: true })
  }
}
