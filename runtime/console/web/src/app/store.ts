import { useSyncExternalStore } from 'react'

export interface Store<T> {
  get(): T
  set(next: T | ((old: T) => T)): void
  subscribe(f: () => void): () => void
}

/** A value that components follow. */
export function createStore<T>(value: T): Store<T> {
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set(next) {
      const v = typeof next === 'function' ? (next as (old: T) => T)(value) : next
      if (Object.is(v, value)) return
      value = v
      listeners.forEach((f) => f())
    },
    subscribe(f) {
      listeners.add(f)
      return () => void listeners.delete(f)
    },
  }
}

export function useStore<T, U = T>(store: Store<T>, select: (v: T) => U = (v) => v as unknown as U): U {
  return useSyncExternalStore(store.subscribe, () => select(store.get()))
}
