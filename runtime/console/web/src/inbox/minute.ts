import { createStore } from '@/app/store'

/** The time, as far as ages show it: it steps each half minute while the page is seen. */
export const minute = createStore(Date.now())

setInterval(() => document.visibilityState === 'visible' && minute.set(Date.now()), 30_000)
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && minute.set(Date.now()))
