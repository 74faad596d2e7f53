import { expect, it } from 'vitest'
import type { AuditEntry } from '@/api/types'
import { de } from '@/i18n/de'
import type { Deed } from './fold'
import { sentence, type Part } from './sentence'

// Names and words stand in German sentences without being declined: whatever stands in their place must read well.

const names = { channel: () => 'Support Telegram', key: () => 'CI' }
const base: AuditEntry = {
  seq: 1,
  at: '2026-11-25T12:00:00Z',
  type: 'thread.updated',
  actor: 'agent:soag_1',
  actor_name: 'Alice',
  thread_id: 'soth_1',
  thread_subject: 'Rechnung',
}

const text = (key: string, vars: Record<string, string> = {}): string =>
  String(de[key as keyof typeof de] ?? key).replace(/\{(\w+)\}/g, (all, name: string) => vars[name] ?? all)

function read(deed: Deed): string {
  const { key, parts } = sentence(deed, names)
  const word = (part: Part): string => {
    switch (part.kind) {
      case 'name':
        return part.text
      case 'word':
        return text(part.key, part.names)
      case 'words':
        return new Intl.ListFormat('de').format([...part.keys.map((k) => text(k)), ...part.rest])
      case 'thread':
        return part.subject ? text('audit.named', { name: part.subject }) : text('audit.thread')
    }
  }
  return text(key, Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, word(part)])))
}

it.each<[Partial<Deed>, string]>([
  [{ changed: ['status'], status: 'resolved' }, 'Alice hat das Gespräch „Rechnung“ erledigt'],
  [
    { changed: ['status'], status: 'open', thread_subject: undefined },
    'Alice hat das Gespräch (ohne Betreff) wieder geöffnet',
  ],
  [
    { changed: ['priority', 'labels'], actor: 'key:sokey_1', actor_name: '' },
    'Der Schlüssel „CI“ hat am Gespräch „Rechnung“ die Priorität und die Labels geändert',
  ],
  [{ type: 'message.created', replied: true }, 'Alice hat im Gespräch „Rechnung“ geantwortet'],
  [{ type: 'message.created', actor: 'provider', actor_name: '' }, 'Im Gespräch „Rechnung“ kam eine Nachricht an'],
  [
    { type: 'channel.updated', changed: ['status'], status: 'inactive', channel_id: 'soch_1' },
    'Alice hat den Kanal „Support Telegram“ ausgeschaltet',
  ],
  [
    { type: 'credit.granted', actor: 'admin', actor_name: '', detail: 'credit:R-42' },
    'Die Verwaltung hat Guthaben für R-42 gewährt',
  ],
  [{ type: 'raw.shown' }, 'Alice hat die Rohdaten einer Nachricht im Gespräch „Rechnung“ angesehen'],
])('%j', (over, want) => {
  expect(read({ ...base, ...over })).toBe(want)
})
