// The page of one run: while it goes on, and after.

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { ZoomProvider, ZoomReset } from '../charts/zoom'
import { RunCharts } from '../charts/run-charts'
import { componentOf, keyOf, type NamedRequests, type Report, titleOf } from '../data/report'
import { download } from '../parts/download'
import { Section } from '../parts/section'
import { EnvironmentView } from './environment'
import { factsOf, Header, type Place, RunStatus } from './header'
import { Log } from './log'
import { Problems } from './problems'
import { RequestTable } from './requests'
import { Scenario } from './scenario'
import { Tiles } from './tiles'
import { Verdict } from './verdict'

export function RunPage(props: {
  report: Report
  state: string
  /** Where a whole document comes from, if not from here. */
  whole?: () => Promise<Report | null>
  children?: ComponentChildren
}) {
  const { report, state } = props
  const [chosen, choose] = useState<string | null>(null)
  const selected = chosen === null ? null : (report.requests.find((row) => keyOf(row) === chosen) ?? null)
  const save = async () => {
    const document = (await props.whole?.()) ?? report
    download(fileName(report), JSON.stringify(document))
  }
  const problems = report.errors.length + report.task_errors.length + report.sandbox_events.length
  const places: Place[] = [
    { id: 'summary', title: 'Summary' },
    { id: 'charts', title: 'Charts' },
    { id: 'requests', title: 'Requests' },
    { id: 'errors', title: 'Errors', count: problems },
    { id: 'scenario', title: 'Scenario' },
    { id: 'log', title: 'Log' },
    { id: 'environment', title: 'Environment' },
  ]
  return (
    <>
      <Header
        title={componentOf(report)}
        facts={factsOf(report)}
        labels={report.run.labels}
        status={<RunStatus report={report} state={state} />}
        places={places}
        download={save}
      />
      <main id="content" tabIndex={-1}>
        {props.children}
        <section id="summary" aria-label="Summary">
          <Verdict report={report} />
          <Tiles report={report} />
        </section>
        <ZoomProvider>
          <Section
            id="charts"
            title="Charts"
            aside={
              <div class="filters">
                <ZoomReset />
                <Scope
                  rows={report.requests}
                  selected={selected}
                  select={(row) => choose(row === null ? null : keyOf(row))}
                />
              </div>
            }
          >
            <RunCharts report={report} selected={selected} />
          </Section>
        </ZoomProvider>
        <RequestTable
          report={report}
          selected={selected}
          select={(row) => choose(row === null ? null : keyOf(row))}
        />
        <Problems report={report} />
        <Scenario report={report} />
        <Log lines={report.log} />
        <EnvironmentView report={report} />
      </main>
      <Footer version={report.environment.engine} />
    </>
  )
}

/** Names that fit a list; the table has the others. */
const LISTED = 100

function Scope(props: {
  rows: NamedRequests[]
  selected: NamedRequests | null
  select: (row: NamedRequests | null) => void
}) {
  const { rows, selected } = props
  const busiest = [...rows].sort((a, b) => b.requests - a.requests).slice(0, LISTED)
  const listed = selected === null || busiest.includes(selected) ? busiest : [selected, ...busiest]
  return (
    <label class="no-print">
      Show{' '}
      <select
        value={selected === null ? '' : keyOf(selected)}
        onChange={(event) => {
          const key = event.currentTarget.value
          props.select(rows.find((row) => keyOf(row) === key) ?? null)
        }}
      >
        <option value="">All requests</option>
        {listed.map((row) => (
          <option key={keyOf(row)} value={keyOf(row)}>
            {titleOf(row)}
          </option>
        ))}
      </select>
    </label>
  )
}

export function Footer({ version }: { version: string }) {
  return (
    <footer>
      aiotest-engine {version} · Response times run from the call to the last byte; percentiles come from HDR histograms
      of three digits.
    </footer>
  )
}

/** A name that no file system objects to. */
function fileName(report: Report): string {
  const name = componentOf(report).replace(/[^\w.-]+/g, '_').slice(0, 80)
  return `${name}-${report.run.started.replace(/[^\dTZ]/g, '').slice(0, 15)}.json`
}
