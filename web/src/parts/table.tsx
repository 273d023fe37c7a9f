// A table of many rows: sorted by a click or a key on a heading, in pages, with its heading
// in view. Knows nothing of what the rows are.

import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { count } from '../data/format'
import { Icon } from './icons'
import { usePrinting } from './theme'

export interface Column<Row> {
  id: string
  title: string
  /** Below the title, such as a unit. */
  unit?: string
  /** More about it, for those who hover. */
  hint?: string
  cell: (row: Row) => ComponentChildren
  /** What to sort by; a column without it does not sort. */
  value?: (row: Row) => number | string
  /** Texts are aligned left, numbers right. */
  text?: boolean
  /** A class for its cells. */
  class?: string
}

interface Order {
  column: string
  descending: boolean
}

const PAGE = 50
/** Rows that go on paper. */
const PRINTED = 200

export function Table<Row>(props: {
  label: string
  columns: Column<Row>[]
  rows: Row[]
  keyOf: (row: Row) => string
  initial?: Order
  rowClass?: (row: Row) => string
  empty: string
}) {
  const { columns, rows } = props
  const [order, setOrder] = useState<Order | null>(props.initial ?? null)
  const [page, setPage] = useState(0)
  const [size, setSize] = useState(PAGE)
  const printing = usePrinting()
  const sorted = useMemo(() => sort(rows, columns, order), [rows, columns, order])
  const pageSize = printing ? PRINTED : size
  const pages = Math.max(1, Math.ceil(sorted.length / pageSize))
  // Rows may have become fewer, by a filter for example.
  const current = printing ? 0 : Math.min(page, pages - 1)
  const shown = sorted.slice(current * pageSize, (current + 1) * pageSize)

  const toggle = (column: Column<Row>) => {
    const again = order?.column === column.id
    setOrder({ column: column.id, descending: again ? !order.descending : column.text !== true })
    setPage(0)
  }
  return (
    <>
      {/* Focusable, so that keys scroll it. */}
      <div class="table-box" role="region" aria-label={`Table of ${props.label}`} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <Heading
                  key={column.id}
                  column={column}
                  order={order?.column === column.id ? order : null}
                  toggle={() => toggle(column)}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={props.keyOf(row)} class={props.rowClass?.(row)}>
                {columns.map((column) => (
                  <td key={column.id} class={`${column.text === true ? 'text' : 'num'} ${column.class ?? ''}`}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {shown.length === 0 && <p class="empty">{props.empty}</p>}
      </div>
      {sorted.length > PAGE && (
        <Pager
          label={props.label}
          page={current}
          pages={pages}
          total={sorted.length}
          size={size}
          go={setPage}
          resize={(next) => {
            setSize(next)
            setPage(0)
          }}
        />
      )}
    </>
  )
}

function Heading<Row>(props: { column: Column<Row>; order: Order | null; toggle: () => void }) {
  const { column, order } = props
  const words = (
    <>
      {column.title}
      {column.unit !== undefined && <span class="unit">{column.unit}</span>}
    </>
  )
  const direction = order === null ? 'none' : order.descending ? 'descending' : 'ascending'
  const kind = `${column.text === true ? 'text' : 'num'} ${column.class ?? ''}`
  if (column.value === undefined) {
    return (
      <th scope="col" class={kind} title={column.hint}>
        {words}
      </th>
    )
  }
  return (
    <th scope="col" class={kind} aria-sort={direction}>
      <button type="button" class="sort" title={column.hint} onClick={props.toggle}>
        <span>{words}</span>
        <Icon name={order === null ? 'both' : order.descending ? 'down' : 'up'} />
      </button>
    </th>
  )
}

function Pager(props: {
  label: string
  page: number
  pages: number
  total: number
  size: number
  go: (page: number) => void
  resize: (size: number) => void
}) {
  const { page, pages, size, total } = props
  const first = page * size + 1
  const last = Math.min(total, first + size - 1)
  return (
    <nav class="pager" aria-label={`Pages of ${props.label}`}>
      <button type="button" disabled={page === 0} onClick={() => props.go(page - 1)}>
        Previous
      </button>
      <span aria-live="polite">
        {count(first)}–{count(last)} of {count(total)}
      </span>
      <button type="button" disabled={page >= pages - 1} onClick={() => props.go(page + 1)}>
        Next
      </button>
      <label>
        Rows{' '}
        <select value={size} onChange={(event) => props.resize(Number(event.currentTarget.value))}>
          {[PAGE, 200, 1000].map((choice) => (
            <option key={choice} value={choice}>
              {count(choice)}
            </option>
          ))}
        </select>
      </label>
    </nav>
  )
}

/** Sorts without touching `rows`; those that are equal stay in their order. */
export function sort<Row>(rows: Row[], columns: Column<Row>[], order: Order | null): Row[] {
  const value = columns.find((column) => column.id === order?.column)?.value
  if (order === null || value === undefined) return rows
  const sign = order.descending ? -1 : 1
  const keyed = rows.map((row): [number | string, Row] => [value(row), row])
  keyed.sort(([a], [b]) => sign * compare(a, b))
  return keyed.map(([, row]) => row)
}

const words = new Intl.Collator('en', { numeric: true })

function compare(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : words.compare(`${a}`, `${b}`)
}
