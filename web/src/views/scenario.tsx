// What the scenario did and measured by itself: where the time went, its iterations,
// groups, checks and custom values.

import type { ComponentChildren } from 'preact'
import { count, ms, number, percent, plural } from '../data/format'
import type { ClassUsers, Distribution, Report } from '../data/report'
import { Icon } from '../parts/icons'
import { Card, Facts, Section } from '../parts/section'

export function Scenario({ report }: { report: Report }) {
  const { checks, groups, trends, counters, gauges } = report
  return (
    <Section id="scenario" title="Scenario">
      <div class="stack">
        <Phases report={report} />
        <div class="cards">
          <Iterations report={report} />
          <UserClasses report={report} />
          {has(checks) && <Checks report={report} />}
          {(has(counters) || has(gauges)) && <Values report={report} />}
        </div>
        {has(groups) && (
          <Distributions
            title="Groups"
            unit="ms"
            rows={Object.entries(groups).map(([name, group]) => [name, group.time_ms])}
          />
        )}
        {has(trends) && <Distributions title="Trends" rows={Object.entries(trends)} />}
      </div>
    </Section>
  )
}

function has(all: object): boolean {
  return Object.keys(all).length > 0
}

const PHASES: [name: string, color: string][] = [
  ['dns', 'yellow'],
  ['connect', 'orange'],
  ['tls', 'red'],
  ['send', 'teal'],
  ['first byte', 'purple'],
  ['body', 'blue'],
]

/** Phases that not every request has, as shares of the time of all of them. */
function Phases({ report }: { report: Report }) {
  const known = PHASES.flatMap(([name, color]) => {
    const times = report.phases_ms[name]
    return times !== undefined && times.count > 0 ? [{ name, color, times }] : []
  })
  const total = known.reduce((sum, { times }) => sum + times.sum, 0)
  if (total <= 0) return null
  return (
    <Card title="Where the time went">
      <div class="parts" aria-hidden="true">
        {known.map(({ name, color, times }) => (
          <i key={name} style={{ flexGrow: times.sum / total, background: `var(--${color})` }} title={name} />
        ))}
      </div>
      <Rows label="phases" head={['Phase', 'Share', 'Count', 'avg ms', 'p50 ms', 'p95 ms', 'p99 ms']}>
        {known.map(({ name, color, times }) => (
          <tr key={name}>
            <th scope="row">
              <i class="dot" style={{ background: `var(--${color})` }} />
              {name}
            </th>
            <td>{percent(times.sum / total)}</td>
            <td>{count(times.count)}</td>
            {[times.avg, times.p50, times.p95, times.p99].map((value, index) => (
              <td key={index}>{number(value)}</td>
            ))}
          </tr>
        ))}
      </Rows>
    </Card>
  )
}

function Rows({ label, head, children }: { label: string; head: string[]; children: ComponentChildren }) {
  return (
    <div class="scroll" role="region" aria-label={`Table of ${label}`} tabIndex={0}>
      <table class="plain">
        <thead>
          <tr>
            {head.map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}

function Iterations({ report }: { report: Report }) {
  const { iterations, tasks } = report
  const { time_ms: time, late_ms: late } = iterations
  const facts: [string, string][] = [
    ['Done', `${count(iterations.count)} (${number(iterations.per_second)}/s)`],
    ['Tasks', count(tasks)],
  ]
  if (iterations.interrupted > 0) facts.push(['Cut off', count(iterations.interrupted)])
  if (iterations.dropped > 0) facts.push(['Never began', count(iterations.dropped)])
  if (time.count > 0) facts.push(['Took', `p50 ${ms(time.p50)}, p95 ${ms(time.p95)}, max ${ms(time.max)}`])
  if (late.count > 0) facts.push(['Began late by', `p50 ${ms(late.p50)}, p95 ${ms(late.p95)}, max ${ms(late.max)}`])
  return (
    <Card title="Iterations">
      <Facts facts={facts} />
    </Card>
  )
}

function UserClasses({ report }: { report: Report }) {
  const { users } = report
  const classes = Object.entries(users.classes)
  return (
    <Card title="Users">
      <p class="hint">
        {plural(users.started, 'user')} started, {count(users.stopped)} stopped, {count(users.peak)} at peak.
      </p>
      {/* When the run is over nobody is left. */}
      <Facts facts={classes.map(([name, one]) => [name, doing(one)])} />
    </Card>
  )
}

/** What the users of a class are at: `160 running, 2 stopping`. */
function doing(users: ClassUsers): string {
  const words = Object.entries(users).filter(([, amount]) => amount > 0)
  return words.map(([what, amount]) => `${count(amount)} ${what}`).join(', ')
}

function Checks({ report }: { report: Report }) {
  const checks = Object.entries(report.checks).sort(([, a], [, b]) => share(a) - share(b))
  return (
    <Card title="Checks">
      <ul class="checks">
        {checks.map(([name, check]) => (
          <li key={name} class={check.failed > 0 ? 'bad' : 'good'}>
            <Icon name={check.failed > 0 ? 'cross' : 'check'} />
            <span class="check-name">{name}</span>
            <span class="check-share">{percent(share(check))}</span>
            <span class="bar" aria-hidden="true">
              <i style={{ width: `${100 * share(check)}%` }} />
            </span>
            <span class="check-count muted">
              {count(check.passed)} of {count(check.passed + check.failed)}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  )
}

function share({ passed, failed }: { passed: number; failed: number }): number {
  return passed + failed > 0 ? passed / (passed + failed) : 0
}

function Distributions(props: { title: string; unit?: string; rows: [string, Distribution][] }) {
  return (
    <Card title={props.title}>
      {props.unit !== undefined && <p class="hint">Times in {props.unit}.</p>}
      <Rows label={props.title.toLowerCase()} head={['Name', 'Count', 'avg', 'min', 'p50', 'p95', 'p99', 'max']}>
        {props.rows.map(([name, of]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{count(of.count)}</td>
            {[of.avg, of.min, of.p50, of.p95, of.p99, of.max].map((value, index) => (
              <td key={index}>{number(value)}</td>
            ))}
          </tr>
        ))}
      </Rows>
    </Card>
  )
}

function Values({ report }: { report: Report }) {
  const seconds = Math.max(report.run.duration_seconds, 1e-3)
  return (
    <Card title="Counters and gauges">
      <Rows label="counters and gauges" head={['Name', 'Value', 'Per second']}>
        {Object.entries(report.counters).map(([name, value]) => (
          <tr key={`counter ${name}`}>
            <th scope="row">{name}</th>
            <td>{number(value)}</td>
            <td>{number(value / seconds)}</td>
          </tr>
        ))}
        {Object.entries(report.gauges).map(([name, value]) => (
          <tr key={`gauge ${name}`}>
            <th scope="row">{name}</th>
            <td>{number(value)}</td>
            <td class="muted">latest</td>
          </tr>
        ))}
      </Rows>
    </Card>
  )
}
