import type { Catalogue } from '..'
import { admin } from './admin'
import { common } from './common'
import { conversation } from './conversation'

export const de: Catalogue = { ...common, ...conversation, ...admin }
