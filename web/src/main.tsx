// Decides what the page is: a run under way, the report of one, or several side by side.

import { Component, type ComponentChildren, render } from 'preact'
import { componentOf, type PageData } from './data/report'
import { ThemeProvider } from './parts/theme'
import { ComparisonPage } from './views/comparison/page'
import { LivePage } from './views/live'
import { RunPage } from './views/run'

function Page({ data }: { data: PageData | null }) {
  if (data === null) return <LivePage />
  const [report] = data.reports
  if (data.comparison !== undefined) {
    return <ComparisonPage reports={data.reports} comparison={data.comparison} />
  }
  if (report === undefined) return <Broken reason="it has no run in it" />
  document.title = `${componentOf(report)} · aiotest-engine`
  return <RunPage report={report} state={report.run.state} />
}

/** Shown instead of a page that cannot be drawn, so that nobody takes a part for all of it. */
class Guard extends Component<{ children: ComponentChildren }, { reason: string | null }> {
  override state = { reason: null }

  static override getDerivedStateFromError(error: unknown) {
    return { reason: error instanceof Error ? error.message : `${error}` }
  }

  override render() {
    return this.state.reason === null ? this.props.children : <Broken reason={this.state.reason} />
  }
}

function Broken({ reason }: { reason: string }) {
  return (
    <main class="alone">
      <h1>This page cannot be shown</h1>
      <p role="alert">Its data is not what this version of aiotest-engine writes: {reason}.</p>
    </main>
  )
}

function start(): void {
  const root = document.getElementById('app') as HTMLElement
  const text = document.getElementById('data')?.textContent?.trim() ?? ''
  let page = <Broken reason="it is cut off" />
  try {
    page = <Page data={text === '' ? null : (JSON.parse(text) as PageData)} />
  } catch {
    // Not JSON; the page says so.
  }
  render(
    <ThemeProvider>
      <Guard>{page}</Guard>
    </ThemeProvider>,
    root,
  )
}

start()
