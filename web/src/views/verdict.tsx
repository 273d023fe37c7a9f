// What a run comes to: passed or failed, and what to know before believing any number.

import { count, percent, plural } from '../data/format'
import { isOver, type Report } from '../data/report'
import { Icon } from '../parts/icons'

export function Verdict({ report }: { report: Report }) {
  const { run, thresholds, total } = report
  const over = isOver(run.state)
  const crossed = thresholds.filter((threshold) => !threshold.passed)
  const failedTasks = report.task_errors.reduce((sum, error) => sum + error.count, 0)
  let kind = 'good'
  let head: string
  let text: string
  if (thresholds.length > 0) {
    kind = crossed.length > 0 ? 'bad' : 'good'
    head = crossed.length > 0 ? 'Failed' : 'Passed'
    text =
      crossed.length > 0
        ? `${plural(crossed.length, 'threshold')} of ${thresholds.length} crossed`
        : thresholds.length === 1
          ? 'The threshold holds'
          : `All ${thresholds.length} thresholds hold`
    if (!over) head = crossed.length > 0 ? 'Failing' : 'Passing'
  } else if (total.requests === 0 && failedTasks === 0) {
    kind = 'neutral'
    head = 'No requests'
    text = over ? 'The run ended without a single request' : 'None were sent yet'
  } else if (total.failures > 0 || failedTasks > 0) {
    kind = 'warn'
    head = 'With failures'
    const requests = total.failures > 0 ? `${plural(total.failures, 'failed request')} (${percent(total.failure_share)})` : null
    const tasks = failedTasks > 0 ? plural(failedTasks, 'failed task') : null
    text = `${[requests, tasks].filter((words) => words !== null).join(', ')}; no thresholds were set`
  } else {
    head = 'No failures'
    text = 'No thresholds were set'
  }
  return (
    <div class="verdicts">
      <div class={`verdict ${kind} ${thresholds.length > 0 ? '' : 'plain'}`}>
        <span class="mark">
          <Icon name={kind === 'good' ? 'check' : kind === 'bad' ? 'cross' : kind === 'warn' ? 'warning' : 'unknown'} />
        </span>
        <div>
          <h2>{head}</h2>
          <p>
            {text}
            {over && run.end_reason !== '' && <span class="muted"> · Ended: {run.end_reason}</span>}
          </p>
        </div>
        {thresholds.length > 0 && <Thresholds report={report} />}
      </div>
      <Doubts report={report} />
    </div>
  )
}

function Thresholds({ report }: { report: Report }) {
  // What failed is what people look for.
  const sorted = [...report.thresholds].sort((a, b) => Number(a.passed) - Number(b.passed))
  return (
    <ul class="thresholds" aria-label="Thresholds">
      {sorted.map((threshold, index) => (
        <li key={index} class={threshold.passed ? 'good' : 'bad'}>
          <Icon name={threshold.passed ? 'check' : 'cross'} />
          <span class="visually-hidden">{threshold.passed ? 'Holds: ' : 'Crossed: '}</span>
          <code>{threshold.expression}</code>
          <span class="measured">
            {threshold.value ?? 'no data'}
            {threshold.ended_run && ', ended the run'}
          </span>
        </li>
      ))}
    </ul>
  )
}

function Doubts({ report }: { report: Report }) {
  const { engine, iterations, users } = report
  const doubts: [string, string][] = []
  if (engine.saturated) {
    doubts.push([
      'The load generator was saturated.',
      'It was short of CPU for much of the run, so that response times are too high and the load too low. Use more cores or machines, or fewer users.',
    ])
  }
  if (iterations.dropped > 0) {
    doubts.push([
      `${plural(iterations.dropped, 'planned iteration')} never began.`,
      'No user was free in time; the arrival rate was not reached. Raise --max-users, or see why the server is slow.',
    ])
  }
  if (users.ended_by_stop_timeout > 0) {
    doubts.push([`${plural(users.ended_by_stop_timeout, 'user')} did not stop in time.`, 'What they had begun was cut off.'])
  }
  const lost: [number, string][] = [
    [engine.requests_folded, 'requests are counted as (other): there were too many distinct names'],
    [engine.errors_folded, 'errors are counted as (other): there were too many distinct messages'],
    [engine.custom_values_folded, 'custom values are counted as (other): there were too many distinct names'],
    [engine.custom_values_invalid, 'custom values were no numbers, or negative where that has no meaning'],
    [engine.samples_dropped, 'samples are missing from the samples file: it could not be written fast enough'],
    [engine.events_dropped, 'events did not reach the observer of the scenario: it was too slow'],
    [engine.log_lines_dropped, 'log lines were above the permitted rate and left out'],
  ]
  const words = lost.filter(([amount]) => amount > 0).map(([amount, what]) => `${count(amount)} ${what}.`)
  if (words.length > 0) doubts.push(['Some things were left out.', words.join(' ')])
  if (doubts.length === 0) return null
  return (
    <ul class="doubts" aria-label="Warnings">
      {doubts.map(([head, text]) => (
        <li key={head}>
          <Icon name="warning" />
          <p>
            <b>{head}</b> {text}
          </p>
        </li>
      ))}
    </ul>
  )
}
