// What is around a chart: its heading, its legend, and the same numbers as a table and as a
// sentence, for those who do not see it.

import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import { Icon } from '../parts/icons'

export interface TableOf {
  head: string[]
  rows: string[][]
  note?: string
}

export function Frame(props: {
  title: string
  /** What of the run it is about, if that is not all of it. */
  scope?: string
  /** Beside the title: the moment under the cursor, or the unit. */
  note?: string
  summary: string
  controls?: ComponentChildren
  legend?: ComponentChildren
  table: () => TableOf
  class?: string
  children: ComponentChildren
}) {
  const [asTable, setAsTable] = useState(false)
  const id = useId()
  const toggle = asTable ? 'Show as chart' : 'Show as table'
  return (
    <figure class={`card chart ${props.class ?? ''}`} aria-labelledby={`${id}-title`} aria-describedby={`${id}-text`}>
      <div class="card-head">
        <h3 id={`${id}-title`}>
          {props.title}
          {props.scope !== undefined && <span class="scope">{props.scope}</span>}
        </h3>
        <span class="note">{props.note}</span>
        <div class="card-controls no-print">
          {props.controls}
          <button
            type="button"
            class="icon-button small"
            aria-pressed={asTable}
            aria-label={`${props.title}: ${toggle.toLowerCase()}`}
            title={toggle}
            onClick={() => setAsTable(!asTable)}
          >
            <Icon name={asTable ? 'chart' : 'table'} />
          </button>
        </div>
      </div>
      <p id={`${id}-text`} class="visually-hidden">
        {props.summary}
      </p>
      {asTable ? (
        <DataTable title={props.title} {...props.table()} />
      ) : (
        <>
          {props.legend}
          {/* The sentence above says what is in the picture. */}
          <div class="plot" aria-hidden="true">
            {props.children}
          </div>
        </>
      )}
    </figure>
  )
}

function DataTable({ title, head, rows, note }: TableOf & { title: string }) {
  return (
    <div class="table-box chart-table" role="region" aria-label={`${title} as a table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((text) => (
              <th key={text} scope="col" class="num">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((text, column) => (
                <td key={column} class="num">
                  {text}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p class="empty">Nothing was measured yet.</p>}
      {note !== undefined && <p class="hint">{note}</p>}
    </div>
  )
}

/** A choice of a few, side by side. */
export function Choices<T extends string>(props: {
  label: string
  choices: readonly (readonly [T, string])[]
  value: T
  choose: (value: T) => void
}) {
  return (
    <div class="choices" role="group" aria-label={props.label}>
      {props.choices.map(([value, text]) => (
        <button key={value} type="button" aria-pressed={value === props.value} onClick={() => props.choose(value)}>
          {text}
        </button>
      ))}
    </div>
  )
}
