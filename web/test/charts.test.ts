import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../fixtures/run'
import { place } from '../src/charts/end-labels'
import { overlay } from '../src/charts/overlay'
import { describe, sampled, stack } from '../src/charts/values'
import { sort } from '../src/parts/table'

test('columns stand on those below that are shown', () => {
  const series = [
    { label: 'a', values: [1, 2, null] },
    { label: 'b', values: [10, 10, 10] },
    { label: 'c', values: [100, null, 100] },
  ]
  assert.deepEqual(stack(series, [true, true, true]), [
    [1, 2, null],
    [11, 12, 10],
    [111, null, 110],
  ])
  assert.deepEqual(stack(series, [true, false, true])[2], [101, null, 100])
})

test('names at the ends of lines keep apart and inside', () => {
  const ends = [{ y: 100 }, { y: 99 }, { y: 98 }, { y: 2 }]
  place(ends, 0, 100, 13)
  assert.deepEqual(ends.map((end) => end.y), [100, 87, 74, 2])
  const crowded = [{ y: 1 }, { y: 1 }, { y: 1 }]
  place(crowded, 0, 100, 13)
  assert.deepEqual(crowded.map((end) => end.y), [26, 13, 0])
})

test('a table has few rows, all of what is shown', () => {
  const x = Array.from({ length: 600 }, (_, index) => index)
  const all = sampled(x, null)
  assert.equal(all.every, 10)
  assert.equal(all.indices.length, 60)
  assert.deepEqual(sampled(x, [100, 104]), { indices: [100, 101, 102, 103, 104], every: 1 })
  assert.deepEqual(sampled([], null).indices, [])
})

test('a chart in words has its ends, and where they are', () => {
  const words = describe([1, 2, 61], [{ label: 'p95', values: [30, null, 90] }], (value) => `${value} ms`, 'time')
  assert.equal(words, 'p95: from 30 ms at 0:01 to 90 ms at 1:01.')
  assert.equal(describe([], [{ label: 'p95', values: [] }], String, 'time'), 'Nothing was measured yet.')
})

test('runs of different steps share an axis and invent nothing outside their own', () => {
  const fine = run({ seconds: 10, step: 1 })
  const coarse = run({ seconds: 4, step: 2 })
  const { x, values } = overlay([fine, coarse], (report) => report.timeline.start_seconds)
  assert.deepEqual(x, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  assert.deepEqual(values[1], [null, 0, 1, 2, null, null, null, null, null, null])
})

test('rows sort by number or by word, and stay in place when equal', () => {
  const rows = [
    { name: 'b10', value: 1 },
    { name: 'b9', value: 3 },
    { name: 'a', value: 1 },
  ]
  const columns = [
    { id: 'name', title: '', cell: () => null, value: (row: (typeof rows)[number]) => row.name },
    { id: 'value', title: '', cell: () => null, value: (row: (typeof rows)[number]) => row.value },
  ]
  const names = (order: { column: string; descending: boolean }) => sort(rows, columns, order).map((row) => row.name)
  assert.deepEqual(names({ column: 'name', descending: false }), ['a', 'b9', 'b10'])
  assert.deepEqual(names({ column: 'value', descending: true }), ['b9', 'b10', 'a'])
  assert.deepEqual(rows[0]?.name, 'b10')
})
