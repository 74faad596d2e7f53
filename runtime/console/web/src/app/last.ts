const key = 'socialops.alias'

/** The instance that the reader was at last, in this browser. */
export const lastAlias = () => localStorage.getItem(key) ?? undefined
export const rememberAlias = (alias: string) => localStorage.setItem(key, alias)
