import { Suspense } from 'react'
import { useStore } from '@/app/store'
import { lazyPart } from './lazy-part'
import { picker } from './picker-state'

const load = () => import('./picker')
const Picker = lazyPart(load)

/** Loaded when the page has come to rest, so that it is there when it is wanted. What fails now is asked for again then. */
export const preloadPicker = () => load().catch(() => {})

export function PickerHost() {
  const request = useStore(picker)
  return (
    request && (
      <Suspense>
        <Picker request={request} onClose={() => picker.set(undefined)} />
      </Suspense>
    )
  )
}
