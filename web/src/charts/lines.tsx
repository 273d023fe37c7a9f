// A chart of lines over time, or over the shares of a percentile plot: a legend whose
// entries switch lines on and off and tell the values under the cursor, and zoom.

import { useMemo, useRef, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import type { ComponentChildren } from 'preact'
import { clock, NONE, shareOfNines } from '../data/format'
import { endLabels, ROOM } from './end-labels'
import { Frame, type TableOf } from './frame'
import { color, cursor, ninesAxis, READ_OFF, selected, timeAxis, valueAxis, valueScale } from './options'
import { Plot } from './plot'
import { describe, sampled, stack, type Values } from './values'
import { type Range, useZoom } from './zoom'

export interface Series {
  label: string
  /** The name of a colour of the style sheet. */
  color: string
  values: Values
  /** What to tell while no cursor is there. */
  overall?: string
  dash?: number[]
  width?: number
  /** Filled down to zero. */
  fill?: boolean
  /** Not shown at first. */
  off?: boolean
}

export interface LinesProps {
  title: string
  scope?: string
  x: number[]
  /** What `x` is: seconds of the run, or a share as `nines` has it. */
  over: 'time' | 'shares'
  series: Series[]
  /** A value in the legend. */
  format: (value: number) => string
  /** A value at the axis. */
  axis: (value: number) => string
  log?: boolean
  stacked?: boolean
  height?: number
  /** Names at the ends of the lines. */
  named?: boolean
  controls?: ComponentChildren
  class?: string
}

const HEIGHT = 220

export function Lines(props: LinesProps) {
  const { x, series, over } = props
  const shared = useZoom()
  const [own, zoomOwn] = useState<Range | null>(null)
  const { range, zoom } = over === 'time' ? shared : { range: own, zoom: zoomOwn }
  const [hidden, setHidden] = useState(() => new Set(series.filter((one) => one.off).map((one) => one.label)))
  const [at, setAt] = useState<number | null>(null)
  const shown = useMemo(() => series.map((one) => !hidden.has(one.label)), [series, hidden])

  const data = useMemo(() => {
    const values = props.stacked === true ? stack(series, shown) : series.map((one) => one.values)
    const positive = (value: number | null) => (value !== null && value > 0 ? value : null)
    return [x, ...(props.log === true ? values.map((column) => column.map(positive)) : values)] as uPlot.AlignedData
  }, [x, series, shown, props.stacked, props.log])

  // The chart outlives this call; it asks for what is true when it is drawn.
  const latest = useRef({ range, zoom, x })
  latest.current = { range, zoom, x }
  const lines = series.map((one, index) => [one.label, one.color, shown[index]])
  const visible = series.filter((_, index) => shown[index])
  const where = at === null ? null : (x[at] ?? null)
  return (
    <Frame
      title={props.title}
      scope={props.scope}
      class={props.class}
      note={where === null ? undefined : over === 'time' ? `at ${clock(where)}` : shareOfNines(Number(where.toFixed(2)))}
      summary={describe(x, visible, props.format, over)}
      controls={props.controls}
      table={() => tableOf(props, visible, range)}
      legend={
        <ul class="legend">
          {series.map((one, index) => (
            <LegendEntry
              key={one.label}
              series={one}
              shown={shown[index] as boolean}
              value={at === null ? one.overall : valueAt(one.values[at], props.format)}
              toggle={() => setHidden(toggled(hidden, one.label))}
            />
          ))}
        </ul>
      }
    >
      <Plot
        options={(width) => options(props, shown, width, () => latest.current, setAt)}
        data={data}
        height={props.height ?? HEIGHT}
        structure={JSON.stringify([props.log, lines])}
        scales={`${range}`}
      />
      {x.length === 0 && <p class="plot-empty">Nothing was measured yet.</p>}
    </Frame>
  )
}

function valueAt(value: number | null | undefined, format: (value: number) => string): string {
  return typeof value === 'number' ? format(value) : NONE
}

function toggled(labels: Set<string>, label: string): Set<string> {
  const next = new Set(labels)
  if (!next.delete(label)) next.add(label)
  return next
}

function LegendEntry(props: { series: Series; shown: boolean; value?: string; toggle: () => void }) {
  const { series, shown, value } = props
  return (
    <li>
      <button type="button" aria-pressed={shown} onClick={props.toggle} title={shown ? 'Hide' : 'Show'}>
        <svg class="swatch" viewBox="0 0 16 8" aria-hidden="true">
          <line
            x1="0"
            y1="4"
            x2="16"
            y2="4"
            style={{ stroke: `var(--${series.color})`, strokeWidth: series.fill === true ? 8 : 3 }}
            stroke-dasharray={series.dash?.map((length) => length * 0.8).join(' ')}
          />
        </svg>
        {series.label}
        {value !== undefined && shown && <b>{value}</b>}
      </button>
    </li>
  )
}

function tableOf(props: LinesProps, visible: Series[], range: Range | null): TableOf {
  if (props.over === 'shares') return tableOfShares(props, visible)
  const { indices, every } = sampled(props.x, range)
  return {
    head: ['Time', ...visible.map((one) => one.label)],
    rows: indices.map((index) => [
      clock(props.x[index] as number),
      ...visible.map((one) => valueAt(one.values[index], props.format)),
    ]),
    note: every > 1 ? `One of ${every} intervals.` : undefined,
  }
}

/** What people ask for, and the ends of each line. */
function tableOfShares(props: LinesProps, visible: Series[]): TableOf {
  const ends = (name: string, end: (values: number[]) => number | undefined) => [
    name,
    ...visible.map((one) => valueAt(end(one.values.filter((value) => value !== null)), props.format)),
  ]
  const places = READ_OFF.flatMap((place) => {
    const index = props.x.indexOf(place)
    if (index < 0) return []
    const share = shareOfNines(Number(place.toFixed(6)))
    return [[share, ...visible.map((one) => valueAt(one.values[index], props.format))]]
  })
  return {
    head: ['Share', ...visible.map((one) => one.label)],
    rows: props.x.length === 0 ? [] : [ends('min', (values) => values[0]), ...places, ends('max', (values) => values.at(-1))],
  }
}

interface Latest {
  range: Range | null
  zoom: (range: Range | null) => void
  x: number[]
}

function options(
  props: LinesProps,
  shown: boolean[],
  width: number,
  latest: () => Latest,
  setAt: (index: number | null) => void,
): uPlot.Options {
  const { series, over } = props
  const named = props.named === true && width > 420
  const zoom = (range: Range | null) => latest().zoom(range)
  return {
    width,
    height: props.height ?? HEIGHT,
    legend: { show: false },
    padding: [8, named ? ROOM : 14, 0, 0],
    cursor: cursor(over === 'time' ? 'time' : null, zoom),
    scales: {
      x: { time: false, range: () => latest().range ?? whole(latest().x, over) },
      y: valueScale(props.log === true),
    },
    axes: [over === 'time' ? timeAxis() : ninesAxis(), valueAxis(props.axis)],
    series: [{}, ...series.map((one, index) => lineOf(one, shown[index] as boolean, props.stacked === true))],
    bands: props.stacked === true ? series.slice(1).map((_, index) => ({ series: [index + 2, index + 1] })) : [],
    hooks: {
      setCursor: [(plot) => setAt(plot.cursor.idx ?? null)],
      setSelect: [(plot) => selected(plot, zoom)],
      draw: named ? [endLabels(series.map((one) => one.label))] : [],
    },
  }
}

function whole(x: number[], over: LinesProps['over']): Range {
  const last = x[x.length - 1] ?? 0
  return over === 'time' ? [0, Math.max(last, 10)] : [0, Math.max(last, 2)]
}

function lineOf(one: Series, show: boolean, stacked: boolean): uPlot.Series {
  const stroke = color(one.color)
  return {
    label: one.label,
    show,
    stroke,
    width: one.width ?? 1.75,
    dash: one.dash,
    fill: stacked ? `${stroke}b0` : one.fill === true ? `${stroke}2b` : undefined,
    points: { show: false, filter: alone },
  }
}

/** Points with no neighbour to draw a line to. */
function alone(plot: uPlot, index: number): number[] | null {
  const values = plot.data[index] as ArrayLike<number | null>
  const found: number[] = []
  for (let at = 0; at < values.length; at += 1) {
    if (values[at] != null && values[at - 1] == null && values[at + 1] == null) found.push(at)
  }
  return found.length > 0 ? found : null
}
