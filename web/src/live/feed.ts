// Keeps what is known of a run up to date while it goes on: the report so far, then each
// update, over again when the connection breaks. Knows nothing of how it is shown.

import { append } from '../data/timeline'
import { isOver, keyOf, type NamedRequests, type Report } from '../data/report'
import { type Endpoint, Refused } from './endpoint'
import { events } from './sse'

/** How the page is connected. */
export type Link =
  | { kind: 'connecting' }
  | { kind: 'open' }
  /** Tried again at `retryAt`, in milliseconds of the browser's clock. */
  | { kind: 'lost'; retryAt: number; reason: string }
  | { kind: 'denied'; reason: string }
  | { kind: 'over' }

/** Rows that an update has; the others it leaves out. */
const ROWS = 200
/** Intervals that are added before the engine's own, coarser ones take their place. */
const INTERVALS = 600
/** Seconds of the run after which rows that updates leave out are asked for. */
const STALE = 30
const BACK_OFF = [1, 2, 4, 8, 15]

export class Feed {
  report: Report | null = null
  link: Link = { kind: 'connecting' }
  readonly #endpoint: Endpoint
  readonly #changed: () => void
  readonly #now: () => number
  #abort: AbortController | null = null
  #wake: (() => void) | null = null
  /** What the report was like when it last came as a whole. */
  #whole = { intervals: 0, seconds: 0 }

  constructor(endpoint: Endpoint, changed: () => void, now: () => number = Date.now) {
    this.#endpoint = endpoint
    this.#changed = changed
    this.#now = now
  }

  /** Runs until `stop`, or until the run is over and everything is there. */
  async run(): Promise<void> {
    const abort = new AbortController()
    this.#abort = abort
    for (let attempt = 0; !abort.signal.aborted; attempt += 1) {
      const before = this.report
      let problem: unknown
      try {
        await this.#follow(abort.signal)
      } catch (error) {
        problem = error
      }
      if (abort.signal.aborted) return
      if (this.report !== before) attempt = 0
      if (this.report !== null && isOver(this.report.run.state)) {
        this.#set({ kind: 'over' })
        return
      }
      if (problem instanceof Refused && problem.denied) {
        this.#set({ kind: 'denied', reason: problem.message })
        await this.#pause(null)
        this.#set({ kind: 'connecting' })
        attempt = -1
        continue
      }
      const seconds = BACK_OFF[Math.min(attempt, BACK_OFF.length - 1)] as number
      const reason = problem instanceof Refused ? problem.message : 'the engine does not answer'
      this.#set({ kind: 'lost', retryAt: this.#now() + seconds * 1000, reason })
      await this.#pause(seconds)
    }
  }

  stop(): void {
    this.#abort?.abort()
    this.#wake?.()
  }

  /** Does not wait any longer: there is a token now, or somebody has no patience. */
  retry(): void {
    this.#wake?.()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    // The stream first, so that nothing is missed between the two.
    const stream = await this.#endpoint.updates(signal)
    await this.#refresh(signal)
    this.#set({ kind: 'open' })
    for await (const data of events(stream)) {
      const update = JSON.parse(data) as Report
      // Another run at the same address.
      if (update.run.started !== this.report?.run.started) await this.#refresh(signal)
      else this.#merge(update)
      if (this.#isStale()) await this.#refresh(signal)
      this.#changed()
      if (isOver(update.run.state)) break
    }
    if (this.report !== null && isOver(this.report.run.state)) {
      // The whole of it, if the engine is still there.
      await this.#refresh(signal).catch(() => undefined)
    }
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const report = await this.#endpoint.report(signal)
    this.report = report
    this.#whole = { intervals: report.timeline.start_seconds.length, seconds: report.run.duration_seconds }
  }

  #isStale(): boolean {
    const report = this.report as Report
    const intervals = report.timeline.start_seconds.length - this.#whole.intervals
    const seconds = report.run.duration_seconds - this.#whole.seconds
    return intervals > INTERVALS || (report.requests.length > ROWS && seconds > STALE)
  }

  #merge(update: Report): void {
    const known = this.report as Report
    append(known.timeline, update.timeline)
    const requests = mergeRows(known.requests, update.requests)
    // Another object for the same columns, so that whoever draws them sees the change.
    this.report = { ...update, requests, timeline: { ...known.timeline } }
  }

  #set(link: Link): void {
    this.link = link
    this.#changed()
  }

  /** Waits so many seconds, or until it is woken. */
  #pause(seconds: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = seconds === null ? undefined : setTimeout(() => this.#wake?.(), seconds * 1000)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = null
        resolve()
      }
    })
  }
}

/** An update has the busiest rows; the others stay, and did nothing of late. */
export function mergeRows(known: NamedRequests[], newest: NamedRequests[]): NamedRequests[] {
  if (newest.length < ROWS) return newest
  const keys = new Set(newest.map(keyOf))
  const others = known.filter((row) => !keys.has(keyOf(row)))
  return [...newest, ...others.map(({ recent: _, ...row }) => row)]
}
