// Orders to a run under way: start, pause, resume, stop, and another load.

import { useState } from 'preact/hooks'
import { count, number, plural } from '../data/format'
import type { Plan } from '../data/report'
import type { Change } from '../live/endpoint'
import type { LiveRun } from '../live/use-run'
import { Dialog } from '../parts/dialog'
import { Icon } from '../parts/icons'

export function Controls({ live, state }: { live: LiveRun; state: string }) {
  const [stopping, setStopping] = useState(false)
  const plans = live.state?.plans ?? []
  const usable = live.link.kind === 'open'
  return (
    <section class="controls no-print" aria-label="Control the run">
      <div class="control-buttons">
        {state === 'ready' && (
          <button type="button" class="primary" disabled={!usable} onClick={() => live.order('start')}>
            <Icon name="play" /> Start
          </button>
        )}
        {state === 'paused' ? (
          <button type="button" class="primary" disabled={!usable} onClick={() => live.order('resume')}>
            <Icon name="play" /> Resume
          </button>
        ) : (
          <button type="button" disabled={!usable || state !== 'running'} onClick={() => live.order('pause')}>
            <Icon name="pause" /> Pause
          </button>
        )}
        <button
          type="button"
          class="danger"
          disabled={!usable || state === 'stopping'}
          onClick={() => setStopping(true)}
        >
          <Icon name="stop" /> Stop
        </button>
      </div>
      {plans.map((plan) => (
        <PlanForm key={plan.name} plan={plan} alone={plans.length === 1} usable={usable} load={live.load} />
      ))}
      {live.refusal !== null && (
        <p class="refusal" role="alert">
          <Icon name="warning" />
          <span>Refused: {live.refusal}</span>
          <button type="button" class="link" onClick={live.dismiss}>
            Dismiss
          </button>
        </p>
      )}
      {stopping && (
        <StopDialog
          users={live.state?.users ?? 0}
          close={() => setStopping(false)}
          stop={() => {
            setStopping(false)
            live.order('stop')
          }}
        />
      )}
    </section>
  )
}

function StopDialog(props: { users: number; close: () => void; stop: () => void }) {
  return (
    <Dialog title="Stop the run?" close={props.close} submit={props.stop}>
      <p>{plural(props.users, 'user')} will finish what they are at. A run that was stopped cannot go on.</p>
      <div class="dialog-buttons">
        <button type="button" onClick={props.close}>
          Keep running
        </button>
        <button type="submit" class="danger solid">
          Stop the run
        </button>
      </div>
    </Dialog>
  )
}

/** Another load for one plan. Empty fields stay as they are. */
function PlanForm(props: { plan: Plan; alone: boolean; usable: boolean; load: (change: Change) => void }) {
  const { plan, alone } = props
  const open = plan.arrival_rate !== null
  const [amount, setAmount] = useState('')
  const [rate, setRate] = useState('')
  const submit = () => {
    const change: Change = alone ? {} : { plan: plan.name }
    if (amount !== '') change[open ? 'arrival_rate' : 'users'] = Number(amount)
    if (rate !== '') change.spawn_rate = Number(rate)
    props.load(change)
    setAmount('')
    setRate('')
  }
  const disabled = !props.usable || !plan.active
  return (
    <form
      class="plan"
      aria-label={alone ? 'Load' : `Load of ${plan.name}`}
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      {!alone && <b>{plan.name}</b>}
      <label>
        {open ? 'Iterations per second' : 'Users'}
        <input
          type="number"
          min="0"
          step={open ? 'any' : '1'}
          inputMode="decimal"
          value={amount}
          placeholder={open ? number(plan.arrival_rate ?? 0) : count(plan.users)}
          disabled={disabled}
          onInput={(event) => setAmount(event.currentTarget.value)}
        />
      </label>
      {!open && (
        <label>
          Spawn rate per second
          <input
            type="number"
            min="0"
            step="any"
            inputMode="decimal"
            value={rate}
            placeholder={plan.spawn_rate === null ? 'at once' : number(plan.spawn_rate)}
            disabled={disabled}
            onInput={(event) => setRate(event.currentTarget.value)}
          />
        </label>
      )}
      <button type="submit" disabled={disabled || (amount === '' && rate === '')}>
        Apply
      </button>
    </form>
  )
}
