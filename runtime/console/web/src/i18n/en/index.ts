import type { admin } from './admin'
import { common } from './common'
import { conversation } from './conversation'

export type English = typeof common & typeof conversation & typeof admin

/** What the first view needs; the pages beside the inbox bring their texts with them. */
export const first = { ...common, ...conversation }
