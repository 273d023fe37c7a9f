// The life of a drawing on a page: made when it is shown, given new data, resized, redrawn
// in other colours. Knows nothing of what it draws.

import { useLayoutEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { useTheme } from '../parts/theme'

export function Plot(props: {
  options: (width: number) => uPlot.Options
  data: uPlot.AlignedData
  height: number
  /** What the options depend on: the drawing is made anew when it changes. */
  structure: string
  /** What the scales depend on. */
  scales: string
}) {
  const { options, data, height, structure, scales } = props
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const drawn = useRef({ data, scales })
  const { theme } = useTheme()

  useLayoutEffect(() => {
    const element = host.current as HTMLDivElement
    const made = new uPlot(options(element.clientWidth), data, element)
    plot.current = made
    drawn.current = { data, scales }
    const observer = new ResizeObserver(() => {
      const width = element.clientWidth
      if (width > 0 && width !== made.width) made.setSize({ width, height })
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
    }
  }, [theme, structure])

  useLayoutEffect(() => {
    if (drawn.current.data === data && drawn.current.scales === scales) return
    drawn.current = { data, scales }
    // The same data are put on the scales again.
    plot.current?.setData(data)
  }, [data, scales])

  return <div ref={host} style={{ height }} />
}
