// Where the run took place, so that somebody else can repeat it.

import { bytes, count, moment, span } from '../data/format'
import type { Report } from '../data/report'
import { Card, Facts, Section } from '../parts/section'

export function EnvironmentView({ report }: { report: Report }) {
  const { run, environment, engine } = report
  return (
    <Section id="environment" title="Environment">
      <div class="stack">
        <Card title="Command line">
          <pre class="command" tabIndex={0}>
            {environment.command}
          </pre>
        </Card>
        <div class="cards">
          <Card title="Run">
            <Facts
              facts={[
                ['Component', run.component],
                ['SHA-256', <code class="hash">{environment.component_sha256}</code>],
                ['Size', bytes(environment.component_bytes)],
                ['Host', run.host],
                ['Started', moment(run.started)],
                ['Duration', span(run.duration_seconds)],
                ['Paused', run.paused_seconds > 0 ? span(run.paused_seconds) : ''],
                ['Ended', run.end_reason],
                ['Exit code', run.end_reason === '' ? '' : run.exit_code],
              ]}
            />
          </Card>
          <Card title="Machine">
            <Facts
              facts={[
                ['Name', environment.machine],
                ['System', environment.system],
                ['Cores', count(environment.cores)],
                ['Memory', bytes(environment.memory_bytes)],
                ['Engine', `aiotest-engine ${environment.engine}`],
                ['Sandboxes', count(engine.sandboxes)],
                ['Report', `schema ${report.schema}`],
              ]}
            />
          </Card>
          <Card title="Limits">
            <Facts facts={Object.entries(environment.limits)} />
          </Card>
        </div>
      </div>
    </Section>
  )
}
