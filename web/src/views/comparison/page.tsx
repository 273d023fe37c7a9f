// Runs side by side: what changed, and whether it is more than noise.

import { ZoomProvider, ZoomReset } from '../../charts/zoom'
import { clock, count, moment, span } from '../../data/format'
import { type ComparedRun, type Comparison, componentOf, type Report } from '../../data/report'
import { download } from '../../parts/download'
import { Icon } from '../../parts/icons'
import { Card, Section } from '../../parts/section'
import { Header } from '../header'
import { Footer } from '../run'
import { Charts } from './charts'
import { EnvironmentTable } from './environments'
import { Rows } from './rows'
import { Outcome, Totals } from './totals'
import { runNames, Swatch } from './words'

interface Props {
  reports: Report[]
  comparison: Comparison
}

export function ComparisonPage({ reports, comparison }: Props) {
  const names = runNames(comparison)
  const total = comparison.rows.find((row) => row.method === '' && row.name === '')
  const places = [
    { id: 'summary', title: 'Summary' },
    { id: 'charts', title: 'Charts' },
    { id: 'requests', title: 'Requests' },
    { id: 'environment', title: 'Environment' },
  ]
  const first = reports[comparison.baseline] ?? reports[0]
  return (
    <>
      <Header
        title={names.length === 2 ? `${names[0]} and ${names[1]}` : `${names.length} runs side by side`}
        facts={[`Baseline: ${names[comparison.baseline] ?? ''}`]}
        places={places}
        download={() => download('comparison.json', JSON.stringify(comparison))}
      />
      <main id="content" tabIndex={-1}>
        <section id="summary" aria-label="Summary">
          {total !== undefined && <Outcome row={total} names={names} />}
          <RunCards reports={reports} comparison={comparison} names={names} />
          {total !== undefined && <Totals row={total} names={names} baseline={comparison.baseline} />}
        </section>
        <ZoomProvider>
          <Section id="charts" title="Charts" aside={<ZoomReset />}>
            <Charts reports={reports} names={names} />
          </Section>
        </ZoomProvider>
        <Rows comparison={comparison} names={names} />
        <Section id="environment" title="Environment">
          <EnvironmentTable reports={reports} names={names} />
        </Section>
      </main>
      <Footer version={first?.environment.engine ?? ''} />
    </>
  )
}

function RunCards({ reports, comparison, names }: Props & { names: string[] }) {
  return (
    <div class="cards run-cards">
      {reports.map((report, index) => {
        const crossed = report.thresholds.filter((threshold) => !threshold.passed).length
        return (
          <Card key={index}>
            <div class="card-head">
              <h3>
                <Swatch run={index} />
                {names[index]}
                {index === comparison.baseline && <span class="scope">baseline</span>}
              </h3>
              {report.thresholds.length > 0 && (
                <span class={`pill ${crossed > 0 ? 'bad' : 'good'}`}>
                  <Icon name={crossed > 0 ? 'cross' : 'check'} />
                  {crossed > 0 ? 'failed' : 'passed'}
                </span>
              )}
            </div>
            <p class="facts-line">
              <span>{componentOf(report)}</span>
              {report.run.host !== null && <span>{report.run.host}</span>}
              <span>{moment(report.run.started)}</span>
              <span>{span(report.run.duration_seconds)}</span>
              <span>{count(report.users.peak)} users</span>
              <span>{count(report.total.requests)} requests</span>
              {Object.entries(report.run.labels).map(([key, value]) => (
                <span key={key} class="label">
                  <b>{key}</b> {value}
                </span>
              ))}
            </p>
            <Notes run={comparison.runs[index]} saturated={report.engine.saturated} />
          </Card>
        )
      })}
    </div>
  )
}

/** What was compared, and why to be careful. */
function Notes({ run, saturated }: { run: ComparedRun | undefined; saturated: boolean }) {
  const steady = run?.steady
  const notes = [...(run?.notes ?? [])]
  if (saturated && notes.length === 0) notes.push('the load generator was saturated')
  return (
    <>
      {steady != null && (
        <p class="hint">
          Compared: {clock(steady.start_seconds)} to {clock(steady.end_seconds)}, under full load.
        </p>
      )}
      {notes.map((note) => (
        <p key={note} class="hint warn">
          <Icon name="warning" /> {note}
        </p>
      ))}
    </>
  )
}
