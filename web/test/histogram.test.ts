import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { chance } from '../fixtures/run'
import { Histogram } from '../fixtures/hdr'
import { coarseCurve, curve, decode, InvalidHistogram } from '../src/data/histogram'
import { nines } from '../src/data/format'

test('a histogram decodes to what was recorded', async () => {
  const random = chance(5)
  const histogram = new Histogram()
  for (let value = 0; value < 5000; value += 1) histogram.record(Math.floor(10 ** (7.5 * random())))
  const buckets = await decode(histogram.encode())
  assert.equal(buckets.reduce((sum, bucket) => sum + bucket.count, 0), 5000)
  for (const share of [0.1, 0.5, 0.9, 0.99, 0.999]) {
    let left = Math.ceil(share * 5000)
    const found = buckets.find((bucket) => (left -= bucket.count) <= 0)
    assert.equal(found?.upTo, histogram.percentiles([share])[0])
  }
})

test('values are exact to a thousandth, and small ones altogether', async () => {
  for (const value of [1, 2, 1000, 2047, 2048, 2049, 123_456, 3_600_000_000]) {
    const histogram = new Histogram()
    histogram.record(value)
    const [bucket] = await decode(histogram.encode())
    assert.ok(bucket !== undefined && bucket.upTo >= value && bucket.upTo <= value * 1.001, `${value}`)
    if (value < 2048) assert.equal(bucket.upTo, value)
  }
})

test('a histogram of the engine decodes to its percentiles', async () => {
  const text =
    'HISTFAAAAHl4nC2KsQqCUABF3z0F4dAk0VBLc0FE7Q19REFjczg4OYr6BU5+hLODXyAOfoa4+QOCD54XLudeOMc0940xH+OyWiiHR/cc3ZouNPCiFIXYc+Zr69OKHxGVyMSdDYNIxJYbsQjXOzyuHDgRWNvDHmqs+aeHNzNg9RIg'
  const buckets = await decode(text)
  assert.equal(buckets.reduce((sum, bucket) => sum + bucket.count, 0), 40)
  // As the same document has them, in microseconds.
  for (const [share, value] of [
    [0.5, 7670],
    [0.75, 9420],
    [0.9, 11_044],
    [0.95, 11_708],
    [1, 13_512],
  ] as const) {
    let left = Math.ceil(share * 40)
    const found = buckets.find((bucket) => (left -= bucket.count) <= 0)
    assert.ok(found !== undefined && Math.abs(found.upTo - value) <= value / 1000, `${share}: ${found?.upTo}`)
  }
})

test('a histogram without values decodes to nothing', async () => {
  assert.deepEqual(await decode(new Histogram().encode()), [])
})

test('what is no histogram is refused and not believed', async () => {
  const honest = Buffer.from(encoded(), 'base64')
  const bomb = Buffer.concat([honest.subarray(0, 4), Buffer.alloc(4), deflateSync(Buffer.alloc(1 << 22))])
  bomb.writeUInt32BE(bomb.length - 8, 4)
  const broken: [string, string][] = [
    ['empty', ''],
    ['no base64', '*'],
    ['another cookie', Buffer.from('HISTORY of something').toString('base64')],
    ['cut off', honest.subarray(0, honest.length - 3).toString('base64')],
    ['too large', bomb.toString('base64')],
    ['garbage inside', Buffer.concat([honest.subarray(0, 8), Buffer.alloc(honest.length - 8, 7)]).toString('base64')],
  ]
  for (const [what, text] of broken) await assert.rejects(decode(text), InvalidHistogram, what)
})

function encoded(): string {
  const histogram = new Histogram()
  for (let value = 1; value <= 100; value += 1) histogram.record(value * 1000)
  return histogram.encode()
}

test('a curve rises to the exact maximum', async () => {
  const points = curve(await decode(encoded()), 1000, 100)
  assert.deepEqual(points[0], { x: 0, value: 1.0 })
  const last = points[points.length - 1]
  assert.deepEqual(last, { x: Math.log10(200), value: 100 })
  for (const [index, point] of points.entries()) {
    const before = points[index - 1]
    assert.ok(before === undefined || (point.x > before.x && point.value >= before.value))
  }
  const half = points.find((point) => point.x >= nines(0.5))
  assert.ok(half !== undefined && Math.abs(half.value - 50) < 1)
})

test('a thousand values of one size make a flat curve', () => {
  const points = curve([{ upTo: 5000, count: 1000 }], 1000, 4.999)
  assert.deepEqual(points.map((point) => point.value), [4.999, 4.999])
})

test('without a histogram the usual percentiles are the curve, as far as there are values', () => {
  const times = { count: 50, min: 1, p50: 2, p75: 3, p90: 4, p95: 5, p99: 6, 'p99.9': 6, 'p99.99': 6, max: 6 }
  assert.deepEqual(
    coarseCurve(times).map((point) => point.value),
    [1, 2, 3, 4, 5, 6],
  )
  assert.deepEqual(coarseCurve({ ...times, count: 0 }), [])
})
