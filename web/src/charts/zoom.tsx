// The part of the run that all charts over time show. Knows no chart.

import { createContext, type ComponentChildren } from 'preact'
import { useContext, useMemo, useState } from 'preact/hooks'
import { clock } from '../data/format'

export type Range = [from: number, to: number]

export interface Zoom {
  /** Nothing for all of it. */
  range: Range | null
  zoom: (range: Range | null) => void
}

const Context = createContext<Zoom>({ range: null, zoom: () => undefined })

export function useZoom(): Zoom {
  return useContext(Context)
}

export function ZoomProvider({ children }: { children: ComponentChildren }) {
  const [range, zoom] = useState<Range | null>(null)
  const value = useMemo(() => ({ range, zoom }), [range])
  return <Context.Provider value={value}>{children}</Context.Provider>
}

/** Says which part it is, and leads back. */
export function ZoomReset() {
  const { range, zoom } = useZoom()
  if (range === null) return <span class="hint no-print">Drag across a chart to zoom in</span>
  return (
    <button type="button" class="zoom-reset" onClick={() => zoom(null)}>
      {clock(range[0])} to {clock(range[1])} · Show all
    </button>
  )
}
