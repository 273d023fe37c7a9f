// Numbers and times for people: thousands separators, three significant digits, units. The
// same words and digits as in the terminal. Pure.

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const FIXED = [0, 1, 2, 3].map(
  (digits) => new Intl.NumberFormat('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }),
)

const PLAIN = new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 })

/** Stands where there is no value. */
export const NONE = '–'

/** A whole number with separators. */
export function count(value: number): string {
  return WHOLE.format(value)
}

/** Three significant digits: `0.412`, `12.3`, `1,204`. */
export function number(value: number): string {
  const size = Math.abs(value)
  const digits = size < 0.0005 ? 0 : size < 0.9995 ? 3 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0
  return (FIXED[digits] as Intl.NumberFormat).format(value)
}

/** As few digits as an axis needs: `0.5`, `20`, `1.5k`, `20M`. */
export function short(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e9) return `${trim(value / 1e9)}G`
  if (size >= 1e6) return `${trim(value / 1e6)}M`
  if (size >= 1e4) return `${trim(value / 1e3)}k`
  return trim(value)
}

function trim(value: number): string {
  return PLAIN.format(Number(value.toPrecision(4)))
}

/** A whole number where there is little room: `12,345`, `272M`. */
export function tight(value: number): string {
  return value < 1e6 ? count(value) : short(Number(value.toPrecision(3)))
}

/** Milliseconds with a unit that suits them: `0.412 ms`, `12.3 ms`, `1.50 s`, `2m 05s`. */
export function ms(value: number): string {
  if (value < 1000) return `${number(value)} ms`
  if (value < 60_000) return `${number(value / 1000)} s`
  return span(value / 1000)
}

/** The same, for an axis: `0.5 ms`, `20 ms`, `1.5 s`. */
export function shortMs(value: number): string {
  if (value === 0) return '0'
  return value < 1000 ? `${trim(value)} ms` : `${trim(value / 1000)} s`
}

/** Bytes in powers of 1000: `1.23 MB`. */
export function bytes(value: number): string {
  const [scaled, unit] = scaledBytes(value)
  return unit === 'B' ? `${count(scaled)} B` : `${number(scaled)} ${unit}`
}

/** The same, for an axis. */
export function shortBytes(value: number): string {
  const [scaled, unit] = scaledBytes(value)
  return `${trim(scaled)} ${unit}`
}

function scaledBytes(value: number): [number, string] {
  if (value < 1000) return [value, 'B']
  const units = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB']
  let scaled = value / 1000
  let unit = 0
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000
    unit += 1
  }
  return [scaled, units[unit] as string]
}

/** A share (0 to 1) in percent: `0.10%`. */
export function percent(share: number): string {
  return `${(FIXED[2] as Intl.NumberFormat).format(share * 100)}%`
}

/** A relative change: `+13.0%`, `−4.2%`, `0.0%`. */
export function change(share: number): string {
  const digits = Math.abs(share) >= 9.995 ? 0 : 1
  const text = (FIXED[digits] as Intl.NumberFormat).format(Math.abs(share) * 100)
  if (Number(text.replaceAll(',', '')) === 0) return `${text}%`
  return `${share < 0 ? '−' : '+'}${text}%`
}

/** A span as people say it: `12.3 s`, `1m 05s`, `2h 00m 10s`. */
export function span(seconds: number): string {
  if (seconds < 59.95) return `${(FIXED[1] as Intl.NumberFormat).format(seconds)} s`
  const whole = Math.round(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  if (hours === 0) return `${minutes}m ${two(rest)}s`
  return `${count(hours)}h ${two(minutes)}m ${two(rest)}s`
}

/** A stop-watch: `0:05`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return hours === 0 ? `${minutes}:${two(rest)}` : `${hours}:${two(minutes)}:${two(rest)}`
}

/** Marks of an axis so many seconds apart: `1:30`, `2h`, `2h 30m`. */
export function axisClock(seconds: number, step: number): string {
  if (step < 60 || seconds < 3600) return clock(seconds)
  const minutes = Math.round(seconds / 60) % 60
  return `${Math.floor(seconds / 3600)}h${minutes > 0 ? ` ${two(minutes)}m` : ''}`
}

function two(value: number): string {
  return value.toString().padStart(2, '0')
}

/** A moment in UTC: `2026-03-01 12:30:00 UTC`; the text itself when it is none. */
export function moment(rfc3339: string): string {
  const date = new Date(rfc3339)
  if (Number.isNaN(date.getTime())) return rfc3339
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** `1 user`, `2 users`. */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`
}

/** A percentile's share on the scale of a percentile plot: 0 → 0, 0.9 → 1, 0.99 → 2. */
export function nines(share: number): number {
  return -Math.log10(1 - share)
}

/** The other way: 2 → `99%`, 3.5 → `99.968%`. */
export function shareOfNines(value: number): string {
  const share = 100 * (1 - 10 ** -value)
  const digits = Math.max(0, Math.ceil(value) - (Number.isInteger(value) ? 2 : 0))
  return `${Number(share.toFixed(Math.min(digits, 8)))}%`
}
