import { useSyncExternalStore } from 'react'
import type { ThreadList } from './list'

/** Renders anew when the list changes; what is read from it then is current. */
export const useList = (list: ThreadList) => useSyncExternalStore(list.subscribe, () => list.version)
