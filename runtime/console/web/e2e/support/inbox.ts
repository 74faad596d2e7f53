import { createHmac, randomUUID } from 'node:crypto'
import type { plan } from './manifests.ts'
import type { Person, Sent } from './simulator.ts'
import type { Stack } from './stack.ts'

export const agentPermissions = ['service:read', 'service:manage']

// An event of the generic webhook; runtime/provider/generic tells what the fields mean.
export interface GenericEvent {
  event_id?: string
  thread_id?: string
  title?: string
  text?: string
  user?: { id: string; name?: string; handle?: string }
  labels?: string[]
  priority?: string
  attachments?: { url: string; name?: string; mime_type?: string; size?: number }[]
}

export interface Ids {
  thread_id: string
  message_id: string
}

let people = 0

// Inbox is a test's own inbox, as the world outside reaches it.
export class Inbox {
  readonly alias: string
  readonly owner: string
  readonly botToken: string

  constructor(
    readonly stack: Stack,
    private readonly p: ReturnType<typeof plan>,
    readonly key: string,
  ) {
    this.alias = p.alias
    this.owner = p.owner
    this.botToken = p.botToken
  }

  // token is the owner's, who may do what an agent may.
  token(permissions = agentPermissions): string {
    return this.stack.token(this.owner, permissions)
  }

  // someone makes up a person with a Telegram account.
  someone(first_name: string, last_name?: string): Person {
    people++
    const id = Number.parseInt(this.alias.replace(/\D/g, '') || '0', 10) * 1000 + people + 5_000_000
    return { id, first_name, ...(last_name === undefined ? {} : { last_name }), username: `person${id}` }
  }

  says(from: Person, text: string): Promise<Ids> {
    return this.stack.simulator.says(this.botToken, from, text)
  }

  got(person: Person): Promise<Sent[]> {
    return this.stack.simulator.sentTo(person.id)
  }

  async event(e: GenericEvent): Promise<Ids> {
    const body = JSON.stringify({ event_id: randomUUID(), ...e })
    const answer = await this.native('POST', '/webhook/generic-webhook', body)
    if (answer.status !== 202) throw new Error(`the event was answered ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as Ids
  }

  async issue(payload: unknown, kind = 'issues'): Promise<Ids> {
    const body = JSON.stringify(payload)
    const answer = await fetch(`${this.base}/webhook/github`, {
      method: 'POST',
      body,
      headers: {
        'Content-Type': 'application/json',
        'X-GitHub-Event': kind,
        'X-GitHub-Delivery': randomUUID(),
        'X-Hub-Signature-256': `sha256=${createHmac('sha256', this.p.githubSecret).update(body).digest('hex')}`,
      },
    })
    if (answer.status !== 202) throw new Error(`the webhook was answered ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as Ids
  }

  // native calls the inbox's own API with an API key.
  native(method: string, path: string, body?: string, key = this.key): Promise<Response> {
    return fetch(this.base + path, {
      method,
      headers: { 'X-API-Key': key, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    })
  }

  // console calls the console's API as the page would.
  async console<T>(method: string, path: string, body?: unknown, token = this.token()): Promise<T> {
    const answer = await fetch(`${this.stack.url}/console/socialops/${this.alias}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return (text ? (JSON.parse(text) as { data: T }).data : undefined) as T
  }

  private get base(): string {
    return `${this.stack.url}/v1/apps/socialops/${this.alias}`
  }
}
