// The words and looks that all parts of a comparison share: names of runs and of metrics,
// values, and what to think of a change.

import { change, ms, NONE, number, percent } from '../../data/format'
import type { ComparedMetric, ComparedValue, Comparison } from '../../data/report'
import { Icon } from '../../parts/icons'

const LOOKS: [color: string, dash: number[] | undefined][] = [
  ['blue', undefined],
  ['orange', [7, 3]],
  ['teal', [2, 3]],
  ['purple', [9, 3, 2, 3]],
  ['red', [4, 4]],
  ['gray', [1, 2]],
]

export const METRICS: Record<string, string> = {
  requests_per_second: 'Requests/s',
  failure_share: 'Failures',
  avg: 'Average',
  p50: 'p50',
  p90: 'p90',
  p95: 'p95',
  p99: 'p99',
  'p99.9': 'p99.9',
}

/** Files of one name are told apart by their places. */
export function runNames({ runs }: Comparison): string[] {
  const labels = runs.map((run) => run.label)
  return labels.map((label, index) => (labels.indexOf(label) === labels.lastIndexOf(label) ? label : `${index + 1}: ${label}`))
}

export function look(run: number): [color: string, dash: number[] | undefined] {
  return LOOKS[run % LOOKS.length] as (typeof LOOKS)[number]
}

export function Swatch({ run }: { run: number }) {
  const [color, dash] = look(run)
  return (
    <svg class="swatch" viewBox="0 0 24 8" aria-hidden="true">
      <line x1="0" y1="4" x2="24" y2="4" style={{ stroke: `var(--${color})`, strokeWidth: 3 }} stroke-dasharray={dash?.join(' ')} />
    </svg>
  )
}

export function valueOf(metric: ComparedMetric, value: number | null): string {
  if (value === null) return NONE
  if (metric.metric === 'failure_share') return percent(value)
  if (metric.unit === 'ms') return ms(value)
  return `${number(value)}${metric.metric === 'requests_per_second' ? '/s' : ''}`
}

const VERDICTS: Record<string, ['check' | 'cross' | 'equal' | 'unknown', string]> = {
  better: ['check', 'better'],
  worse: ['cross', 'worse'],
  noise: ['equal', 'noise'],
  unknown: ['unknown', 'unknown'],
}

export function Change({ value }: { value: ComparedValue }) {
  const [icon, word] = VERDICTS[value.verdict] ?? ['unknown', value.verdict]
  return (
    <span class={`change ${value.verdict}`}>
      <b>{value.change === null ? NONE : change(value.change)}</b>
      <Icon name={icon} />
      <span title={value.reason}>{word}</span>
    </span>
  )
}
