// The few numbers that sum a run up, each with its course over time.

import { useMemo } from 'preact/hooks'
import { bytes, count, ms, NONE, number, percent, tight } from '../data/format'
import { isOver, type Report } from '../data/report'
import { rates, times } from '../data/timeline'
import { Sparkline } from '../charts/sparkline'
import type { Values } from '../charts/values'

interface Tile {
  title: string
  value: string
  unit?: string
  note?: string
  kind?: string
  course?: Values
  color?: string
}

export function Tiles({ report }: { report: Report }) {
  const tiles = useMemo(() => tilesOf(report), [report])
  return (
    <dl class="tiles">
      {tiles.map(({ title, value, unit, note, kind, course, color }) => (
        <div key={title} class={`tile ${kind ?? ''}`}>
          <dt>{title}</dt>
          <dd>
            <span class="value">
              {value}
              {unit !== undefined && <span class="unit"> {unit}</span>}
            </span>
            <span class="note">{note}</span>
          </dd>
          {course !== undefined && <Sparkline values={course} color={color ?? 'blue'} />}
        </div>
      ))}
    </dl>
  )
}

function tilesOf(report: Report): Tile[] {
  const { total, users, timeline, run } = report
  const live = !isOver(run.state)
  const now = live ? total.recent : undefined
  const alive = Object.values(users.classes).reduce((sum, one) => sum + one.starting + one.running + one.stopping + one.restarting, 0)
  const seconds = Math.max(run.duration_seconds, 1e-3)
  const tiles: Tile[] = [
    {
      title: 'Requests per second',
      value: number(now?.per_second ?? total.requests_per_second),
      note: now === undefined ? `${tight(total.requests)} in total` : `${number(total.requests_per_second)} on average`,
      course: rates(timeline.requests, timeline),
    },
    {
      title: 'Failures',
      value: total.requests === 0 ? NONE : percent(total.failure_share),
      note: `${tight(total.failures)} of ${tight(total.requests)}`,
      kind: total.failures > 0 ? 'bad' : '',
      course: rates(timeline.failures, timeline),
      color: 'red',
    },
  ]
  for (const [name, color, note, other] of [
    ['p50', 'teal', 'average', 'avg'],
    ['p95', 'purple', 'p90', 'p90'],
    ['p99', 'orange', 'max', 'max'],
  ] as const) {
    const words = total.requests === 0 ? [NONE] : ms(total.time_ms[name]).split(/ (?=m?s$)/)
    tiles.push({
      title: `Response time, ${name}`,
      value: words[0] as string,
      unit: words[1],
      note: total.requests === 0 ? '' : `${note} ${ms(total.time_ms[other])}`,
      course: times(timeline.time_ms[name], timeline.requests),
      color,
    })
  }
  const [amount, unit] = bytes((total.bytes_received + total.bytes_sent) / seconds).split(' ')
  tiles.push(
    {
      title: live ? 'Users' : 'Users at peak',
      value: count(live ? alive : users.peak),
      note: live ? `of ${count(users.target)} wanted` : `${count(users.started)} started`,
      course: timeline.users,
      color: 'purple',
    },
    {
      title: 'Requests',
      value: total.requests < 1e8 ? count(total.requests) : tight(total.requests),
      note: `${tight(report.iterations.count)} ${report.iterations.count === 1 ? 'iteration' : 'iterations'}`,
    },
    {
      title: 'Transfer',
      value: amount as string,
      unit: `${unit}/s`,
      note: `${bytes(total.bytes_received)} received`,
    },
  )
  return tiles
}
