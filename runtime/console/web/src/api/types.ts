// The JSON of the console API, as runtime/rest/shapes.go and the console's own calls have it.

export type Status = 'open' | 'pending' | 'resolved' | 'archived'
export type Priority = 'low' | 'normal' | 'high' | 'urgent'
export type DeliveryStatus = 'pending' | 'processing' | 'awaiting' | 'completed' | 'failed'
export type ParseMode = '' | 'HTML' | 'Markdown' | 'MarkdownV2'

export const statuses: readonly Status[] = ['open', 'pending', 'resolved', 'archived']
export const priorities: readonly Priority[] = ['urgent', 'high', 'normal', 'low']

export interface Agent {
  id: string
  subject: string
  name: string
}

export interface Contact {
  id: string
  name: string
  handle?: string
  url?: string
  avatar_url?: string
  blocked: boolean
  created_at: string
}

export interface Attachment {
  id: string
  kind: string
  name: string
  mime_type: string
  size: number
  url?: string
  state: 'linked' | 'remote' | 'stored' | 'failed'
  error?: string
}

export interface Delivery {
  action_id: string
  status: DeliveryStatus
  attempts: number
  error: string
}

export interface Message {
  id: string
  thread_id: string
  seq: number
  direction: 'inbound' | 'outbound' | 'internal'
  message_type: string
  text: string
  author: { kind: 'contact' | 'agent' | 'api_key' | 'system'; id?: string; name: string }
  parent_id?: string
  origin: 'theirs' | 'ours' | 'ours_elsewhere'
  url?: string
  group_id?: string
  data?: Record<string, unknown>
  attachments: Attachment[]
  sent_at?: string
  created_at: string
  edited_at?: string
  delivery?: Delivery
}

export interface InboxThread {
  id: string
  provider: string
  channel_id?: string
  contact_id?: string
  subject: string
  ai_summary: string
  status: Status
  priority: Priority
  assignee?: Agent
  labels: string[]
  handler: 'agents' | 'bot'
  custom_data: Record<string, unknown>
  unread_count: number
  last_message_at: string
  expires_at?: string
  created_at: string
  contact?: Contact
  last_message?: Message
}

export interface ThreadPatch {
  status?: Status
  priority?: Priority
  /** soag_…, sub:…, or null for nobody */
  assignee?: string | null
  labels?: string[]
}

export interface LogEvent {
  seq: number
  type: string
  at: string
  actor: string
  thread_id?: string
  message_id?: string
  action_id?: string
  contact_id?: string
  channel_id?: string
  key_id?: string
  changed?: string[]
  status?: DeliveryStatus
  detail?: string
  message?: Message
  thread?: InboxThread
}

export interface AuditEntry {
  seq: number
  at: string
  type: string
  actor: string
  actor_name: string
  thread_id?: string
  /** Absent when the thread is gone, or has none. */
  thread_subject?: string
  message_id?: string
  channel_id?: string
  key_id?: string
  changed?: string[]
  status?: string
  detail?: string
}

export interface Pagination {
  page: number
  limit: number
  next_cursor: string | null
  has_more: boolean
}

export interface Page<T> {
  data: T[]
  pagination: Pagination
}

export interface Config {
  mode: 'oidc' | 'dev'
  version: string
  oidc?: { issuer: string; client_id: string; scopes: string }
  owners?: string[]
}

export interface Me {
  subject: string
  name: string
  permissions: string[]
}

export interface Instance {
  alias: string
  name: string
  namespace: string
  providers: string[]
  billing_mode: 'Off' | 'Track' | 'Enforce'
  suspended: boolean
  unread: number
  created_at: string
}

export interface Money {
  micro_usd: number
  usd: string
}

export interface EntrySum {
  count: number
  sum: Money
}

export type EntryKind = 'inbound' | 'reply' | 'refund' | 'credit'

export interface Usage {
  balance: Money
  billing_mode: Instance['billing_mode']
  from: string
  to: string
  entries: Record<string, EntrySum>
}

export interface Charge {
  at: string
  entries: Record<string, EntrySum>
}

export interface Entry {
  reference: string
  kind: EntryKind
  amount: Money
  at: string
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  last_transition_at: string
}

export interface Channel {
  id: string
  name: string
  provider: string
  channel_name: string
  external_channel_id?: string | null
  connected_account_id?: string
  account?: string
  parse_mode: ParseMode
  status: 'active' | 'inactive'
  health: 'ok' | 'working' | 'problem' | 'off'
  conditions: Condition[]
  webhook_url?: string
  created_at: string
}

export interface Account {
  id: string
  kind: string
  provider: string
  name: string
  display_name: string
  status: 'active' | 'unproven' | 'removed'
  message: string
}

export interface Key {
  id: string
  name: string
  hint: string
  scopes: string[]
  origin: 'manifest' | 'api'
  created_at: string
  expires_at?: string
  revoked_at?: string
}

export interface CannedText {
  id: string
  name: string
  text: string
  updated_at: string
}

export interface SavedView {
  id: string
  name: string
  query: string
  shared: boolean
  mine: boolean
}

export interface Raw {
  external_thread_id: string
  external_message_id: string
  payloads: { content_type: string; received_at: string; encoding: 'utf-8' | 'base64'; body: string }[]
}

export interface BulkChange {
  thread_ids: string[]
  status?: Status
  priority?: Priority
  assignee?: string | null
  add_labels?: string[]
  remove_labels?: string[]
}

export interface BulkResult {
  thread_id: string
  ok: boolean
  error?: { code: string; message: string }
  thread?: InboxThread
}

export interface Queued {
  message: Message
  action?: { id: string; status: DeliveryStatus }
}
