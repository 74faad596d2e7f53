import type { Catalogue } from '..'

export const admin: Catalogue = {}
