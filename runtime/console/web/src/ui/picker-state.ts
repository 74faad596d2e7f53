import type { ReactNode } from 'react'
import { createStore } from '@/app/store'

export interface PickerOption {
  value: string
  label: string
  icon?: ReactNode
  hint?: string
  /** What was typed is nothing that exists: choosing makes it. */
  create?: boolean
}

export interface PickerRequest {
  title: string
  placeholder?: string
  anchor: Element | null
  align?: 'start' | 'center' | 'end'
  options: PickerOption[]
  chosen: string[]
  /** Stays open, and choosing again takes back. */
  multiple?: boolean
  create?: boolean
  focusAfter?: HTMLElement | null
  onChoose(value: string, option: PickerOption): void
}

/** One picker is open at most; <PickerHost> shows it. */
export const picker = createStore<PickerRequest | undefined>(undefined)
export const openPicker = (r: PickerRequest) => picker.set(r)
