// The top of the page: which run this is, how it stands, and where on the page what is.

import type { ComponentChildren } from 'preact'
import { clock, moment, span } from '../data/format'
import type { Report } from '../data/report'
import { Icon } from '../parts/icons'
import { ThemeSwitch } from '../parts/theme'

export interface Place {
  id: string
  title: string
  count?: number
}

export function Header(props: {
  title: string
  facts: (string | null)[]
  labels?: Record<string, string>
  status?: ComponentChildren
  places: Place[]
  download?: () => void
}) {
  return (
    <>
      <a class="skip" href="#content">
        Skip to the results
      </a>
      <header class="page-head">
        <div class="page-title">
          <div class="names">
            <h1>{props.title}</h1>
            <p class="facts-line">
              {props.facts
                .filter((fact) => fact !== null)
                .map((fact) => (
                  <span key={fact}>{fact}</span>
                ))}
              {Object.entries(props.labels ?? {}).map(([key, value]) => (
                <span key={key} class="label">
                  <b>{key}</b> {value}
                </span>
              ))}
            </p>
          </div>
          {props.status}
          <div class="page-tools no-print">
            {props.download !== undefined && (
              <button type="button" class="tool" aria-label="Download JSON" title="Download JSON" onClick={props.download}>
                <Icon name="download" />
                <span>Download JSON</span>
              </button>
            )}
            <ThemeSwitch />
          </div>
        </div>
      </header>
      <nav class="places no-print" aria-label="On this page">
        <ul>
          {props.places.map(({ id, title, count }) => (
            <li key={id}>
              <a href={`#${id}`}>
                {title}
                {count !== undefined && count > 0 && <span class="badge">{count}</span>}
              </a>
            </li>
          ))}
        </ul>
      </nav>
    </>
  )
}

const STATES: Record<string, [words: string, kind: string]> = {
  ready: ['Ready', 'waiting'],
  starting: ['Starting', 'waiting'],
  running: ['Running', 'running'],
  paused: ['Paused', 'paused'],
  stopping: ['Stopping', 'paused'],
  stopped: ['Finished', 'done'],
}

/** How the run stands, and how far it is. */
export function RunStatus({ report, state }: { report: Report; state: string }) {
  const { run } = report
  const [words, kind] = STATES[state] ?? [state, 'waiting']
  const planned = run.planned_seconds
  const over = kind === 'done'
  const share = planned === null || planned <= 0 ? null : Math.min(1, run.duration_seconds / planned)
  return (
    <div class={`run-status ${kind}`}>
      {/* Only a change of the state is read out, not each second. */}
      <span class="state" role="status">
        <i aria-hidden="true" />
        {words}
      </span>
      <span class="elapsed">
        {over ? span(run.duration_seconds) : clock(run.duration_seconds)}
        {!over && planned !== null && <span class="muted"> / {clock(planned)}</span>}
        {run.paused_seconds > 0.5 && <span class="muted"> + {clock(run.paused_seconds)} paused</span>}
      </span>
      {!over && share !== null && (
        <progress max={1} value={share} aria-label={`${Math.round(share * 100)} percent of the planned time`} />
      )}
    </div>
  )
}

/** What the head says of a run. */
export function factsOf(report: Report): (string | null)[] {
  const { run, environment } = report
  return [run.host, run.started === '' ? null : moment(run.started), environment.machine === '' ? null : `on ${environment.machine}`]
}
