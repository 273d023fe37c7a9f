// All requests of the runs: the verdict in a sentence, and each number with its change.

import { change, NONE } from '../../data/format'
import type { ComparedMetric, ComparedRow, ComparedValue } from '../../data/report'
import { Icon } from '../../parts/icons'
import { Whiskers } from './whiskers'
import { Change, METRICS, valueOf } from './words'

/** The verdict on all requests, in a sentence. */
export function Outcome({ row, names }: { row: ComparedRow; names: string[] }) {
  const all = row.metrics.flatMap((metric) => metric.values.map((value) => ({ metric, value })))
  const worse = all.filter(({ value }) => value.verdict === 'worse')
  const better = all.filter(({ value }) => value.verdict === 'better')
  const unknown = all.every(({ value }) => value.verdict === 'unknown')
  const words = (found: typeof all) =>
    found
      .map(({ metric, value }) => {
        const name = METRICS[metric.metric] ?? metric.metric
        return `${name} ${value.change === null ? '' : change(value.change)}${names.length > 2 ? ` (${names[value.run]})` : ''}`
      })
      .join(', ')
  const kind = unknown ? 'neutral' : worse.length > 0 ? (better.length > 0 ? 'warn' : 'bad') : better.length > 0 ? 'good' : 'neutral'
  const head = unknown
    ? 'Not known'
    : worse.length > 0
      ? better.length > 0
        ? 'Partly worse'
        : 'Worse'
      : better.length > 0
        ? 'Better'
        : 'No difference'
  return (
    <div class={`verdict plain ${kind}`}>
      <span class="mark">
        <Icon name={kind === 'good' ? 'check' : kind === 'bad' ? 'cross' : kind === 'warn' ? 'warning' : unknown ? 'unknown' : 'equal'} />
      </span>
      <div>
        <h2>{head}</h2>
        {unknown && <p>There is too little to tell a change from noise.</p>}
        {!unknown && worse.length + better.length === 0 && <p>No change is more than noise.</p>}
        {worse.length > 0 && <p>Worse: {words(worse)}</p>}
        {better.length > 0 && <p>Better: {words(better)}</p>}
      </div>
    </div>
  )
}

export function Totals({ row, names, baseline }: { row: ComparedRow; names: string[]; baseline: number }) {
  const others = names.map((_, run) => run).filter((run) => run !== baseline)
  return (
    <div class="card flush">
      <div class="table-box whole" role="region" aria-label="Changes of all requests" tabIndex={0}>
        <table class="changes">
          <thead>
            <tr>
              <th scope="col" class="text">
                All requests
              </th>
              <th scope="col" class="num">
                {names[baseline]}
              </th>
              {others.map((run) => (
                <th key={run} scope="col" class="text" colSpan={3}>
                  {names[run]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {row.metrics.map((metric) => (
              <tr key={metric.metric}>
                <th scope="row" class="text">
                  {METRICS[metric.metric] ?? metric.metric}
                </th>
                <td class="num">{valueOf(metric, metric.baseline)}</td>
                {others.map((run) => {
                  const value = metric.values.find((one) => one.run === run)
                  return value === undefined ? (
                    <td key={run} colSpan={3} class="text muted">
                      {NONE}
                    </td>
                  ) : (
                    <Cells key={run} metric={metric} value={value} />
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  )
}

function Cells({ metric, value }: { metric: ComparedMetric; value: ComparedValue }) {
  return (
    <>
      <td class="num">{valueOf(metric, value.value)}</td>
      <td class="text">
        <Change value={value} />
      </td>
      <td class="text">
        <Whiskers value={value} />
      </td>
    </>
  )
}
