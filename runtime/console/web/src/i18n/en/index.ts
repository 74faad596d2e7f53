import { admin } from './admin'
import { common } from './common'

export const en = { ...common, ...admin }
