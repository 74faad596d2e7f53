import { reasonOf } from './states'

export interface ToastOptions {
  title: string
  text?: string
  type?: 'success' | 'error'
  action?: { label: string; run(): void }
}

let show: ((o: ToastOptions) => void) | undefined
let waiting: ToastOptions[] = []

/** Tells briefly what happened. Errors stay longer and are announced at once. */
export function toast(o: ToastOptions) {
  if (show) show(o)
  else waiting.push(o)
}

/** A change that did not happen, with the reason. */
export const toastError = (title: string, error: unknown) => toast({ title, text: reasonOf(error), type: 'error' })

/** Gives what is to be told to whatever shows it, which is loaded after the first view. */
export function tellToasts(f: (o: ToastOptions) => void) {
  show = f
  const now = waiting
  waiting = []
  now.forEach(f)
}
