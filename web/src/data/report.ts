// The documents that the engine writes, as far as the pages show them. Plain types; what
// each field means is documented with the engine's report.

export interface Report {
  schema: number
  run: Run
  environment: Environment
  thresholds: Threshold[]
  users: Users
  total: Requests
  requests: NamedRequests[]
  phases_ms: Record<string, Distribution>
  errors: RequestError[]
  iterations: Iterations
  groups: Record<string, { time_ms: Distribution }>
  tasks: number
  task_errors: TaskError[]
  sandbox_events: SandboxEvent[]
  sandbox_restarts: Record<string, number>
  checks: Record<string, { passed: number; failed: number }>
  counters: Record<string, number>
  gauges: Record<string, number>
  trends: Record<string, Distribution>
  engine: Engine
  timeline: Timeline
  log: LogLine[]
}

export interface Run {
  component: string
  host: string | null
  labels: Record<string, string>
  started: string
  state: string
  duration_seconds: number
  paused_seconds: number
  planned_seconds: number | null
  end_reason: string
  exit_code: number
}

export interface Environment {
  engine: string
  command: string
  component_sha256: string
  component_bytes: number
  system: string
  machine: string
  cores: number
  memory_bytes: number
  limits: Record<string, string>
}

export interface Threshold {
  expression: string
  passed: boolean
  value: string | null
  ended_run: boolean
}

export interface Users {
  target: number
  peak: number
  started: number
  stopped: number
  ended_by_stop_timeout: number
  classes: Record<string, ClassUsers>
}

export interface ClassUsers {
  starting: number
  running: number
  stopping: number
  restarting: number
}

export interface Requests {
  requests: number
  failures: number
  failure_share: number
  requests_per_second: number
  bytes_sent: number
  bytes_received: number
  time_ms: Distribution
  time_from_planned_start_ms?: Distribution
  statuses: Status[]
  recent?: Recent
}

export interface Status {
  status: number
  passed: number
  failed: number
}

export interface Recent {
  per_second: number
  failures_per_second: number
}

/** What tells the rows of a run apart. */
export interface Named {
  method: string
  name: string
  tags: Record<string, string>
}

export interface NamedRequests extends Named, Requests {}

export interface Distribution {
  count: number
  sum: number
  avg: number
  min: number
  max: number
  p50: number
  p75: number
  p90: number
  p95: number
  p99: number
  'p99.9': number
  'p99.99': number
  histogram?: string
}

export interface RequestError {
  count: number
  method: string
  name: string
  status: number
  kind: string
  message: string
}

export interface TaskError {
  count: number
  class: string
  task: string
  message: string
}

export interface SandboxEvent {
  count: number
  class: string
  kind: string
  message: string
}

export interface Iterations {
  count: number
  per_second: number
  time_ms: Distribution
  interrupted: number
  dropped: number
  late_ms: Distribution
}

export interface Engine {
  version: string
  saturated: boolean
  cpu_percent: number
  memory_bytes: number
  sandboxes: number
  lag_ms: Distribution
  log_lines_dropped: number
  events_dropped: number
  samples_dropped: number
  requests_folded: number
  errors_folded: number
  custom_values_folded: number
  custom_values_invalid: number
}

export interface LogLine {
  at_seconds: number
  level: string
  class: string
  text: string
}

/** Columns of one length: entry `i` of each is about the `i`-th interval. */
export interface Timeline {
  start_seconds: number[]
  span_seconds: number[]
  users: number[]
  target: number[]
  requests: number[]
  failures: number[]
  statuses: Record<string, number[]>
  bytes_sent: number[]
  bytes_received: number[]
  iterations: number[]
  dropped: number[]
  time_ms: TimeColumns
  heat: number[][]
  engine: { cpu_percent: number[]; memory_bytes: number[]; lag_ms: number[] }
  names: NameColumns[]
}

export interface TimeColumns {
  avg: number[]
  p50: number[]
  p75: number[]
  p90: number[]
  p95: number[]
  p99: number[]
  'p99.9': number[]
  max: number[]
}

export interface NameColumns extends Named {
  requests: number[]
  failures: number[]
  p50: number[]
  p95: number[]
  p99: number[]
}

export interface Comparison {
  baseline: number
  runs: ComparedRun[]
  rows: ComparedRow[]
  /** Requests that only some of the runs have. */
  unmatched?: (Named & { runs: number[] })[]
}

export interface ComparedRun {
  label: string
  /** The part of it under full load, which alone is compared of all requests. */
  steady?: { start_seconds: number; end_seconds: number } | null
  /** In what it differs from the baseline, and other reasons to be careful. */
  notes?: string[]
}

export interface ComparedRow extends Named {
  metrics: ComparedMetric[]
}

export interface ComparedMetric {
  metric: string
  unit: string
  baseline: number | null
  values: ComparedValue[]
}

export interface ComparedValue {
  run: number
  value: number | null
  change: number | null
  low: number | null
  high: number | null
  verdict: string
  /** Why nobody can say, if so. */
  reason?: string
}

/** How the run stands, from `/state`. */
export interface RunState {
  state: string
  elapsed_seconds: number
  paused_seconds: number
  users: number
  plans: Plan[]
}

export interface Plan {
  name: string
  active: boolean
  users: number
  spawn_rate: number | null
  arrival_rate: number | null
}

/** What a page was made from. */
export interface PageData {
  reports: Report[]
  comparison?: Comparison
}

/** One text for each row of a run, the same in all runs. */
export function keyOf({ method, name, tags }: Named): string {
  return JSON.stringify([method, name, Object.entries(tags).sort()])
}

/** How people call a row: `GET /cart`. */
export function titleOf({ method, name, tags }: Named): string {
  const pairs = Object.entries(tags).map(([key, value]) => `${key}=${value}`)
  const suffix = pairs.length > 0 ? ` {${pairs.join(', ')}}` : ''
  return `${method} ${name}${suffix}`.trim()
}

/** The component or script without the folders it lies in. */
export function componentOf({ run }: Report): string {
  return run.component.split(/[/\\]/).pop() || run.component
}

/** Whether nothing more will come of a run. */
export function isOver(state: string): boolean {
  return state === 'stopped'
}
