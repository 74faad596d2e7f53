import { lazy, type ComponentType } from 'react'

const failed = new Set<() => void>()

/** A part of the page that is loaded when it is first shown. */
export function lazyPart<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): ComponentType<P> {
  let Part: ComponentType<P>
  const make = () => {
    Part = lazy(() =>
      load().catch((e: unknown) => {
        failed.add(make)
        throw e
      }),
    ) as unknown as ComponentType<P>
  }
  make()
  return function LazyPart(props: P) {
    return <Part {...props} />
  }
}

/** Has what could not be loaded asked for again when it is shown next: React itself asks once. */
export function forgetFailedParts() {
  failed.forEach((make) => make())
  failed.clear()
}
