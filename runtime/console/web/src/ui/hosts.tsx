import { TipPopup } from './tip-popup'
import { Toasts } from './toasts'

/** What shows toasts and tooltips, which the first view can do without. */
export default function Hosts() {
  return (
    <>
      <Toasts />
      <TipPopup />
    </>
  )
}
