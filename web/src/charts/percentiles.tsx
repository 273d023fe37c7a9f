// The distribution of response times as a percentile plot: how long the fastest 50 %, 90 %,
// 99 % … took. From histograms, or from the usual percentiles alone while there are none.

import { useEffect, useMemo, useState } from 'preact/hooks'
import { ms, shortMs } from '../data/format'
import { coarseCurve, curve, decode, type Point } from '../data/histogram'
import type { Distribution } from '../data/report'
import { Choices } from './frame'
import { Lines, type Series } from './lines'
import { READ_OFF } from './options'

export interface Curve {
  label: string
  color: string
  dash?: number[]
  times: Distribution
}

/** Microseconds in a millisecond: histograms count the former. */
const UNIT = 1000
export function Percentiles(props: { curves: Curve[]; scope?: string; class?: string }) {
  const [log, setLog] = useState(false)
  const points = usePoints(props.curves.map((curve) => curve.times))
  const { x, series } = useMemo(() => join(props.curves, points), [points, ...props.curves.map((curve) => curve.label)])
  return (
    <Lines
      title="Response times by percentile"
      scope={props.scope}
      class={props.class}
      over="shares"
      x={x}
      series={series}
      format={ms}
      axis={shortMs}
      log={log}
      height={260}
      controls={<ScaleChoice log={log} choose={setLog} />}
    />
  )
}

/** Linear or logarithmic. */
export function ScaleChoice({ log, choose }: { log: boolean; choose: (log: boolean) => void }) {
  const choices = [
    ['linear', 'Linear'],
    ['log', 'Log'],
  ] as const
  return (
    <Choices
      label="Scale"
      choices={choices}
      value={log ? 'log' : 'linear'}
      choose={(value) => choose(value === 'log')}
    />
  )
}

/** The points of distributions; coarse ones until histograms are decoded, or if they cannot be. */
function usePoints(all: Distribution[]): Point[][] {
  const [decoded, setDecoded] = useState<Map<string, Point[]>>(new Map())
  const histograms = all.map((times) => times.histogram ?? '')
  useEffect(() => {
    let stale = false
    for (const times of all) {
      const text = times.histogram
      if (text === undefined || decoded.has(text) || times.count === 0) continue
      decode(text).then(
        (buckets) => {
          if (!stale) setDecoded((known) => new Map(known).set(text, curve(buckets, UNIT, times.max)))
        },
        // The usual percentiles remain.
        () => undefined,
      )
    }
    return () => {
      stale = true
    }
  }, histograms)
  return useMemo(
    () => all.map((times) => decoded.get(times.histogram ?? '') ?? coarseCurve(times)),
    [decoded, ...all.map((times) => times.count), ...histograms],
  )
}

/** Curves on one axis: all their places, and values in between as the lines go. */
function join(curves: Curve[], points: Point[][]): { x: number[]; series: Series[] } {
  const end = Math.max(0, ...points.map((list) => list[list.length - 1]?.x ?? 0))
  const places = [...points.flat().map((point) => point.x), ...READ_OFF.filter((place) => place < end)]
  const x = [...new Set(places)].sort((a, b) => a - b)
  const series = curves.map(({ label, color, dash }, index) => ({
    label,
    color,
    dash,
    width: 2,
    fill: curves.length === 1,
    values: along(points[index] ?? [], x),
  }))
  return { x, series }
}

function along(points: Point[], x: number[]): (number | null)[] {
  let at = 0
  return x.map((place) => {
    while (at < points.length - 1 && (points[at + 1] as Point).x <= place) at += 1
    const [before, after] = [points[at], points[at + 1]]
    if (before === undefined || place < before.x) return null
    if (place === before.x) return before.value
    if (after === undefined) return null
    const share = (place - before.x) / (after.x - before.x)
    return before.value + share * (after.value - before.value)
  })
}
