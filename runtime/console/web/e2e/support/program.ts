import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, readFileSync, type WriteStream } from 'node:fs'
import { connect, createServer } from 'node:net'

const patience = 60_000

// Program is a process that runs beside the tests. All that it says goes to a log file.
export class Program {
  readonly exited: Promise<void>
  private readonly child: ChildProcess
  private readonly log: WriteStream
  private said = ''
  private readonly listeners = new Set<() => void>()
  private ended = false

  constructor(
    readonly name: string,
    readonly logFile: string,
    command: string,
    args: string[],
    more: Record<string, string> = {},
  ) {
    this.log = createWriteStream(logFile, { flags: 'a' })
    const env = Object.fromEntries(Object.entries(process.env).filter(([k]) => !/^(SOCIALOPS_|DATABASE_|OTEL_|PG)/.test(k)))
    this.child = spawn(command, args, { env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.log.write(chunk)
      this.said += chunk.toString()
      this.wake()
    })
    this.child.stderr?.on('data', (chunk: Buffer) => this.log.write(chunk))
    this.exited = new Promise((resolve) => {
      const end = (why: string): void => {
        if (this.ended) return
        this.ended = true
        this.log.end(`\n[${name}: ${why}]\n`, () => resolve())
        this.wake()
      }
      this.child.on('error', (err) => end(err.message))
      this.child.on('close', (code, signal) => end(`ended with ${String(signal ?? code)}`))
    })
    process.once('exit', () => this.child.kill('SIGKILL'))
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  private wake(): void {
    for (const listener of this.listeners) listener()
  }

  // says waits until the program has printed something.
  async says(what: RegExp): Promise<RegExpExecArray> {
    let timer: NodeJS.Timeout | undefined
    let check = (): void => undefined
    try {
      return await new Promise<RegExpExecArray>((resolve, reject) => {
        check = () => {
          const match = what.exec(this.said)
          if (match) resolve(match)
          else if (this.ended) reject(new Error(`${this.name} ended before it said ${what}:\n${this.tail()}`))
        }
        timer = setTimeout(() => reject(new Error(`${this.name} does not say ${what}:\n${this.tail()}`)), patience)
        this.listeners.add(check)
        check()
      })
    } finally {
      this.listeners.delete(check)
      clearTimeout(timer)
    }
  }

  // stop asks it to end, and waits until it has.
  async stop(): Promise<void> {
    this.child.kill('SIGTERM')
    const killer = setTimeout(() => this.child.kill('SIGKILL'), patience)
    await this.exited
    clearTimeout(killer)
  }

  // kill is kill -9.
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }

  tail(): string {
    try {
      return readFileSync(this.logFile, 'utf8').slice(-4000)
    } catch {
      return '(no log)'
    }
  }
}

// freePort finds a port that nobody listens on.
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

// accepts waits until something listens on a port, which the simulator does not say of itself.
export async function accepts(port: number, program: Program): Promise<void> {
  let over = false
  void program.exited.then(() => (over = true))
  for (const start = Date.now(); Date.now() - start < patience;) {
    if (over) break
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => setTimeout(() => resolve(false), 20))
    })
    if (open) return
  }
  throw new Error(`${program.name} does not listen:\n${program.tail()}`)
}
