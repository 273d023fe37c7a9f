// Where runs took place, side by side; what differs may be why their results do.

import { bytes, count, moment, span } from '../../data/format'
import type { Report } from '../../data/report'
import { Icon } from '../../parts/icons'

export function EnvironmentTable({ reports, names }: { reports: Report[]; names: string[] }) {
  const rows: [string, (report: Report) => string][] = [
    ['Component', ({ run }) => run.component],
    ['SHA-256', ({ environment }) => environment.component_sha256.slice(0, 16)],
    ['Host', ({ run }) => run.host ?? ''],
    ['Started', ({ run }) => moment(run.started)],
    ['Duration', ({ run }) => span(Math.round(run.duration_seconds))],
    ['Users at peak', ({ users }) => count(users.peak)],
    ['Engine', ({ environment }) => environment.engine],
    ['Machine', ({ environment }) => environment.machine],
    ['System', ({ environment }) => environment.system],
    ['Cores', ({ environment }) => count(environment.cores)],
    ['Memory', ({ environment }) => bytes(environment.memory_bytes)],
    ['Command line', ({ environment }) => environment.command],
    ...limitsOf(reports),
  ]
  return (
    <div class="card flush">
      <div class="table-box whole" role="region" aria-label="Environments" tabIndex={0}>
        <table class="environments">
          <thead>
            <tr>
              <th scope="col" class="text">
                What
              </th>
              {names.map((name) => (
                <th key={name} scope="col" class="text">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([what, of]) => {
              const values = reports.map(of)
              // Two runs never start at the same moment.
              const differs = what !== 'Started' && new Set(values).size > 1
              return (
                <tr key={what} class={differs ? 'differs' : ''}>
                  <th scope="row" class="text">
                    {what}
                    {differs && (
                      <span class="pill warn">
                        <Icon name="warning" />
                        differs
                      </span>
                    )}
                  </th>
                  {values.map((value, index) => (
                    <td key={index} class="text">
                      {value}
                    </td>
                  ))}
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
    </div>
  )
}

function limitsOf(reports: Report[]): [string, (report: Report) => string][] {
  const names = new Set(reports.flatMap(({ environment }) => Object.keys(environment.limits)))
  return [...names].map((name) => [`Limit: ${name}`, ({ environment }) => environment.limits[name] ?? ''])
}
