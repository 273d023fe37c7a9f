// What all charts have in common: axes, cursor, colours. Knows no data.

import uPlot from 'uplot'
import { axisClock, nines, shareOfNines } from '../data/format'
import type { Range } from './zoom'

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
/** In CSS pixels, so that charts below each other line up. */
const AXIS_WIDTH = 54
/** Steps of an axis of time, in seconds. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400]
/** The shares that people ask for. */
const SHARES = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999]
/** Where a percentile plot is read off, and always has a point. */
export const READ_OFF = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, 0.999999].map(nines)

/** What a label of the axis takes, in CSS pixels. */
const LABEL = 36

/** A colour of the style sheet, by its name. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}

export function font(): string {
  return FONT
}

function axis(): uPlot.Axis {
  const line = { stroke: color('grid'), width: 1 }
  return { stroke: color('muted'), font: FONT, grid: line, ticks: { ...line, size: 4 }, gap: 4 }
}

/** Time of the run. */
export function timeAxis(): uPlot.Axis {
  return {
    ...axis(),
    size: 26,
    space: 64,
    incrs: STEPS,
    grid: { show: false },
    values: (_, splits, __, ___, step) => splits.map((seconds) => axisClock(seconds, step)),
  }
}

/** Shares of all values: 50 %, 90 %, 99 % … at even distances. */
export function ninesAxis(): uPlot.Axis {
  return {
    ...axis(),
    size: 26,
    splits: (plot) => {
      const { max } = plot.scales.x as uPlot.Scale
      const end = max ?? 0
      const shares = SHARES.map(nines).filter((x) => x <= end + 1e-9)
      // The fastest half takes little room, and next to none where the other half has many nines.
      return (nines(0.5) / end) * plot.width < LABEL ? shares : [0, ...shares]
    },
    values: (_, splits) => splits.map((x) => shareOfNines(Math.round(x * 1e6) / 1e6)),
  }
}

export function valueAxis(format: (value: number) => string): uPlot.Axis {
  return {
    ...axis(),
    size: AXIS_WIDTH,
    space: 32,
    // On a logarithmic scale most places stay without a word.
    values: (_, splits) => splits.map((value: number | null) => (value === null ? '' : format(value))),
  }
}

/** From zero, or over the decades that the values take. */
export function valueScale(log: boolean): uPlot.Scale {
  if (!log) {
    return { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] }
  }
  return {
    distr: 3,
    range: (_, min, max) => (min > 0 && max > 0 ? uPlot.rangeLog(min, max, 10, false) : [1, 1000]),
  }
}

/** A cursor that others follow when they have the same `key`; a drag says `zoom`. */
export function cursor(key: string | null, zoom: (range: Range | null) => void): uPlot.Cursor {
  return {
    y: false,
    points: { size: 7, width: 2 },
    drag: { x: true, y: false, setScale: false, dist: 6 },
    sync: key === null ? undefined : { key, scales: ['x', null], setSeries: false },
    bind: {
      dblclick: () => () => {
        zoom(null)
        return null
      },
    },
  }
}

/** Takes what was dragged over. */
export function selected(plot: uPlot, zoom: (range: Range | null) => void): void {
  const { left, width } = plot.select
  if (width < 6) return
  zoom([plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')])
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
}
