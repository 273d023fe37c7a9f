// Columns of numbers for charts: stacked, thinned out, and put into a sentence. Pure.

import { clock, shareOfNines } from '../data/format'
import type { Range } from './zoom'

export type Values = (number | null)[]

interface Line {
  label: string
  values: Values
}

/** Each column on top of those before it that are shown. */
export function stack(series: Line[], shown: boolean[]): Values[] {
  let below: Values = []
  return series.map(({ values }, index) => {
    if (shown[index] === false) return values
    below = values.map((value, at) => (value === null ? null : value + (below[at] ?? 0)))
    return below
  })
}

const ROWS = 60

/** So few places of `x` that they fit a table, all within `range`. */
export function sampled(x: number[], range: Range | null): { indices: number[]; every: number } {
  const within = [...x.keys()].filter((index) => {
    const value = x[index] as number
    return range === null || (value >= range[0] && value <= range[1])
  })
  const every = Math.ceil(within.length / ROWS)
  return { indices: within.filter((_, index) => index % every === 0), every }
}

/** The chart in words. */
export function describe(x: number[], series: Line[], format: (value: number) => string, over: 'time' | 'shares'): string {
  const words = series.flatMap(({ label, values }) => {
    let [low, high] = [-1, -1]
    for (const [index, value] of values.entries()) {
      if (value === null) continue
      if (low < 0 || value < (values[low] as number)) low = index
      if (high < 0 || value > (values[high] as number)) high = index
    }
    if (low < 0) return []
    const at = (index: number) => {
      const place = x[index] as number
      return over === 'time' ? `at ${clock(place)}` : `for ${shareOfNines(Number(place.toFixed(2)))}`
    }
    const [least, most] = [format(values[low] as number), format(values[high] as number)]
    if (over === 'shares') return [`${label}: from ${least} to ${most} ${at(high)}.`]
    if (least === most) return [`${label}: ${most} throughout.`]
    return [`${label}: from ${least} ${at(low)} to ${most} ${at(high)}.`]
  })
  return words.length > 0 ? words.join(' ') : 'Nothing was measured yet.'
}
