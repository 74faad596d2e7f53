import type { Catalogue } from '..'
import { admin } from './admin'
import { common } from './common'

export const de: Catalogue = { ...common, ...admin }
