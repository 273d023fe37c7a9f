// Reads HdrHistograms in their V2 compressed encoding and base64, and makes the curve of a
// percentile plot from them. Knows nothing of what was counted.

import { nines } from './format'

/** Values counted alike, in ascending order of the value. */
export interface Bucket {
  /** The largest value that is counted here, in the histogram's own unit. */
  upTo: number
  count: number
}

/** A text that is no histogram, or one that is larger than any honest one. */
export class InvalidHistogram extends Error {}

const COMPRESSED = 0x1c849304
const PLAIN = 0x1c849303
/** The width of counts, which the encoding ignores. */
const WIDTH = 0x10
const HEADER = 40
/** Bytes; three digits over the whole range of 64 bits take less. */
const LIMIT = 1 << 20

/** Decodes a histogram. */
export async function decode(base64: string): Promise<Bucket[]> {
  const packed = bytesOf(base64)
  const view = new DataView(packed.buffer)
  if (packed.length < 8 || (view.getUint32(0) & ~WIDTH) !== COMPRESSED) {
    throw new InvalidHistogram('no histogram in the V2 compressed encoding')
  }
  const length = view.getUint32(4)
  if (length !== packed.length - 8) throw new InvalidHistogram('the histogram is cut off')
  return buckets(await inflate(packed.subarray(8)))
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    throw new InvalidHistogram('the histogram is not base64')
  }
}

async function inflate(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'))
  const reader = stream.getReader()
  const parts: Uint8Array[] = []
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      length += value.length
      if (length > LIMIT) throw new InvalidHistogram('the histogram is too large')
      parts.push(value)
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined)
    if (error instanceof InvalidHistogram) throw error
    throw new InvalidHistogram('the histogram cannot be inflated')
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

function buckets(bytes: Uint8Array<ArrayBuffer>): Bucket[] {
  const view = new DataView(bytes.buffer)
  if (bytes.length < HEADER || (view.getUint32(0) & ~WIDTH) !== PLAIN) {
    throw new InvalidHistogram('no histogram in the V2 encoding')
  }
  const end = HEADER + view.getUint32(4)
  const digits = view.getUint32(12)
  const lowest = Number(view.getBigUint64(16))
  if (end > bytes.length || digits > 5 || lowest < 1) {
    throw new InvalidHistogram('the header of the histogram is broken')
  }
  const valueOf = values(digits, lowest)
  const found: Bucket[] = []
  let index = 0
  let offset = HEADER
  while (offset < end) {
    const [word, next] = zigzag(bytes, offset, end)
    offset = next
    // A negative number says how many values in a row did not occur.
    if (word < 0) {
      index -= word
    } else {
      if (word > 0) found.push({ upTo: valueOf(index), count: word })
      index += 1
    }
    if (index > LIMIT) throw new InvalidHistogram('the histogram has too many values')
  }
  return found
}

/** One number in ZigZag LEB128, of nine bytes at most, and where the next one begins. */
function zigzag(bytes: Uint8Array, offset: number, end: number): [number, number] {
  let value = 0n
  for (let part = 0; part < 9; part += 1) {
    const byte = offset + part < end ? bytes[offset + part] : undefined
    if (byte === undefined) throw new InvalidHistogram('the histogram is cut off')
    // The ninth byte has eight bits of the value and says nothing of another one.
    const bits = part < 8 ? byte & 0x7f : byte
    value |= BigInt(bits) << BigInt(7 * part)
    if (part === 8 || byte < 0x80) {
      return [Number((value >> 1n) ^ -(value & 1n)), offset + part + 1]
    }
  }
  throw new InvalidHistogram('the histogram is cut off')
}

/** The largest value counted at an index, of a histogram with so many digits. */
function values(digits: number, lowest: number): (index: number) => number {
  const unit = Math.floor(Math.log2(lowest))
  const half = 2 ** (Math.ceil(Math.log2(2 * 10 ** digits)) - 1)
  return (index) => {
    const bucket = Math.floor(index / half) - 1
    const scale = 2 ** (Math.max(bucket, 0) + unit)
    const sub = bucket < 0 ? index : (index % half) + half
    return (sub + 1) * scale - 1
  }
}

/** A point of a percentile plot; `x` as `nines` has it. */
export interface Point {
  x: number
  value: number
}

/** Two points nearer to each other than this look like one. */
const STEP = 0.004

/**
 * The curve of a histogram, each value divided by `unit`. It ends with the largest value,
 * which is half a value beyond the others. No value exceeds `max`, which is exact.
 */
export function curve(found: Bucket[], unit: number, max: number): Point[] {
  const total = found.reduce((sum, bucket) => sum + bucket.count, 0)
  const end = Math.log10(2 * total)
  const points: Point[] = []
  let sum = 0
  let last = Number.NEGATIVE_INFINITY
  for (const bucket of found) {
    const value = Math.min(bucket.upTo / unit, max)
    if (sum === 0) points.push({ x: 0, value })
    sum += bucket.count
    const x = sum < total ? nines(sum / total) : end
    if (x - last < STEP && sum < total) continue
    // The value holds from the share below it on, so the curve rises there.
    const before = points[points.length - 1]
    if (before !== undefined && x > before.x) points.push({ x, value })
    last = x
  }
  return points
}

const SHARES = [
  ['p50', 0.5],
  ['p75', 0.75],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p99.9', 0.999],
  ['p99.99', 0.9999],
] as const

/** The same from the usual percentiles alone, while there is no histogram. */
export function coarseCurve(times: Record<(typeof SHARES)[number][0] | 'min' | 'max' | 'count', number>): Point[] {
  if (times.count === 0) return []
  const end = Math.log10(2 * times.count)
  const points = SHARES.map(([name, share]) => ({ x: nines(share), value: times[name] }))
  const known = points.filter((point) => point.x <= Math.log10(times.count))
  return [{ x: 0, value: times.min }, ...known, { x: end, value: times.max }]
}
