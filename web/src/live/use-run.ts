// A run under way, for components: what is known of it, how it stands, and orders to it.

import { useEffect, useMemo, useReducer, useState } from 'preact/hooks'
import { isOver, type Report, type RunState } from '../data/report'
import { type Change, Endpoint, type Order, Refused } from './endpoint'
import { Feed, type Link } from './feed'

/** How often the plans are looked at, in milliseconds. */
const LOOK = 2000

export interface LiveRun {
  report: Report | null
  link: Link
  state: RunState | null
  /** Why the last order was refused. */
  refusal: string | null
  /** Why the engine wants a token, if it does. */
  denied: string | null
  /** The document from the engine, or what is known of it when the engine is gone. */
  whole: () => Promise<Report | null>
  order: (order: Order) => void
  load: (change: Change) => void
  authorize: (token: string) => void
  retry: () => void
  dismiss: () => void
}

export function useRun(): LiveRun {
  const [, redraw] = useReducer((version: number) => version + 1, 0)
  const [state, setState] = useState<RunState | null>(null)
  const [refusal, setRefusal] = useState<string | null>(null)
  const [deniedOrder, setDeniedOrder] = useState<string | null>(null)
  const [tokenGiven, setTokenGiven] = useState(false)
  const { endpoint, feed } = useMemo(() => {
    const endpoint = new Endpoint()
    return { endpoint, feed: new Feed(endpoint, () => redraw(undefined)) }
  }, [])

  useEffect(() => {
    void feed.run()
    return () => feed.stop()
  }, [feed])

  const open = feed.link.kind === 'open'
  useEffect(() => {
    if (!open) return
    const abort = new AbortController()
    // What goes wrong here shows in the feed as well.
    const look = () => endpoint.state(abort.signal).then(setState, () => undefined)
    void look()
    const timer = setInterval(look, LOOK)
    return () => {
      abort.abort()
      clearInterval(timer)
    }
  }, [open, endpoint])

  const follow = (answer: Promise<RunState>) => {
    setRefusal(null)
    answer.then(setState, (error: unknown) => {
      if (error instanceof Refused && error.denied) setDeniedOrder(error.message)
      else setRefusal(error instanceof Refused ? error.message : 'the engine does not answer')
    })
  }
  const denied = feed.link.kind === 'denied' ? feed.link.reason : deniedOrder
  const over = feed.report !== null && isOver(feed.report.run.state)
  return {
    report: feed.report,
    link: over && feed.link.kind !== 'open' ? { kind: 'over' } : feed.link,
    state,
    refusal,
    denied: denied === null ? null : tokenGiven ? 'this token was not accepted' : denied,
    whole: () => endpoint.report().catch(() => feed.report),
    order: (order) => follow(endpoint.order(order)),
    load: (change) => follow(endpoint.load(change)),
    authorize: (token) => {
      endpoint.token = token
      setDeniedOrder(null)
      setTokenGiven(true)
      feed.retry()
    },
    retry: () => feed.retry(),
    dismiss: () => setRefusal(null),
  }
}
