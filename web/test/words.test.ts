import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as format from '../src/data/format'
import { classOf, lowerBound, roundTimes, sumOf } from '../src/data/heat'
import { keyOf, titleOf } from '../src/data/report'

test('numbers have three digits and separators', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [0.0004, '0'],
    [0.412, '0.412'],
    [0.9996, '1.00'],
    [1.234, '1.23'],
    [12.34, '12.3'],
    [99.96, '100'],
    [1204.4, '1,204'],
    [-3.5, '-3.50'],
  ]
  for (const [value, text] of cases) assert.equal(format.number(value), text)
})

test('times and sizes have units that suit them', () => {
  assert.equal(format.ms(0.5), '0.500 ms')
  assert.equal(format.ms(999), '999 ms')
  assert.equal(format.ms(1500), '1.50 s')
  assert.equal(format.ms(125_000), '2m 05s')
  assert.equal(format.bytes(999), '999 B')
  assert.equal(format.bytes(1_230_000), '1.23 MB')
  assert.equal(format.bytes(999_600), '1.00 MB')
  assert.equal(format.shortMs(0), '0')
  assert.equal(format.shortMs(2500), '2.5 s')
})

test('spans and clocks', () => {
  assert.equal(format.span(12.34), '12.3 s')
  assert.equal(format.span(65), '1m 05s')
  assert.equal(format.span(7210), '2h 00m 10s')
  assert.equal(format.clock(5), '0:05')
  assert.equal(format.clock(3723), '1:02:03')
  assert.equal(format.axisClock(5400, 1800), '1h 30m')
  assert.equal(format.axisClock(86_400, 14_400), '24h')
  assert.equal(format.axisClock(90, 30), '1:30')
  assert.equal(format.moment('2026-03-02T09:30:00.123Z'), '2026-03-02 09:30:00 UTC')
  assert.equal(format.moment('soon'), 'soon')
})

test('changes have a sign unless they are none', () => {
  assert.equal(format.change(0.13), '+13.0%')
  assert.equal(format.change(-0.042), '−4.2%')
  assert.equal(format.change(-0.0001), '0.0%')
  assert.equal(format.change(12.5), '+1,250%')
})

test('shares of a percentile plot', () => {
  for (const [share, text] of [
    [0, '0%'],
    [0.5, '50%'],
    [0.9, '90%'],
    [0.999, '99.9%'],
    [0.99999, '99.999%'],
  ] as const) {
    assert.equal(format.shareOfNines(Math.round(format.nines(share) * 1e6) / 1e6), text)
  }
})

test('little room takes few digits', () => {
  assert.equal(format.tight(12_345), '12,345')
  assert.equal(format.tight(271_816_061), '272M')
  assert.equal(format.short(3000), '3,000')
  assert.equal(format.short(15_000), '15k')
})

test('classes of response times begin where they say', () => {
  for (const index of [0, 4, 40, 57]) assert.ok(Math.abs(classOf(lowerBound(index)) - index) < 1e-9)
  assert.equal(lowerBound(40), 1.024)
  assert.deepEqual(roundTimes(classOf(1), classOf(10)), [1, 2, 5, 10])
})

test('heat adds up over the whole run', () => {
  assert.deepEqual(sumOf([[10, 1, 2], [], [12, 5], [9, 1]]), { first: 9, counts: [1, 1, 2, 5] })
  assert.deepEqual(sumOf([]), { first: 0, counts: [] })
})

test('rows are the same whatever the order of their tags', () => {
  const row = { method: 'GET', name: '/a', tags: { x: '1', y: '2' } }
  assert.equal(keyOf(row), keyOf({ ...row, tags: { y: '2', x: '1' } }))
  assert.notEqual(keyOf(row), keyOf({ ...row, tags: { x: '12' } }))
  assert.equal(titleOf(row), 'GET /a {x=1, y=2}')
})
