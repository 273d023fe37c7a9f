import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run, updateOf } from '../fixtures/run'
import { append, columnsOf, emptyTimeline, endOf, lengthOf, rates, times } from '../src/data/timeline'
import type { Timeline } from '../src/data/report'

function newest(start: number, span: number, requests = 10): Timeline {
  const timeline = updateOf(run({ seconds: 1 })).timeline
  timeline.start_seconds = [start]
  timeline.span_seconds = [span]
  timeline.requests = [requests]
  return timeline
}

test('intervals that come one after the other make the whole timeline', () => {
  const whole = run({ seconds: 20 }).timeline
  const grown = emptyTimeline()
  for (let seconds = 1; seconds <= 20; seconds += 1) {
    assert.ok(append(grown, slice(whole, seconds - 1)))
  }
  assert.deepEqual(grown, whole)
})

function slice(timeline: Timeline, at: number): Timeline {
  const cut = (value: unknown, depth: number): unknown => {
    if (Array.isArray(value) && depth > 0 && (typeof value[0] !== 'object' || Array.isArray(value[0]))) return [value[at]]
    if (Array.isArray(value)) return value.map((item) => cut(item, depth))
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === 'tags' ? item : cut(item, depth + 1)]))
    }
    return value
  }
  return cut(timeline, 0) as Timeline
}

test('an interval that has grown takes its own place', () => {
  const timeline = emptyTimeline()
  append(timeline, newest(0, 5))
  append(timeline, newest(5, 2, 4))
  assert.ok(append(timeline, newest(5, 5, 9)))
  assert.deepEqual(timeline.start_seconds, [0, 5])
  assert.deepEqual(timeline.requests, [10, 9])
  assert.equal(lengthOf(timeline), 10)
})

test('what is known is not taken twice, nor what came before', () => {
  const timeline = emptyTimeline()
  append(timeline, newest(0, 1))
  append(timeline, newest(1, 1))
  assert.equal(append(timeline, newest(0, 1)), false)
  assert.equal(append(timeline, emptyTimeline()), false)
  append(timeline, newest(1, 1))
  assert.deepEqual(timeline.start_seconds, [0, 1])
})

test('statuses and names that appear late have zeros before', () => {
  const timeline = emptyTimeline()
  append(timeline, { ...newest(0, 1), statuses: { '2xx': [10] }, names: [] })
  const name = { method: 'GET', name: '/late', tags: {}, requests: [3], failures: [1], p50: [2], p95: [2], p99: [2] }
  append(timeline, { ...newest(1, 1), statuses: { '5xx': [10] }, names: [name] })
  append(timeline, { ...newest(2, 1), statuses: {}, names: [] })
  assert.deepEqual(timeline.statuses, { '2xx': [10, 0, 0], '5xx': [0, 10, 0] })
  assert.deepEqual(columnsOf(timeline, name)?.requests, [0, 3, 0])
  assert.equal(columnsOf(timeline, { ...name, tags: { group: 'a' } }), undefined)
})

test('rates go by the length of the interval, and times have gaps', () => {
  const timeline = emptyTimeline()
  append(timeline, newest(0, 1, 10))
  append(timeline, newest(1, 4, 10))
  append(timeline, newest(5, 0, 10))
  assert.deepEqual(rates(timeline.requests, timeline), [10, 2.5, null])
  assert.deepEqual(times([1, 0, 3], [5, 0, 1]), [1, null, 3])
  assert.equal(endOf(timeline, 1), 5)
})
