"""Events of the run for the listeners of a script, in the sandbox of the load shape."""

import time
from typing import Any

import _aiotest
from aiotest._engine.model import StopTest
from aiotest._engine.notice import warn_once

from .env import Environment
from .event import events
from .exception import LocustError


class Observer:
    """Fires the events that the engine tells of."""

    def __init__(self, environment: Environment, is_shaped: bool) -> None:
        self._environment = environment
        self._is_shaped = is_shaped
        # Users that the load shape wants.
        self.planned: int | None = None
        # A listener wants the run to stop.
        self.quits = False
        # Whether spawning_complete was fired.
        self._complete = False
        # Whether requests are counted for environment.stats.
        self._counts = False
        self._begun = 0.0

    def on_test_start(self) -> None:
        for notice in events.in_vain():
            warn_once(notice)
        if events.spawning_complete.has_listeners and not self._is_shaped:
            warn_once("events.spawning_complete is fired in runs with a load shape only")
        events.test_start.fire(environment=self._environment)

    def on_test_stop(self) -> None:
        environment = self._environment
        for event in (events.test_stopping, events.test_stop):
            event.fire(environment=environment)
        events.quitting.fire(environment=environment, reverse=True)
        code = environment.process_exit_code
        events.quit.fire(exit_code=code)
        if code:
            raise LocustError(f"environment.process_exit_code is {code}")

    def wanted(self) -> tuple[bool, bool, bool, bool]:
        last = (events.test_stopping, events.test_stop, events.quitting, events.quit)
        # They may look at environment.stats.
        self._counts = any(event.has_listeners for event in last)
        requests = self._counts or events.request.has_listeners
        starts = self._is_shaped and events.spawning_complete.has_listeners
        return starts, False, requests, events.user_error.has_listeners

    def observe(self, told: list[tuple[Any, ...]]) -> None:
        # From the run's clock to the time of day.
        self._begun = time.time() - _aiotest.run_time()
        for event in told:
            try:
                if event[0] == "request":
                    self._request(*event[1:])
                elif event[0] == "user_start":
                    self._started()
                elif event[0] == "user_error":
                    *_, task, message = event
                    error = LocustError(f"{task}: {message}")
                    events.user_error.fire(user_instance=None, exception=error, tb=None)
            except StopTest:
                self.quits = True
                if not self._is_shaped:
                    warn_once("only a run with a load shape can be stopped by a listener")

    def _started(self) -> None:
        users = _aiotest.users()
        if not self._complete and self.planned is not None and users >= self.planned:
            self._complete = True
            events.spawning_complete.fire(user_count=users)

    def _request(
        self,
        _user: int,
        _class: str,
        at: float,
        method: str,
        name: str,
        _tags: Any,
        _status: int,
        seconds: float,
        size: int,
        error: str | None,
    ) -> None:
        milliseconds = seconds * 1000
        if self._counts:
            self._environment.stats.log(method, name, milliseconds, size, error is not None)
        events.request.tell(
            request_type=method,
            name=name,
            response_time=milliseconds,
            response_length=size,
            response=None,
            context={},
            exception=None if error is None else LocustError(error),
            start_time=self._begun + at - seconds,
            url=None,
        )
