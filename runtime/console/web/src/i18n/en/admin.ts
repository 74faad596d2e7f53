// Texts of the pages beside the inbox: channels, keys, usage, audit, canned texts.
import { audit } from './admin/audit'
import { canned } from './admin/canned'
import { channels } from './admin/channels'
import { keys } from './admin/keys'
import { usage } from './admin/usage'

export const admin = { 'kit.loading': 'Loading…', ...channels, ...keys, ...usage, ...audit, ...canned } as const
