import { freePort, accepts, Program } from './program.ts'

export interface Person {
  id: number
  first_name: string
  last_name?: string
  username?: string
}

export interface Sent {
  chat_id: number
  message_id: number
  text: string
  raw: string
  parse_mode?: string
}

// What goes wrong with calls of the Bot API; runtime/provider/telegram/botapisim/fault.go tells.
export interface Fault {
  token?: string
  method?: string
  chat_id?: number
  times?: number
  hang?: boolean
  effect?: boolean
  status?: number
  description?: string
  retry_after?: number
  delay_ms?: number
  drop_at?: 'before_read' | 'before_answer' | 'mid_answer'
}

// Simulator stands for Telegram, and for the people who write to bots.
export class Simulator {
  private constructor(
    private readonly program: Program,
    readonly url: string,
  ) {}

  static async start(binary: string, logFile: string): Promise<Simulator> {
    const port = await freePort()
    const program = new Program('telegram-simulator', logFile, binary, ['telegram-simulator', '--listen', `127.0.0.1:${port}`])
    await accepts(port, program)
    return new Simulator(program, `http://127.0.0.1:${port}`)
  }

  stop(): Promise<void> {
    return this.program.stop()
  }

  // says has a person write to a bot in private, and fails unless the bot's inbox takes it.
  async says(token: string, from: Person, text: string): Promise<{ thread_id: string; message_id: string }> {
    const got = await this.call<{ status: number; answer: string }>('POST', '/sim/says', { token, from, text })
    if (got.status !== 202) throw new Error(`the webhook answered ${got.status}: ${got.answer}`)
    return JSON.parse(got.answer) as { thread_id: string; message_id: string }
  }

  // sentTo lists what a person has got from any bot.
  sentTo(chat: number): Promise<Sent[]> {
    return this.call('GET', `/sim/sent?chat_id=${chat}`)
  }

  fault(fault: Fault): Promise<unknown> {
    return this.call('POST', '/sim/faults', fault)
  }

  // mend ends every fault.
  mend(): Promise<unknown> {
    return this.call('DELETE', '/sim/faults')
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.url + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }
}
