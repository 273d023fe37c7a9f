// The last lines that the scenario and the engine wrote.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { clock, count } from '../data/format'
import type { LogLine } from '../data/report'
import { Empty, Section } from '../parts/section'

const LEVELS = ['debug', 'info', 'warning', 'error'] as const
/** More lines than this nobody reads; the document has them all. */
const SHOWN = 500

export function Log({ lines }: { lines: LogLine[] }) {
  const [level, setLevel] = useState<string>('debug')
  const [filter, setFilter] = useState('')
  const shown = useMemo(() => {
    const least = LEVELS.indexOf(level as (typeof LEVELS)[number])
    const word = filter.toLowerCase()
    return lines.filter(
      (line) =>
        rank(line.level) >= least && (word === '' || `${line.class} ${line.text}`.toLowerCase().includes(word)),
    )
  }, [lines, level, filter])
  const box = useFollowing(shown)
  return (
    <Section
      id="log"
      title="Log"
      aside={
        lines.length > 0 && (
          <div class="filters no-print">
            <label>
              Level{' '}
              <select value={level} onChange={(event) => setLevel(event.currentTarget.value)}>
                {LEVELS.map((one) => (
                  <option key={one} value={one}>
                    {one === 'debug' ? 'all' : one === 'error' ? 'error' : `${one} and above`}
                  </option>
                ))}
              </select>
            </label>
            <label>
              <span class="visually-hidden">Filter the log</span>
              <input
                type="search"
                placeholder="Filter"
                value={filter}
                onInput={(event) => setFilter(event.currentTarget.value)}
              />
            </label>
            <span class="hint" role="status">
              {count(shown.length)} of {count(lines.length)}
            </span>
          </div>
        )
      }
    >
      {lines.length === 0 ? (
        <Empty>Nothing was written.</Empty>
      ) : (
        <div class="card log" ref={box} role="region" aria-label="Log lines" tabIndex={0}>
          {shown.length > SHOWN && <p class="hint">The last {count(SHOWN)} lines.</p>}
          <ol>
            {shown.slice(-SHOWN).map((line, index) => (
              <li key={index} class={line.level}>
                <time>{clock(line.at_seconds)}</time>
                <span class="level">{line.level}</span>
                <span class="class">{line.class === '' ? 'engine' : line.class}</span>
                <span class="line">{line.text}</span>
              </li>
            ))}
          </ol>
        </div>
      )}
    </Section>
  )
}

function rank(level: string): number {
  const known = LEVELS.indexOf(level as (typeof LEVELS)[number])
  return known < 0 ? 1 : known
}

/** Stays at the end as lines come, unless somebody has scrolled up to read. */
function useFollowing(lines: LogLine[]) {
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const look = () => {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 30
    }
    element.addEventListener('scroll', look, { passive: true })
    return () => element.removeEventListener('scroll', look)
  }, [lines.length > 0])
  useEffect(() => {
    const element = box.current
    if (element !== null && atEnd.current) element.scrollTop = element.scrollHeight
  }, [lines])
  return box
}
