"""Wait times: functions that say how many seconds a user or a task set waits."""

import random
from collections.abc import Callable
from typing import Any

import _aiotest

type WaitTime = Callable[[Any], float]


def _known(function: WaitTime, *wait: Any) -> WaitTime:
    """The function, with how the engine says the same."""
    function.engine_wait = wait  # type: ignore[attr-defined]
    return function


def between(min_wait: float, max_wait: float) -> WaitTime:
    """Anything between the two."""
    _check("between", min_wait, max_wait)
    return lambda _self: min_wait + random.random() * (max_wait - min_wait)


def constant(wait_time: float) -> WaitTime:
    """Always the same."""
    _check("constant", wait_time)
    wait = ("fixed", float(wait_time)) if wait_time else ("none",)
    return _known(lambda _self: wait_time, *wait)


def constant_pacing(wait_time: float) -> WaitTime:
    """Tasks start this far apart, or at once after one that took longer."""
    _check("constant_pacing", wait_time)

    def wait(self: Any) -> float:
        now = _aiotest.run_time()
        delay = max(0.0, self._last_start + wait_time - now)
        self._last_start = now + delay
        return delay

    return _known(wait, "pacing", float(wait_time))


def constant_throughput(task_runs_per_second: float) -> WaitTime:
    """So many tasks a second are started, if they are fast enough."""
    _check("constant_throughput", task_runs_per_second)
    if task_runs_per_second <= 0:
        raise ValueError(f"constant_throughput({task_runs_per_second}): it must be above 0")
    return constant_pacing(1 / task_runs_per_second)


def poisson(rate: float) -> WaitTime:
    """Random, so that `rate` tasks a second are started on average, if they take no time."""
    _check("poisson", rate)
    if rate <= 0:
        raise ValueError(f"poisson({rate}): it must be above 0")
    return lambda _self: random.expovariate(rate)


def _check(name: str, *numbers: Any) -> None:
    for number in numbers:
        if not isinstance(number, (int, float)):
            raise TypeError(f"{name}() takes seconds as numbers, not {number!r}")
