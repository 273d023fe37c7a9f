// A line without axes, beside a number whose course it shows.

import type { Values } from './values'

const WIDTH = 120
const HEIGHT = 28
/** More points than this do not show. */
const POINTS = 120

export function Sparkline({ values, color }: { values: Values; color: string }) {
  const points = thin(values)
  if (points.length < 2) return null
  const most = Math.max(...points.map((value) => value ?? 0), 1e-9)
  const step = WIDTH / (points.length - 1)
  let path = ''
  let gap = true
  for (const [index, value] of points.entries()) {
    if (value !== null) {
      const y = HEIGHT - 1 - (value / most) * (HEIGHT - 3)
      path += `${gap ? 'M' : 'L'}${(index * step).toFixed(1)} ${y.toFixed(1)}`
    }
    gap = value === null
  }
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} style={{ stroke: `var(--${color})` }} />
    </svg>
  )
}

/** The highest of each few neighbours. */
function thin(values: Values): Values {
  const every = Math.ceil(values.length / POINTS)
  if (every <= 1) return values
  return Array.from({ length: Math.ceil(values.length / every) }, (_, index) => {
    const few = values.slice(index * every, (index + 1) * every).filter((value) => value !== null)
    return few.length > 0 ? Math.max(...few) : null
  })
}
