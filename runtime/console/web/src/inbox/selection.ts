// What is ticked in a list.
import { createStore, type Store } from '@/app/store'

export class Selection {
  readonly ids: Store<ReadonlySet<string>> = createStore<ReadonlySet<string>>(new Set())
  private last: string | undefined

  get list() {
    return [...this.ids.get()]
  }

  toggle(id: string) {
    const next = new Set(this.ids.get())
    if (!next.delete(id)) next.add(id)
    this.last = id
    this.ids.set(next)
  }

  /** Ticks all from the one that was ticked last up to this one, in the order of the list. */
  upTo(id: string, order: string[]) {
    const a = order.indexOf(this.last ?? id)
    const b = order.indexOf(id)
    if (a < 0 || b < 0) return this.toggle(id)
    this.last = id
    this.ids.set(new Set([...this.ids.get(), ...order.slice(Math.min(a, b), Math.max(a, b) + 1)]))
  }

  all(ids: string[]) {
    this.ids.set(new Set(ids))
  }

  clear = () => {
    this.last = undefined
    if (this.ids.get().size) this.ids.set(new Set())
  }
}
