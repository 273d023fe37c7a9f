"""Users of aiotest as the engine drives them."""

from collections.abc import Awaitable, Callable
from typing import Any

from ._engine.members import current
from .users import User, WaitTimeResolver

type Job = Callable[[Any], Awaitable[None]]


class JobsDriver:
    """A user whose jobs the engine runs."""

    __slots__ = ("jobs", "user")

    def __init__(self, user: User, jobs: list[Job]):
        self.user = user
        self.jobs = jobs

    def on_start(self) -> Awaitable[None]:
        return self.user.on_start()

    def run_task(self, index: int) -> Awaitable[None]:
        user = self.user
        job = self.jobs[index]
        return job(user) if user._resumed is None else _after(user._resumed, job, user)

    def wait_time(self) -> Awaitable[float]:
        return WaitTimeResolver.resolve_wait_time(self.user.wait_time)

    def on_stop(self) -> Awaitable[None]:
        return self.user.on_stop()


async def _after(resumed: Awaitable[None], job: Job, user: User) -> None:
    await resumed
    await job(user)


class LoopDriver:
    """A user whose class overrides `start`: that calls `on_start` and `on_stop` itself."""

    __slots__ = ("stopped", "user")

    def __init__(self, user: User):
        self.user = user
        # Whether `on_stop` ran for the loop under way.
        self.stopped = True
        user.on_stop = self._stop_once(user.on_stop)

    def _stop_once(self, on_stop: Callable[[], Awaitable[None]]):
        async def stop() -> None:
            if not self.stopped:
                self.stopped = True
                current().take_time()
                await on_stop()

        return stop

    def on_start(self) -> None:
        """`start` calls it."""

    async def run(self) -> None:
        self.stopped = False
        await self.user.start()

    def on_stop(self) -> Awaitable[None]:
        return self.user.on_stop()
