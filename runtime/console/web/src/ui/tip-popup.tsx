import { Tooltip } from '@base-ui/react/tooltip'
import { useEffect } from 'react'
import { useStore } from '@/app/store'
import { Kbd } from './kbd'
import { followTips, hideTip, holdTip, leaveTip, tip } from './tip'

/** The popup of all tooltips. It adds no accessible name: elements have their own. */
export function TipPopup() {
  useEffect(followTips, [])
  const shown = useStore(tip)
  return (
    <Tooltip.Root open={shown?.open ?? false} onOpenChange={(open) => open || hideTip()}>
      <Tooltip.Portal>
        <Tooltip.Positioner className="ui-positioner" sideOffset={6} anchor={shown?.anchor ?? null}>
          <Tooltip.Popup className="ui-tooltip" onPointerEnter={holdTip} onPointerLeave={leaveTip}>
            {shown?.text} {shown?.keys && <Kbd keys={shown.keys} />}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  )
}
