// Columns of several runs on one axis of time, each from its own start. Pure.

import type { Report } from '../data/report'
import { ends } from '../data/timeline'
import type { Values } from './values'

/** All moments of all runs; between its own a run has the value of the line there. */
export function overlay(
  reports: Report[],
  columnOf: (report: Report) => Values,
): { x: number[]; values: Values[] } {
  const moments = reports.map((report) => ends(report.timeline))
  const x = [...new Set(moments.flat())].sort((a, b) => a - b)
  const values = reports.map((report, index) => along(moments[index] as number[], columnOf(report), x))
  return { x, values }
}

function along(own: number[], values: Values, x: number[]): Values {
  let at = 0
  return x.map((moment) => {
    while (at < own.length - 1 && (own[at + 1] as number) <= moment) at += 1
    const [before, after] = [own[at], own[at + 1]]
    if (before === undefined || moment < before) return null
    const value = values[at] ?? null
    if (moment === before) return value
    const next = values[at + 1] ?? null
    if (after === undefined || value === null || next === null) return null
    return value + ((moment - before) / (after - before)) * (next - value)
  })
}
