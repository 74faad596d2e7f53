import { lazy, Suspense } from 'react'
import { useStore } from '@/app/store'
import { picker } from './picker-state'

const load = () => import('./picker')
const Picker = lazy(load)

/** Loaded when the page has come to rest, so that it is there when it is wanted. */
export const preloadPicker = () => void load()

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
