// The interval of a change as a picture: a line from its lower to its upper end, and a dot
// where the change is, beside a middle that stands for no change.

import { change } from '../../data/format'
import type { ComparedValue } from '../../data/report'

const WIDTH = 120
const HEIGHT = 16
/** Changes beyond this lie at the edge. */
const EDGE = 0.5

export function Whiskers({ value }: { value: ComparedValue }) {
  const { low, high } = value
  if (value.change === null || low === null || high === null) return <span class="muted reason">{value.reason}</span>
  const words = `${change(low)} to ${change(high)}`
  return (
    <span class={`whiskers ${value.verdict}`} title={words}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        <path class="zero" d={`M${WIDTH / 2} 0V${HEIGHT}`} />
        <path d={`M${place(low)} 8H${place(high)}M${place(low)} 4V12M${place(high)} 4V12`} />
        <circle cx={place(value.change)} cy="8" r="3" />
      </svg>
      <span class="range">{words}</span>
    </span>
  )
}

/** By the root, so that a percent still shows beside a half. */
function place(share: number): number {
  const part = Math.min(1, Math.sqrt(Math.min(Math.abs(share), EDGE) / EDGE))
  return WIDTH / 2 + Math.sign(share) * part * (WIDTH / 2 - 4)
}
