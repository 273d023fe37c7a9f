"""The handlers of a script and what they hear of the run, in the sandbox beside the users'."""

import asyncio
from collections.abc import Awaitable
from itertools import count

from . import cli, events
from ._engine.model import Event, StopTest
from ._engine.notice import warn_once
from .logger import logger
from .metrics import RequestMetrics
from .runners import global_runner as runner
from .state_manager import RunnerState

# Handlers that a batch of events may call at the same time.
_AT_ONCE = 100


class Observer:
    """What the handlers have heard so far."""

    def __init__(self, is_shaped: bool):
        self._is_shaped = is_shaped
        # Users that the load shape wants.
        self.planned: int | None = None
        # A handler wants the run to stop.
        self.quit = False
        self._started = False
        self._numbers = count(1)

    def on_init(self) -> Awaitable[None] | None:
        """In every sandbox: what handlers prepare there, users of it find."""
        hooks = events.init_command_line_parser, events.init_events, events.init
        return self._init() if any(hooks) else None

    async def _init(self) -> None:
        parser = cli.make_parser()
        await events.init_command_line_parser.tell(parser=parser)
        runner.options = runner.config = cli.parse(parser, None)
        await events.init_events.tell()
        await events.init.tell()

    def on_test_start(self) -> Awaitable[None]:
        if not self._is_shaped and (events.startup_completed or events.start_complete):
            logger.warning("without a load shape nobody is told that all users have started")
        return events.test_start.tell(runner=runner)

    async def on_test_stop(self) -> None:
        runner.state = RunnerState.STOPPING
        await events.test_stop.tell(runner=runner)
        runner.state = RunnerState.QUITTING
        await events.test_quit.tell()
        await events.quitting.tell()

    def wanted(self) -> tuple[bool, bool, bool, bool]:
        starts = self._is_shaped and bool(events.startup_completed or events.start_complete)
        requests = bool(events.request_metrics or events.stats_request)
        return starts, False, requests, bool(events.user_error)

    async def observe(self, batch: list[Event]) -> None:
        runner.state = RunnerState.RUNNING
        try:
            for start in range(0, len(batch), _AT_ONCE):
                await asyncio.gather(*map(self._hear, batch[start : start + _AT_ONCE]))
        except StopTest:
            self.quit = True
            if not self._is_shaped:
                warn_once("only a run with a load shape can be stopped by a handler")

    async def _hear(self, event: Event) -> None:
        name, *values = event
        if name == "user_start":
            await self._user_started()
        elif name == "request":
            await self._requested(*values)
        elif name == "user_error":
            await events.user_error.tell(runner=runner, error=values[4])

    async def _user_started(self) -> None:
        users = runner.user_count
        if self._started or self.planned is None or users < self.planned:
            return
        self._started = True
        await events.startup_completed.tell(runner=runner, node_type=runner.node_type)
        await events.start_complete.tell(user_count=users, runner=runner)

    async def _requested(
        self, user, kind, at, method, name, tags, status, seconds, size, error
    ) -> None:
        if events.request_metrics:
            failure = None
            if error is not None:
                failure = {"message": error, "exc_type": "Exception", "stack": []}
            metrics = RequestMetrics(
                request_id=f"req-{next(self._numbers)}",
                method=method,
                endpoint=name,
                status_code=status,
                duration=seconds,
                response_size=size,
                error=failure,
                assertion_result="pass" if failure is None else "fail",
            )
            await events.request_metrics.tell(metrics=metrics)
        if events.stats_request:
            await events.stats_request.tell(
                runner=runner,
                request_name=name,
                request_method=method,
                response_time=round(seconds * 1000),
                response_length=size,
                error=error,
            )
