// The requests by name: a table of one metric in all runs, to choose, sort and filter.

import { useMemo, useState } from 'preact/hooks'
import { count, NONE, plural } from '../../data/format'
import { type ComparedRow, type ComparedValue, type Comparison, keyOf, titleOf } from '../../data/report'
import { Section } from '../../parts/section'
import { type Column, Table } from '../../parts/table'
import { Whiskers } from './whiskers'
import { Change, METRICS, valueOf } from './words'

export function Rows({ comparison, names }: { comparison: Comparison; names: string[] }) {
  const [metric, setMetric] = useState('p95')
  const [filter, setFilter] = useState('')
  const [changed, setChanged] = useState(false)
  const all = comparison.rows.filter((row) => row.method !== '' || row.name !== '')
  const rows = useMemo(() => {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
    return all.filter((row) => {
      const values = row.metrics.find((one) => one.metric === metric)?.values ?? []
      if (changed && !values.some(({ verdict }) => verdict === 'worse' || verdict === 'better')) return false
      const text = titleOf(row).toLowerCase()
      return words.every((word) => text.includes(word))
    })
  }, [comparison, metric, filter, changed])
  const columns = useMemo(() => columnsOf(comparison, names, metric), [comparison, metric])
  const choices = Object.entries(METRICS).filter(([name]) => all[0]?.metrics.some((one) => one.metric === name))
  return (
    <Section
      id="requests"
      title="Requests by name"
      aside={
        <div class="filters no-print" role="search">
          <label>
            Compare{' '}
            <select value={metric} onChange={(event) => setMetric(event.currentTarget.value)}>
              {choices.map(([name, title]) => (
                <option key={name} value={name}>
                  {title}
                </option>
              ))}
            </select>
          </label>
          <label>
            <span class="visually-hidden">Filter by name, method or tag</span>
            <input
              type="search"
              placeholder="Filter by name, method or tag"
              value={filter}
              onInput={(event) => setFilter(event.currentTarget.value)}
            />
          </label>
          <label class="check">
            <input type="checkbox" checked={changed} onChange={(event) => setChanged(event.currentTarget.checked)} />
            More than noise
          </label>
          <span class="hint" role="status">
            {count(rows.length)} of {count(all.length)}
          </span>
        </div>
      }
    >
      <div class="card flush">
        <Table
          label="changes by name"
          columns={columns}
          rows={rows}
          keyOf={keyOf}
          initial={{ column: `change ${firstOther(comparison)}`, descending: true }}
          empty="No request matches the filter."
        />
      </div>
      <p class="hint">
        The whiskers show where the change lies with 95 % certainty; what lies on both sides of the middle is noise.
      </p>
      <Unmatched comparison={comparison} names={names} />
    </Section>
  )
}

/** Names that are listed; who looks for more has the documents. */
const LISTED = 100

function Unmatched({ comparison, names }: { comparison: Comparison; names: string[] }) {
  const all = comparison.unmatched ?? []
  if (all.length === 0) return null
  return (
    <details class="card">
      <summary>{plural(all.length, 'request')} that not all runs have</summary>
      <ul>
        {all.slice(0, LISTED).map((row) => (
          <li key={keyOf(row)}>
            {titleOf(row)} <span class="muted">only in {row.runs.map((run) => names[run]).join(', ')}</span>
          </li>
        ))}
        {all.length > LISTED && <li class="muted">and {count(all.length - LISTED)} more</li>}
      </ul>
    </details>
  )
}

function firstOther({ baseline }: Comparison): number {
  return baseline === 0 ? 1 : 0
}

function columnsOf(comparison: Comparison, names: string[], metric: string): Column<ComparedRow>[] {
  const of = (row: ComparedRow) => row.metrics.find((one) => one.metric === metric)
  const at = (row: ComparedRow, run: number) => of(row)?.values.find((one) => one.run === run)
  const others = names.map((_, run) => run).filter((run) => run !== comparison.baseline)
  return [
    { id: 'method', title: 'Method', text: true, class: 'method', cell: (row) => row.method, value: (row) => row.method },
    {
      id: 'name',
      title: 'Name',
      text: true,
      class: 'name',
      cell: (row) => titleOf({ ...row, method: '' }),
      value: (row) => row.name,
    },
    {
      id: 'baseline',
      title: names[comparison.baseline] as string,
      cell: (row) => {
        const found = of(row)
        return found === undefined ? NONE : valueOf(found, found.baseline)
      },
      value: (row) => of(row)?.baseline ?? -1,
    },
    ...others.flatMap((run): Column<ComparedRow>[] => [
      {
        id: `value ${run}`,
        title: names[run] as string,
        cell: (row) => {
          const [found, value] = [of(row), at(row, run)]
          return found === undefined || value === undefined ? NONE : valueOf(found, value.value)
        },
        value: (row) => at(row, run)?.value ?? -1,
      },
      {
        id: `change ${run}`,
        title: 'Change',
        text: true,
        cell: (row) => {
          const value = at(row, run)
          return value === undefined ? NONE : <Change value={value} />
        },
        // What is more than noise before what is not, the largest first.
        value: (row) => weight(at(row, run)),
      },
      {
        id: `range ${run}`,
        title: '95 % interval',
        text: true,
        cell: (row) => {
          const value = at(row, run)
          return value === undefined ? null : <Whiskers value={value} />
        },
      },
    ]),
  ]
}

function weight(value: ComparedValue | undefined): number {
  if (value === undefined || value.change === null) return -1
  const size = Math.min(Math.abs(value.change), 1e6)
  return value.verdict === 'worse' || value.verdict === 'better' ? 1e7 + size : size
}
