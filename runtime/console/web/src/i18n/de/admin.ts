import type { Catalogue } from '..'
import { audit } from './admin/audit'
import { canned } from './admin/canned'
import { channels } from './admin/channels'
import { keys } from './admin/keys'
import { usage } from './admin/usage'

export const admin: Catalogue = { 'kit.loading': 'Wird geladen …', ...channels, ...keys, ...usage, ...audit, ...canned }
