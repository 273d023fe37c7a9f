// What went wrong: failed requests, failed tasks and sandboxes, each by cause.

import { count, plural } from '../data/format'
import type { Report, RequestError, SandboxEvent, TaskError } from '../data/report'
import { Empty, Section } from '../parts/section'
import { type Column, Table } from '../parts/table'

export function Problems({ report }: { report: Report }) {
  const { errors, task_errors: tasks, sandbox_events: sandboxes } = report
  const restarts = Object.entries(report.sandbox_restarts).filter(([, amount]) => amount > 0)
  const none = errors.length + tasks.length + sandboxes.length === 0
  return (
    <Section id="errors" title="Errors">
      {none && <Empty>Nothing went wrong.</Empty>}
      {errors.length > 0 && (
        <Group title="Failed requests" columns={requestColumns} rows={errors} />
      )}
      {tasks.length > 0 && <Group title="Failed tasks" columns={taskColumns} rows={tasks} />}
      {sandboxes.length > 0 && <Group title="Sandboxes" columns={sandboxColumns} rows={sandboxes} />}
      {restarts.length > 0 && (
        <p class="hint">
          Sandboxes replaced:{' '}
          {restarts.map(([name, amount]) => `${plural(amount, 'sandbox', 'sandboxes')} of ${name}`).join(', ')}.
        </p>
      )}
    </Section>
  )
}

function Group<Row extends { count: number }>(props: { title: string; columns: Column<Row>[]; rows: Row[] }) {
  return (
    <>
      <h3>{props.title}</h3>
      <div class="card flush">
        <Table
          label={props.title.toLowerCase()}
          columns={props.columns}
          rows={props.rows}
          keyOf={(row) => JSON.stringify({ ...row, count: 0 })}
          initial={{ column: 'count', descending: true }}
          empty="None."
        />
      </div>
    </>
  )
}

function amount<Row extends { count: number }>(): Column<Row> {
  return { id: 'count', title: 'Count', class: 'few', cell: (row) => count(row.count), value: (row) => row.count }
}

function text<Row>(id: string, title: string, value: (row: Row) => string, name = ''): Column<Row> {
  return { id, title, text: true, class: name, cell: value, value }
}

const requestColumns: Column<RequestError>[] = [
  amount(),
  text('method', 'Method', (row) => row.method, 'method'),
  text('name', 'Name', (row) => row.name, 'name'),
  {
    id: 'status',
    title: 'Status',
    class: 'few',
    cell: (row) => (row.status === 0 ? <span class="muted">none</span> : row.status),
    value: (row) => row.status,
  },
  text('kind', 'Kind', (row) => row.kind),
  text('message', 'Message', (row) => row.message, 'message'),
]

const taskColumns: Column<TaskError>[] = [
  amount(),
  text('class', 'User class', (row) => row.class),
  text('task', 'Task', (row) => row.task, 'name'),
  text('message', 'Message', (row) => row.message, 'message'),
]

const sandboxColumns: Column<SandboxEvent>[] = [
  amount(),
  text('class', 'User class', (row) => row.class),
  text('kind', 'Kind', (row) => row.kind),
  text('message', 'Message', (row) => row.message, 'message'),
]
