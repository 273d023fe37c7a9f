// A run over time: adds what just happened to what is known, and makes what charts draw.
// Knows neither charts nor where timelines come from.

import { keyOf, type Named, type NameColumns, type Timeline, type TimeColumns } from './report'

/** Percentiles and the like that intervals have. */
export const TIMES = ['avg', 'p50', 'p75', 'p90', 'p95', 'p99', 'p99.9', 'max'] as const satisfies (keyof TimeColumns)[]

/** One that has nothing yet. */
export function emptyTimeline(): Timeline {
  const time_ms = Object.fromEntries(TIMES.map((name) => [name, []])) as unknown as TimeColumns
  return {
    start_seconds: [],
    span_seconds: [],
    users: [],
    target: [],
    requests: [],
    failures: [],
    statuses: {},
    bytes_sent: [],
    bytes_received: [],
    iterations: [],
    dropped: [],
    time_ms,
    heat: [],
    engine: { cpu_percent: [], memory_bytes: [], lag_ms: [] },
    names: [],
  }
}

/** When an interval ended. */
export function endOf(timeline: Timeline, index: number): number {
  return (timeline.start_seconds[index] ?? 0) + (timeline.span_seconds[index] ?? 0)
}

/** When the last one did. */
export function lengthOf(timeline: Timeline): number {
  return endOf(timeline, timeline.start_seconds.length - 1)
}

/**
 * Adds the newest interval. One that is known already, or that has grown since, is replaced;
 * one from before is left out. Changes `timeline`, and says whether it did.
 */
export function append(timeline: Timeline, newest: Timeline): boolean {
  const start = newest.start_seconds[0]
  if (start === undefined) return false
  const known = timeline.start_seconds.length
  if (known > 0 && endOf(newest, 0) < lengthOf(timeline) - 1e-3) return false
  let keep = known
  while (keep > 0 && (timeline.start_seconds[keep - 1] as number) > start - 1e-3) keep -= 1
  for (const [column, values] of columns(timeline, newest)) {
    column.length = keep
    column.push(values[0] as never)
  }
  appendBy(timeline.statuses, newest.statuses, keep)
  appendNames(timeline.names, newest.names, keep)
  return true
}

function columns(a: Timeline, b: Timeline): [unknown[], unknown[]][] {
  const plain = [
    'start_seconds',
    'span_seconds',
    'users',
    'target',
    'requests',
    'failures',
    'bytes_sent',
    'bytes_received',
    'iterations',
    'dropped',
    'heat',
  ] as const
  const engine = ['cpu_percent', 'memory_bytes', 'lag_ms'] as const
  return [
    ...plain.map((name): [unknown[], unknown[]] => [a[name], b[name]]),
    ...TIMES.map((name): [unknown[], unknown[]] => [a.time_ms[name], b.time_ms[name]]),
    ...engine.map((name): [unknown[], unknown[]] => [a.engine[name], b.engine[name]]),
  ]
}

/** What is not in the newest interval did not happen in it. */
function appendBy(all: Record<string, number[]>, newest: Record<string, number[]>, keep: number): void {
  for (const name of new Set([...Object.keys(all), ...Object.keys(newest)])) {
    fill((all[name] ??= []), keep, newest[name]?.[0])
  }
}

function appendNames(all: NameColumns[], newest: NameColumns[], keep: number): void {
  const byKey = new Map(newest.map((name) => [keyOf(name), name]))
  for (const name of byKey.values()) {
    if (all.some((known) => keyOf(known) === keyOf(name))) continue
    const { method, tags } = name
    all.push({ method, name: name.name, tags, requests: [], failures: [], p50: [], p95: [], p99: [] })
  }
  for (const name of all) {
    const values = byKey.get(keyOf(name))
    for (const column of ['requests', 'failures', 'p50', 'p95', 'p99'] as const) {
      fill(name[column], keep, values?.[column][0])
    }
  }
}

function fill(column: number[], keep: number, value = 0): void {
  while (column.length < keep) column.push(0)
  column.length = keep
  column.push(value)
}

/** The columns of one row, if it has some. */
export function columnsOf(timeline: Timeline, row: Named): NameColumns | undefined {
  const key = keyOf(row)
  return timeline.names.find((name) => keyOf(name) === key)
}

/** When intervals ended, which is what charts show values at. */
export function ends(timeline: Timeline): number[] {
  return timeline.start_seconds.map((start, index) => start + (timeline.span_seconds[index] as number))
}

/** Amounts of intervals as rates per second. */
export function rates(amounts: number[], timeline: Timeline): (number | null)[] {
  return amounts.map((amount, index) => {
    const seconds = timeline.span_seconds[index] ?? 0
    return seconds > 0 ? amount / seconds : null
  })
}

/** Times of intervals, with gaps where nothing ended. */
export function times(column: number[], requests: number[]): (number | null)[] {
  return column.map((value, index) => ((requests[index] ?? 0) > 0 ? value : null))
}
