// The page of a run under way: the same as of one that is over, with its controls above.

import { useEffect } from 'preact/hooks'
import { componentOf, isOver } from '../data/report'
import { useRun } from '../live/use-run'
import { ThemeSwitch } from '../parts/theme'
import { Controls } from './controls'
import { LinkState, TokenDialog } from './link'
import { RunPage } from './run'

export function LivePage() {
  const live = useRun()
  const { report } = live
  // An order shows at once, and the report with the next update.
  const known = live.state?.state ?? ''
  const state = report === null ? '' : isOver(report.run.state) || known === '' ? report.run.state : known
  const component = report === null ? undefined : componentOf(report)
  useEffect(() => {
    if (component !== undefined) document.title = `${component} · aiotest-engine`
  }, [component])
  return (
    <>
      {report === null ? (
        <main id="content" class="alone">
          <div class="page-tools">
            <ThemeSwitch />
          </div>
          <h1>aiotest-engine</h1>
          {live.link.kind === 'connecting' && <p role="status">Connecting to the run…</p>}
          <LinkState live={live} />
        </main>
      ) : (
        <RunPage report={report} state={state} whole={live.whole}>
          <LinkState live={live} />
          {!isOver(state) && <Controls live={live} state={state} />}
        </RunPage>
      )}
      {live.denied !== null && <TokenDialog reason={live.denied} authorize={live.authorize} />}
    </>
  )
}
