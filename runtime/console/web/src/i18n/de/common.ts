import type { Catalogue } from '..'

export const common: Catalogue = {}
