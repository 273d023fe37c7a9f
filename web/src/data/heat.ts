// Classes of response times: class k holds what takes from 2^(k/4) to 2^((k+1)/4)
// microseconds. Pure.

/** Classes an octave. */
const FINE = 4

/** Where a class begins, in milliseconds. */
export function lowerBound(index: number): number {
  return 2 ** (index / FINE) / 1000
}

/** The class of a time in milliseconds, with a fraction: the other way. */
export function classOf(ms: number): number {
  return FINE * Math.log2(ms * 1000)
}

/** How often each class occurred, from the first that did; of columns `[first, count, …]`. */
export function sumOf(columns: number[][]): { first: number; counts: number[] } {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const column of columns) {
    if (column.length < 2) continue
    first = Math.min(first, column[0] as number)
    last = Math.max(last, (column[0] as number) + column.length - 2)
  }
  if (last < first) return { first: 0, counts: [] }
  const counts = new Array<number>(last - first + 1).fill(0)
  for (const column of columns) {
    const offset = (column[0] ?? 0) - first
    for (let index = 1; index < column.length; index += 1) {
      counts[offset + index - 1]! += column[index] as number
    }
  }
  return { first, counts }
}

/** Round times in milliseconds between two classes, for an axis: 1, 2, 5, 10 … */
export function roundTimes(first: number, last: number): number[] {
  const found: number[] = []
  for (let decade = -3; decade <= 8; decade += 1) {
    for (const digit of [1, 2, 5]) {
      const ms = digit * 10 ** decade
      const index = classOf(ms)
      if (index >= first && index <= last) found.push(ms)
    }
  }
  return found
}
