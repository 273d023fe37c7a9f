// How the page is connected to the engine, and what to do when it is not.

import { useEffect, useState } from 'preact/hooks'
import type { LiveRun } from '../live/use-run'
import { Dialog } from '../parts/dialog'
import { Icon } from '../parts/icons'

export function LinkState({ live }: { live: LiveRun }) {
  const { link } = live
  return (
    <div class="link-state" role="status">
      {link.kind === 'lost' && (
        <p class="lost">
          <Icon name="unplugged" />
          <span>
            <b>Connection lost.</b> {live.report === null ? 'No run can be reached: ' : 'The numbers are as they were last seen: '}
            {link.reason}. <Countdown until={link.retryAt} />
          </span>
          <button type="button" onClick={live.retry}>
            Try now
          </button>
        </p>
      )}
      {link.kind === 'over' && (
        <p class="over">
          <Icon name="check" />
          <span>
            <b>The run is over.</b> This page keeps its results until you close it.
          </span>
        </p>
      )}
    </div>
  )
}

/** Not read out each second. */
function Countdown({ until }: { until: number }) {
  const left = () => Math.max(0, Math.ceil((until - Date.now()) / 1000))
  const [seconds, setSeconds] = useState(left)
  useEffect(() => {
    setSeconds(left())
    const timer = setInterval(() => setSeconds(left()), 1000)
    return () => clearInterval(timer)
  }, [until])
  return <span aria-hidden="true">Trying again {seconds > 0 ? `in ${seconds} s` : 'now'}.</span>
}

export function TokenDialog({ reason, authorize }: { reason: string; authorize: (token: string) => void }) {
  return (
    <Dialog title="This run asks for its token" submit={(form) => authorize(`${form.get('token')}`.trim())}>
      <p>It is what the engine was started with: --control-token, or AIOTEST_CONTROL_TOKEN.</p>
      <p class="hint">The engine says: {reason}.</p>
      <label class="stacked">
        Token
        {/* No password manager shall keep it: each run has its own. */}
        <input type="password" name="token" required autocomplete="off" autofocus />
      </label>
      <div class="dialog-buttons">
        <button type="submit" class="primary">
          Connect
        </button>
      </div>
    </Dialog>
  )
}
