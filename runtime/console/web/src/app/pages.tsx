import { type ComponentType } from 'react'
import { addEnglish } from '@/i18n'
import { lazyPart } from '@/ui/lazy-part'
import type { PageProps } from './page'
import type { PageName } from './route'

/** A page with its texts: neither is part of the first view. */
const page = (load: () => Promise<{ default: ComponentType<PageProps> }>) =>
  lazyPart(async () => {
    const [texts, module] = await Promise.all([import('@/i18n/en/admin'), load()])
    addEnglish(texts.admin)
    return module
  })

export const lazyPages: Record<PageName, ComponentType<PageProps>> = {
  channels: page(() => import('@/pages/channels')),
  keys: page(() => import('@/pages/keys')),
  usage: page(() => import('@/pages/usage')),
  audit: page(() => import('@/pages/audit')),
  canned: page(() => import('@/pages/canned')),
}
