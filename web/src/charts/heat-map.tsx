// Response times over time as a heat map: how many took how long, the more the darker (or,
// on a dark page, the brighter).

import { useMemo, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { clock, count, ms, number, shortMs } from '../data/format'
import { classOf, lowerBound, roundTimes, sumOf } from '../data/heat'
import type { Timeline } from '../data/report'
import { ends } from '../data/timeline'
import { Frame, type TableOf } from './frame'
import { color, cursor, selected, timeAxis, valueAxis } from './options'
import { Plot } from './plot'
import { type Range, useZoom } from './zoom'

const HEIGHT = 260
const SHADES = 5

interface Spot {
  seconds: number
  index: number
  requests: number
}

export function HeatMap(props: { timeline: Timeline; scope?: string }) {
  const { timeline } = props
  const { range, zoom } = useZoom()
  const [spot, setSpot] = useState<Spot | null>(null)
  const all = useMemo(() => sumOf(timeline.heat), [timeline])
  const data = useMemo(() => {
    const x = ends(timeline)
    return [x, x.map(() => null)] as uPlot.AlignedData
  }, [timeline])
  const latest = useRef({ timeline, range, zoom, all })
  latest.current = { timeline, range, zoom, all }

  const at =
    spot === null
      ? undefined
      : `at ${clock(spot.seconds)} · ${bounds(spot.index)} · ${count(spot.requests)} ${spot.requests === 1 ? 'request' : 'requests'}`
  return (
    <Frame
      title="Response times, heat map"
      scope={props.scope}
      note={at}
      summary={describe(all)}
      table={() => tableOf(all)}
      legend={
        <p class="legend heat-legend">
          <span>Requests per second:</span> fewer
          {shades().map((shade) => (
            <i key={shade} style={{ background: shade }} />
          ))}
          more
        </p>
      }
    >
      <Plot
        options={(width) => options(width, () => latest.current, setSpot)}
        data={data}
        height={HEIGHT}
        structure=""
        scales={`${range}`}
      />
      {all.counts.length === 0 && <p class="plot-empty">Nothing was measured yet.</p>}
    </Frame>
  )
}

function bounds(index: number): string {
  return `${number(lowerBound(index))} to ${ms(lowerBound(index + 1))}`
}

function shades(): string[] {
  return Array.from({ length: SHADES }, (_, index) => `var(--heat-${index + 1})`)
}

type Sum = ReturnType<typeof sumOf>

function describe({ first, counts }: Sum): string {
  if (counts.length === 0) return 'Nothing was measured yet.'
  const most = counts.indexOf(Math.max(...counts))
  const total = counts.reduce((sum, value) => sum + value, 0)
  const share = Math.round((100 * (counts[most] as number)) / total)
  return (
    `Response times lay between ${ms(lowerBound(first))} and ${ms(lowerBound(first + counts.length))}. ` +
    `Most frequent was ${bounds(first + most)}, with ${share} percent of the requests.`
  )
}

function tableOf({ first, counts }: Sum): TableOf {
  const total = counts.reduce((sum, value) => sum + value, 0)
  return {
    head: ['Response time', 'Requests', 'Share'],
    rows: counts.map((value, index) => [bounds(first + index), count(value), `${number((100 * value) / total)}%`]),
  }
}

interface Latest {
  timeline: Timeline
  range: Range | null
  zoom: (range: Range | null) => void
  all: Sum
}

function options(width: number, latest: () => Latest, setSpot: (spot: Spot | null) => void): uPlot.Options {
  const zoom = (range: Range | null) => latest().zoom(range)
  const shown = Array.from({ length: SHADES }, (_, index) => color(`heat-${index + 1}`))
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    padding: [8, 14, 0, 0],
    cursor: { ...cursor('time', zoom), points: { show: false } },
    scales: {
      x: {
        time: false,
        range: (plot) => {
          const x = plot.data[0]
          return latest().range ?? [0, Math.max((x[x.length - 1] as number | undefined) ?? 0, 10)]
        },
      },
      y: {
        range: () => {
          const { first, counts } = latest().all
          return counts.length > 0 ? [first - 1, first + counts.length + 1] : [classOf(1), classOf(1000)]
        },
      },
    },
    axes: [timeAxis(), timesAxis()],
    series: [{}, { points: { show: false } }],
    hooks: {
      drawAxes: [(plot) => paint(plot, latest().timeline, shown)],
      setCursor: [(plot) => setSpot(spotAt(plot, latest().timeline))],
      setSelect: [(plot) => selected(plot, zoom)],
    },
  }
}

/** The scale has classes; the words are times. */
function timesAxis(): uPlot.Axis {
  return {
    ...valueAxis((index) => shortMs(Number((2 ** (index / 4) / 1000).toPrecision(3)))),
    splits: (_, __, min, max) => {
      const all = roundTimes(min, max)
      const kept = all.length > 9 ? all.filter((time) => /^[^25]*1/.test(time.toExponential())) : all
      return kept.map(classOf)
    },
  }
}

function spotAt(plot: uPlot, timeline: Timeline): Spot | null {
  const { idx, left, top } = plot.cursor
  if (idx == null || left === undefined || left < 0 || top === undefined || top < 0) return null
  const seconds = plot.posToVal(left, 'x')
  const index = Math.floor(plot.posToVal(top, 'y'))
  const at = timeline.start_seconds.findIndex(
    (start, at) => start <= seconds && seconds < start + (timeline.span_seconds[at] as number),
  )
  const column = timeline.heat[at] ?? []
  return { seconds, index, requests: column[1 + index - (column[0] ?? 0)] ?? 0 }
}

/** Fills a rectangle for each class of each interval; intervals narrower than a pixel share one. */
function paint(plot: uPlot, timeline: Timeline, shown: string[]): void {
  const { ctx, bbox } = plot
  const { min, max } = plot.scales.x as uPlot.Scale
  const least = ((max ?? 0) - (min ?? 0)) / Math.max(1, bbox.width / Math.ceil(uPlot.pxRatio * 2))
  const groups: { start: number; end: number; counts: Map<number, number> }[] = []
  for (const [at, column] of timeline.heat.entries()) {
    const start = timeline.start_seconds[at] as number
    const end = start + (timeline.span_seconds[at] as number)
    if (end < (min ?? 0) || start > (max ?? 0)) continue
    let group = groups[groups.length - 1]
    if (group === undefined || group.end - group.start >= least) {
      groups.push((group = { start, end, counts: new Map() }))
    }
    group.end = end
    for (let index = 1; index < column.length; index += 1) {
      const key = (column[0] as number) + index - 1
      group.counts.set(key, (group.counts.get(key) ?? 0) + (column[index] as number))
    }
  }
  // By rate and not by count, so that longer intervals do not look busier.
  let most = 0
  for (const { start, end, counts } of groups) {
    for (const value of counts.values()) most = Math.max(most, value / (end - start))
  }
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  for (const { start, end, counts } of groups) {
    const left = Math.round(plot.valToPos(start, 'x', true))
    const right = Math.round(plot.valToPos(end, 'x', true))
    for (const [index, value] of counts) {
      if (value === 0) continue
      const top = Math.round(plot.valToPos(index + 1, 'y', true))
      const bottom = Math.round(plot.valToPos(index, 'y', true))
      ctx.fillStyle = shadeOf(value / (end - start) / most, shown)
      ctx.fillRect(left, top, Math.max(1, right - left), Math.max(1, bottom - top))
    }
  }
  ctx.restore()
}

/** Rare ones have to be seen as well, so shades go by the root. */
function shadeOf(share: number, shown: string[]): string {
  const step = Math.min(SHADES - 1, Math.floor(Math.sqrt(share) * SHADES))
  return shown[step] as string
}
