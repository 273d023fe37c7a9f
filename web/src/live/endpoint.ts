// The engine's HTTP endpoint as the pages use it: what is asked, with which token, and what
// went wrong in words. Knows nothing of what becomes of the answers.

import type { Report, RunState } from '../data/report'

export type Order = 'start' | 'pause' | 'resume' | 'stop'

/** Another load; what is absent stays as it is. */
export interface Change {
  plan?: string
  users?: number
  spawn_rate?: number
  arrival_rate?: number
}

/** The engine did not do what was asked; the message says why. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }

  /** Whether a token may help. */
  get denied(): boolean {
    return this.status === 401 || this.status === 403
  }
}

const TOKEN = 'aiotest-engine token'

export class Endpoint {
  #token: string | null
  readonly #fetch: typeof fetch

  constructor(via: typeof fetch = (...args) => fetch(...args)) {
    this.#fetch = via
    this.#token = storage()?.getItem(TOKEN) ?? null
  }

  /** Kept until the tab is closed. */
  set token(token: string) {
    this.#token = token
    storage()?.setItem(TOKEN, token)
  }

  report(signal?: AbortSignal): Promise<Report> {
    return this.#json('GET', 'report', undefined, signal)
  }

  state(signal?: AbortSignal): Promise<RunState> {
    return this.#json('GET', 'state', undefined, signal)
  }

  order(order: Order): Promise<RunState> {
    return this.#json('POST', order)
  }

  load(change: Change): Promise<RunState> {
    return this.#json('PATCH', 'load', change)
  }

  /** Reports as they come, each with the newest interval only. */
  async updates(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#send('GET', 'updates', undefined, signal)
    if (response.body === null) throw new Error('the browser gives no stream')
    return response.body
  }

  async #json<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const response = await this.#send(method, path, body, signal)
    return (await response.json()) as T
  }

  async #send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = {}
    if (this.#token !== null) headers.authorization = `Bearer ${this.#token}`
    if (body !== undefined) headers['content-type'] = 'application/json'
    const text = body === undefined ? undefined : JSON.stringify(body)
    const response = await this.#fetch(path, { method, headers, body: text, signal, cache: 'no-store' })
    if (!response.ok) throw new Refused(response.status, await reason(response))
    return response
  }
}

/** The words of `{"error": "..."}`, or the status where there are none. */
async function reason(response: Response): Promise<string> {
  const fallback = `the engine answered ${response.status} ${response.statusText}`.trim()
  try {
    const { error } = (await response.json()) as { error?: unknown }
    return typeof error === 'string' ? error : fallback
  } catch {
    return fallback
  }
}

/** Some browsers forbid it; then the token lives as long as the page. */
function storage(): Storage | undefined {
  try {
    return globalThis.sessionStorage
  } catch {
    return undefined
  }
}
