import { createStore } from './store'

export type Overlay = 'palette' | 'help' | undefined

/** What lies over the whole page. */
export const overlay = createStore<Overlay>(undefined)
