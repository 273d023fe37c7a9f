// The runs in one chart each: over time from their own start, and by percentile.

import { useMemo, useState } from 'preact/hooks'
import { Choices } from '../../charts/frame'
import { Lines, type Series } from '../../charts/lines'
import { overlay } from '../../charts/overlay'
import { Percentiles, ScaleChoice } from '../../charts/percentiles'
import { count, ms, number, short, shortMs } from '../../data/format'
import type { Report } from '../../data/report'
import { rates, times } from '../../data/timeline'
import { look } from './words'

const OVER_TIME = [
  ['p50', 'p50'],
  ['p95', 'p95'],
  ['p99', 'p99'],
] as const

export function Charts({ reports, names }: { reports: Report[]; names: string[] }) {
  const [metric, setMetric] = useState<(typeof OVER_TIME)[number][0]>('p95')
  const [log, setLog] = useState(false)
  const lines = (columns: (report: Report) => (number | null)[]) => {
    const { x, values } = overlay(reports, columns)
    const series = values.map((column, index): Series => {
      const [color, dash] = look(index)
      return { label: names[index] as string, color, dash, values: column, width: 2 }
    })
    return { x, series }
  }
  const rate = useMemo(() => lines(({ timeline }) => rates(timeline.requests, timeline)), [reports])
  const failures = useMemo(() => lines(({ timeline }) => rates(timeline.failures, timeline)), [reports])
  const users = useMemo(() => lines(({ timeline }) => timeline.users), [reports])
  const time = useMemo(() => lines(({ timeline }) => times(timeline.time_ms[metric], timeline.requests)), [reports, metric])
  const curves = reports.map((report, index) => {
    const [color, dash] = look(index)
    return { label: names[index] as string, color, dash, times: report.total.time_ms }
  })
  const perSecond = (value: number) => `${number(value)}/s`
  return (
    <div class="charts">
      <Lines
        title="Response times"
        over="time"
        {...time}
        format={ms}
        axis={shortMs}
        log={log}
        controls={
          <>
            <Choices label="Percentile" choices={OVER_TIME} value={metric} choose={setMetric} />
            <ScaleChoice log={log} choose={setLog} />
          </>
        }
      />
      <Lines title="Requests per second" over="time" {...rate} format={perSecond} axis={short} />
      <Percentiles curves={curves} class="wide" />
      <Lines title="Users" over="time" {...users} format={count} axis={short} />
      <Lines title="Failures per second" over="time" {...failures} format={perSecond} axis={short} />
    </div>
  )
}
