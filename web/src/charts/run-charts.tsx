// The charts of one run: which numbers they show, of all requests or of one name.

import { useMemo, useState } from 'preact/hooks'
import { bytes, count, ms, number, percent, short, shortBytes, shortMs } from '../data/format'
import { type Distribution, type NamedRequests, type NameColumns, type Report, type Timeline, titleOf } from '../data/report'
import { columnsOf, ends, rates, times } from '../data/timeline'
import { HeatMap } from './heat-map'
import { Lines, type Series } from './lines'
import { Percentiles, ScaleChoice } from './percentiles'

/** From the bottom up, so that what failed is on top. */
const STATUSES: Record<string, [label: string, color: string]> = {
  '2xx': ['2xx', 'teal'],
  '3xx': ['3xx', 'blue'],
  '1xx': ['1xx', 'yellow'],
  '4xx': ['4xx', 'orange'],
  '5xx': ['5xx', 'red'],
  none: ['no response', 'gray'],
}

const SHOWN = {
  p50: { color: 'teal' },
  p90: { color: 'blue' },
  p95: { color: 'purple', width: 2.25 },
  p99: { color: 'orange' },
  'p99.9': { color: 'red', off: true },
  max: { color: 'gray', dash: [4, 3], width: 1.25, off: true },
} satisfies Record<string, Partial<Series>>

export function RunCharts(props: { report: Report; selected: NamedRequests | null }) {
  const { report, selected } = props
  const { timeline } = report
  const columns = selected === null ? undefined : columnsOf(timeline, selected)
  // Only so many names are followed over time.
  const scope = selected !== null && columns !== undefined ? titleOf(selected) : undefined
  const all = selected === null ? undefined : 'all requests'
  const x = useMemo(() => ends(timeline), [timeline])
  return (
    <>
      {selected !== null && columns === undefined && (
        <p class="hint">
          {titleOf(selected)} is not followed over time: the engine does so for the first names only. Charts over time
          show all requests.
        </p>
      )}
      <div class="charts">
        <RequestRate report={report} x={x} columns={columns} selected={selected} scope={scope ?? all} />
        <ResponseTimes report={report} x={x} columns={columns} selected={selected} scope={scope ?? all} />
        <Users report={report} x={x} />
        <Statuses timeline={timeline} x={x} scope={all} />
        <HeatMap timeline={timeline} scope={all} />
        <Percentiles
          curves={[
            {
              label: selected === null ? 'All requests' : titleOf(selected),
              color: 'purple',
              times: (selected ?? report.total).time_ms,
            },
          ]}
          scope={selected === null ? undefined : titleOf(selected)}
        />
      </div>
      <EngineCharts report={report} x={x} />
    </>
  )
}

interface ScopedProps {
  report: Report
  x: number[]
  columns: NameColumns | undefined
  selected: NamedRequests | null
  scope: string | undefined
}

function RequestRate({ report, x, columns, selected, scope }: ScopedProps) {
  const { timeline } = report
  const series = useMemo(() => {
    const rows = columns ?? timeline
    const total = columns === undefined ? report.total : (selected ?? report.total)
    return [
      {
        label: 'Requests',
        color: 'blue',
        values: rates(rows.requests, timeline),
        overall: `${number(total.requests_per_second)}/s`,
        width: 2,
        fill: true,
      },
      {
        label: 'Failures',
        color: 'red',
        values: rates(rows.failures, timeline),
        overall: percent(total.failure_share),
        dash: [5, 3],
        fill: true,
      },
    ]
  }, [timeline, columns])
  return (
    <Lines
      title="Requests per second"
      scope={scope}
      x={x}
      over="time"
      series={series}
      format={(value) => `${number(value)}/s`}
      axis={short}
    />
  )
}

function ResponseTimes({ report, x, columns, selected, scope }: ScopedProps) {
  const { timeline } = report
  const [log, setLog] = useState(false)
  const series = useMemo((): Series[] => {
    if (columns !== undefined) {
      return (['p50', 'p95', 'p99'] as const).map((name) => ({
        label: name,
        ...SHOWN[name],
        values: times(columns[name], columns.requests),
        overall: overall((selected ?? report.total).time_ms, name),
      }))
    }
    return (Object.keys(SHOWN) as (keyof typeof SHOWN)[]).map((name) => ({
      label: name,
      ...SHOWN[name],
      values: times(timeline.time_ms[name], timeline.requests),
      overall: overall(report.total.time_ms, name),
    }))
  }, [timeline, columns])
  return (
    <Lines
      key={columns === undefined ? 'all' : 'one'}
      title="Response times"
      scope={scope}
      x={x}
      over="time"
      series={series}
      format={ms}
      axis={shortMs}
      log={log}
      named
      controls={<ScaleChoice log={log} choose={setLog} />}
    />
  )
}

/** Of the whole run, once there is something. */
function overall(times: Distribution, name: keyof typeof SHOWN): string | undefined {
  return times.count > 0 ? ms(times[name]) : undefined
}

function Users({ report, x }: { report: Report; x: number[] }) {
  const { timeline, users } = report
  const series = useMemo(
    () => [
      {
        label: 'Target',
        color: 'gray',
        values: timeline.target,
        overall: count(users.target),
        dash: [5, 3],
      },
      {
        label: 'Users',
        color: 'purple',
        values: timeline.users,
        overall: `${count(users.peak)} at peak`,
        width: 2,
        fill: true,
      },
    ],
    [timeline],
  )
  return <Lines title="Users" x={x} over="time" series={series} format={count} axis={short} />
}

function Statuses(props: { timeline: Timeline; x: number[]; scope: string | undefined }) {
  const { timeline } = props
  const series = useMemo(() => {
    const known = Object.keys(STATUSES).filter((name) => timeline.statuses[name]?.some((amount) => amount > 0))
    return known.map((name) => {
      const amounts = timeline.statuses[name] as number[]
      const [label, color] = STATUSES[name] as [string, string]
      return {
        label,
        color,
        values: rates(amounts, timeline),
        overall: count(amounts.reduce((sum, amount) => sum + amount, 0)),
        width: 1,
        fill: true,
      }
    })
  }, [timeline])
  return (
    <Lines
      key={series.map((one) => one.label).join()}
      title="Responses by status"
      scope={props.scope}
      x={props.x}
      over="time"
      series={series}
      format={(value) => `${number(value)}/s`}
      axis={short}
      stacked
    />
  )
}

function EngineCharts({ report, x }: { report: Report; x: number[] }) {
  const { timeline, engine } = report
  const small = { x, over: 'time', height: 130, class: 'small' } as const
  const cpu = useMemo(
    () => [{ label: 'CPU', color: 'blue', values: timeline.engine.cpu_percent, overall: `${number(engine.cpu_percent)}%`, fill: true }],
    [timeline],
  )
  const memory = useMemo(
    () => [{ label: 'Memory', color: 'teal', values: timeline.engine.memory_bytes, overall: bytes(engine.memory_bytes), fill: true }],
    [timeline],
  )
  const lag = useMemo(
    () => [{ label: 'p99', color: 'orange', values: timeline.engine.lag_ms, overall: ms(engine.lag_ms.p99), fill: true }],
    [timeline],
  )
  const transfer = useMemo(
    () => [
      { label: 'In', color: 'purple', values: rates(timeline.bytes_received, timeline), overall: bytes(report.total.bytes_received) },
      { label: 'Out', color: 'teal', values: rates(timeline.bytes_sent, timeline), overall: bytes(report.total.bytes_sent), dash: [4, 3] },
    ],
    [timeline],
  )
  const iterations = useMemo(() => {
    const done = {
      label: 'Done',
      color: 'blue',
      values: rates(timeline.iterations, timeline),
      overall: count(report.iterations.count),
    }
    const dropped = {
      label: 'Dropped',
      color: 'red',
      values: rates(timeline.dropped, timeline),
      overall: count(report.iterations.dropped),
      dash: [4, 3],
    }
    return report.iterations.dropped > 0 ? [done, dropped] : [done]
  }, [timeline])
  return (
    <div class="charts small-charts">
      <Lines {...small} title="Bytes per second" series={transfer} format={(value) => `${bytes(value)}/s`} axis={shortBytes} />
      <Lines
        {...small}
        key={iterations.length}
        title="Iterations per second"
        series={iterations}
        format={(value) => `${number(value)}/s`}
        axis={short}
      />
      <Lines {...small} title="Engine: CPU" scope="of one core" series={cpu} format={(value) => `${number(value)}%`} axis={(value) => `${short(value)}%`} />
      <Lines {...small} title="Engine: memory" series={memory} format={bytes} axis={shortBytes} />
      <Lines {...small} title="Engine: timer lag" series={lag} format={ms} axis={shortMs} />
    </div>
  )
}
