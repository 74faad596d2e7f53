import { forgetDrafts } from '@/composer/drafts'
import { endSession } from './session'

export function signOut() {
  forgetDrafts() // whoever sits here next is somebody else
  return endSession()
}
