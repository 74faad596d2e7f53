import { useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { longStep, shortStep } from './dates'
import { niceCeiling, share } from './money'
import type { Step } from './periods'
import { charged, labelled, net, type Point } from './series'
import { usd } from './usd'

const height = 190
const margin = { right: 8, top: 10, bottom: 26 }
const digit = 6.6 // about as wide as one is
const emptyScale = 10_000n // micro-USD that the axis shows where nothing was charged

/** Bars of what was charged. It is a slider over its steps, so that keys and screen readers read each one's values. */
export function Plot({ points, step, label }: { points: Point[]; step: Step; label: string }) {
  const id = useId()
  const [ref, width] = useWidth()
  const [chosen, setChosen] = useState<number>()
  const at = chosen === undefined ? lastBusy(points) : Math.min(chosen, points.length - 1)
  const point = points[at]

  const above = niceCeiling(largest(points.map(charged)) || emptyScale)
  const refunds = largest(points.map((p) => p.refunds))
  const below = refunds === 0n ? 0n : niceCeiling(refunds)
  const ticks = [above, above / 2n, 0n].map((amount) => ({
    amount,
    text: usd(amount, { digits: amount === 0n ? 0 : 2 }),
  }))
  const axis = { ...margin, left: Math.ceil(digit * Math.max(...ticks.map((tick) => tick.text.length))) + 12 }
  const room = { width: Math.max(40, width - axis.left - axis.right), height: height - axis.top - axis.bottom }
  const scale = (amount: bigint) => share(amount, above + below) * room.height
  const zero = axis.top + scale(above)
  const slot = room.width / Math.max(1, points.length)
  const bar = Math.max(1, slot - (slot > 8 ? 3 : slot > 3 ? 1 : 0))
  const x = (i: number) => axis.left + i * slot + (slot - bar) / 2

  const choose = (e: PointerEvent<SVGSVGElement>) => {
    const left = e.currentTarget.getBoundingClientRect().left
    const i = Math.floor((e.clientX - left - axis.left) / slot)
    if (i >= 0 && i < points.length) setChosen(i)
  }
  const move = (e: KeyboardEvent) => {
    const to = keyTarget(e.key, at, points.length)
    if (to === undefined) return
    e.preventDefault()
    setChosen(to)
  }

  if (!point) return null
  return (
    <div className="plot" ref={ref}>
      <Readout point={point} step={step} />
      <div
        className="plot-slider"
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-describedby={`${id}-keys`}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={points.length - 1}
        aria-valuenow={at}
        aria-valuetext={spoken(point, step)}
        onKeyDown={move}
      >
        <svg width={width} height={height} aria-hidden="true" onPointerMove={choose} onPointerDown={choose}>
          {ticks.map(({ amount, text }) => {
            const y = zero - scale(amount)
            return (
              <g key={String(amount)}>
                <line
                  className={amount === 0n ? 'plot-zero' : 'plot-grid'}
                  x1={axis.left}
                  x2={axis.left + room.width}
                  y1={y}
                  y2={y}
                />
                <text className="plot-text" x={axis.left - 8} y={y} dy="0.32em" textAnchor="end">
                  {text}
                </text>
              </g>
            )
          })}
          <rect
            className="plot-chosen"
            x={axis.left + at * slot}
            width={slot}
            y={axis.top}
            height={room.height}
            rx={2}
          />
          {points.map((p, i) => (
            <g key={p.at.getTime()}>
              <Bar kind="received" x={x(i)} width={bar} y={zero - scale(p.received)} height={scale(p.received)} />
              <Bar kind="replies" x={x(i)} width={bar} y={zero - scale(charged(p)) - 1} height={scale(p.replies)} />
              <Bar kind="refunds" x={x(i)} width={bar} y={zero} height={scale(p.refunds)} />
            </g>
          ))}
          {labelled(points.length, Math.floor(room.width / 74)).map((i) => (
            <text
              key={i}
              className="plot-text"
              x={axis.left + (i + 0.5) * slot}
              y={height - 8}
              textAnchor={
                points.length > 1 && axis.left + (i + 0.5) * slot > axis.left + room.width - 24 ? 'end' : 'middle'
              }
            >
              {shortStep((points[i] as Point).at, step)}
            </text>
          ))}
        </svg>
      </div>
      <p className="sr-only" id={`${id}-keys`}>
        {t('usage.plot.keys')}
      </p>
    </div>
  )
}

function Bar({
  kind,
  x,
  y,
  width,
  height,
}: {
  kind: 'received' | 'replies' | 'refunds'
  x: number
  y: number
  width: number
  height: number
}) {
  if (height <= 0) return null
  const seen = Math.max(1, height) // however little it was, it was something
  return (
    <rect
      className={`plot-bar plot-${kind}`}
      x={x}
      y={kind === 'refunds' ? y : y - (seen - height)}
      width={width}
      height={seen}
      rx={width > 5 ? 1.5 : 0}
    />
  )
}

function Readout({ point, step }: { point: Point; step: Step }) {
  return (
    <div className="plot-readout" aria-hidden="true">
      <strong>{longStep(point.at, step)}</strong>
      <span className="plot-key" data-kind="received">
        {t('usage.kind.inbound')} <b>{usd(point.received)}</b> · {fmt.number(point.messages)}
      </span>
      <span className="plot-key" data-kind="replies">
        {t('usage.kind.reply')} <b>{usd(point.replies)}</b> · {fmt.number(point.deliveries)}
      </span>
      <span className="plot-key" data-kind="refunds">
        {t('usage.kind.refund')} <b>{usd(point.refunds)}</b>
      </span>
    </div>
  )
}

const spoken = (p: Point, step: Step): string =>
  t('usage.plot.value', {
    day: longStep(p.at, step),
    messages: fmt.number(p.messages),
    received: usd(p.received),
    deliveries: fmt.number(p.deliveries),
    replies: usd(p.replies),
    refunds: usd(p.refunds),
    net: usd(net(p)),
  })

const largest = (amounts: bigint[]): bigint => amounts.reduce((a, b) => (b > a ? b : a), 0n)

// What is told before anybody chose: the last step in which something happened.
function lastBusy(points: Point[]): number {
  for (let i = points.length - 1; i > 0; i--) {
    const p = points[i] as Point
    if (charged(p) > 0n || p.refunds > 0n) return i
  }
  return Math.max(0, points.length - 1)
}

function keyTarget(key: string, at: number, n: number): number | undefined {
  const within = (i: number) => Math.max(0, Math.min(n - 1, i))
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return within(at - 1)
    case 'ArrowRight':
    case 'ArrowUp':
      return within(at + 1)
    case 'PageDown':
      return within(at - 7)
    case 'PageUp':
      return within(at + 7)
    case 'Home':
      return 0
    case 'End':
      return n - 1
    default:
      return undefined
  }
}

function useWidth() {
  const ref = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(600)
  useLayoutEffect(() => {
    const element = ref.current
    if (!element) return
    const measure = () => setWidth(Math.floor(element.clientWidth))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [ref, width] as const
}
