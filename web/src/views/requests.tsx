// The requests by name: a table to sort, filter and pick one from.

import { useMemo, useState } from 'preact/hooks'
import { bytes, count, number, percent } from '../data/format'
import { isOver, keyOf, type NamedRequests, type Report } from '../data/report'
import { Icon } from '../parts/icons'
import { Section } from '../parts/section'
import { type Column, Table } from '../parts/table'

export function RequestTable(props: {
  report: Report
  selected: NamedRequests | null
  select: (row: NamedRequests | null) => void
}) {
  const { report, selected, select } = props
  const [filter, setFilter] = useState('')
  const [failing, setFailing] = useState(false)
  const live = !isOver(report.run.state)
  const rows = useMemo(() => matching(report.requests, filter, failing), [report.requests, filter, failing])
  const tagged = report.requests.some((row) => Object.keys(row.tags).length > 0)
  const selectedKey = selected === null ? null : keyOf(selected)
  const columns = useMemo(
    () => columnsOf({ live, tagged, selectedKey, select }),
    [live, tagged, selectedKey, select],
  )
  const failures = report.requests.filter((row) => row.failures > 0).length
  return (
    <Section
      id="requests"
      title="Requests by name"
      aside={
        <div class="filters no-print" role="search">
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
            <input type="checkbox" checked={failing} onChange={(event) => setFailing(event.currentTarget.checked)} />
            With failures ({count(failures)})
          </label>
          <span class="hint" role="status">
            {count(rows.length)} of {count(report.requests.length)}
          </span>
        </div>
      }
    >
      <div class="card flush">
        <Table
          label="requests by name"
          columns={columns}
          rows={rows}
          keyOf={keyOf}
          initial={{ column: 'requests', descending: true }}
          rowClass={(row) => (keyOf(row) === selectedKey ? 'selected' : '')}
          empty={report.requests.length === 0 ? 'No requests yet.' : 'No request matches the filter.'}
        />
      </div>
      <Planned report={report} />
    </Section>
  )
}

function matching(rows: NamedRequests[], filter: string, failing: boolean): NamedRequests[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  return rows.filter((row) => {
    if (failing && row.failures === 0) return false
    const tags = Object.entries(row.tags).map(([key, value]) => `${key}=${value}`)
    const text = [row.method, row.name, ...tags].join(' ').toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

function columnsOf(props: {
  live: boolean
  tagged: boolean
  selectedKey: string | null
  select: (row: NamedRequests | null) => void
}): Column<NamedRequests>[] {
  const time = (id: keyof NamedRequests['time_ms'] & string, title = id): Column<NamedRequests> => ({
    id,
    title,
    unit: 'ms',
    cell: (row) => number(row.time_ms[id] as number),
    value: (row) => row.time_ms[id] as number,
  })
  const rate = (row: NamedRequests) => (props.live ? (row.recent?.per_second ?? 0) : row.requests_per_second)
  return [
    {
      id: 'method',
      title: 'Method',
      text: true,
      class: 'method',
      cell: (row) => row.method,
      value: (row) => row.method,
    },
    {
      id: 'name',
      title: 'Name',
      text: true,
      class: 'name',
      cell: (row) => (
        <>
          <span class="method-beside">{row.method}</span>
          <NameButton row={row} selected={keyOf(row) === props.selectedKey} select={props.select} />
        </>
      ),
      value: (row) => row.name,
    },
    ...(props.tagged ? [tags] : []),
    { id: 'requests', title: 'Requests', cell: (row) => count(row.requests), value: (row) => row.requests },
    {
      id: 'failures',
      title: 'Failures',
      cell: (row) => <Failures row={row} />,
      value: (row) => row.failure_share,
    },
    {
      id: 'rate',
      title: 'Rate',
      unit: '/s',
      hint: props.live ? 'Requests per second of late' : 'Requests per second over the whole run',
      cell: (row) => number(rate(row)),
      value: rate,
    },
    time('avg'),
    time('p50'),
    time('p95'),
    time('p99'),
    time('p99.9'),
    time('max'),
    {
      id: 'bytes',
      title: 'Received',
      cell: (row) => bytes(row.bytes_received),
      value: (row) => row.bytes_received,
    },
  ]
}

const tags: Column<NamedRequests> = {
  id: 'tags',
  title: 'Tags',
  text: true,
  class: 'tags',
  cell: (row) =>
    Object.entries(row.tags).map(([key, value]) => (
      <span key={key} class="tag">
        {key}={value}
      </span>
    )),
  value: (row) =>
    Object.entries(row.tags)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
}

function NameButton(props: { row: NamedRequests; selected: boolean; select: (row: NamedRequests | null) => void }) {
  const { row, selected, select } = props
  return (
    <button
      type="button"
      class="name-button"
      aria-pressed={selected}
      title={selected ? 'Show all requests in the charts' : `${row.name}: show in the charts`}
      onClick={() => select(selected ? null : row)}
    >
      {row.name.trim() === '' ? '(blank)' : row.name}
    </button>
  )
}

function Failures({ row }: { row: NamedRequests }) {
  if (row.failures === 0) return <span class="muted">0</span>
  return (
    <span class="failed">
      <Icon name="cross" />
      {count(row.failures)} <span class="share">({percent(row.failure_share)})</span>
    </span>
  )
}

/** Response times with the wait before them, where starts were planned. */
function Planned({ report }: { report: Report }) {
  const rows = report.requests.filter((row) => row.time_from_planned_start_ms !== undefined)
  const total = report.total.time_from_planned_start_ms
  if (total === undefined) return null
  const columns = (['avg', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max'] as const).map(
    (id): Column<NamedRequests> => ({
      id,
      title: id,
      unit: 'ms',
      cell: (row) => number(row.time_from_planned_start_ms?.[id] ?? 0),
      value: (row) => row.time_from_planned_start_ms?.[id] ?? 0,
    }),
  )
  const names: Column<NamedRequests>[] = [
    { id: 'method', title: 'Method', text: true, class: 'method', cell: (row) => row.method, value: (row) => row.method },
    { id: 'name', title: 'Name', text: true, class: 'name', cell: (row) => row.name, value: (row) => row.name },
    ...(rows.some((row) => Object.keys(row.tags).length > 0) ? [tags] : []),
  ]
  return (
    <>
      <h3>From the planned start</h3>
      <p class="hint">
        With the wait before each request whose start was planned: a stall of the server cannot hide behind requests
        that were sent late. All together: p50 {number(total.p50)} ms, p95 {number(total.p95)} ms, p99{' '}
        {number(total.p99)} ms, max {number(total.max)} ms.
      </p>
      <div class="card flush">
        <Table
          label="response times from the planned start"
          columns={[...names, ...columns]}
          rows={rows}
          keyOf={keyOf}
          initial={{ column: 'p99', descending: true }}
          empty="None."
        />
      </div>
    </>
  )
}
