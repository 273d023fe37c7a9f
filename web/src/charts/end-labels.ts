// Names at the ends of lines, so that nobody has to tell them apart by colour.

import uPlot from 'uplot'
import { color, font } from './options'

/** Room for them on the right, in CSS pixels. */
export const ROOM = 46
const HEIGHT = 13

/** Draws the label of each line where it ends. */
export function endLabels(labels: string[]): (plot: uPlot) => void {
  return (plot) => {
    const ends = labels.flatMap((label, index) => {
      const series = plot.series[index + 1] as uPlot.Series
      const y = series.show === true ? lastY(plot, index + 1) : null
      return y === null ? [] : [{ label, y }]
    })
    const { ctx, bbox } = plot
    const ratio = uPlot.pxRatio
    place(ends, bbox.top, bbox.top + bbox.height, HEIGHT * ratio)
    ctx.save()
    ctx.font = font().replace(/^\d+/, (size) => `${Number(size) * ratio}`)
    ctx.textBaseline = 'middle'
    ctx.textAlign = 'left'
    ctx.fillStyle = color('muted')
    for (const { label, y } of ends) ctx.fillText(label, bbox.left + bbox.width + 6 * ratio, y)
    ctx.restore()
  }
}

function lastY(plot: uPlot, index: number): number | null {
  const values = plot.data[index] as ArrayLike<number | null>
  const { max } = plot.scales.x as uPlot.Scale
  for (let at = values.length - 1; at >= 0; at -= 1) {
    const value = values[at]
    if (typeof value === 'number' && (plot.data[0][at] as number) <= (max ?? 0) + 1e-9) {
      return plot.valToPos(value, 'y', true)
    }
  }
  return null
}

/** Moves texts apart that would lie on each other, upwards from the lowest. */
export function place(ends: { y: number }[], top: number, bottom: number, height: number): void {
  ends.sort((a, b) => b.y - a.y)
  let limit = bottom
  for (const end of ends) {
    end.y = Math.min(end.y, limit)
    limit = end.y - height
  }
  // Those that were pushed out at the top push back.
  limit = top
  for (const end of [...ends].reverse()) {
    end.y = Math.max(end.y, limit)
    limit = end.y + height
  }
}
