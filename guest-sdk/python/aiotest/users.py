"""User classes of aiotest 1.x."""

import asyncio
import inspect
import random
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum, auto
from typing import Any

from ._engine import members
from .clients import HTTPClient
from .logger import logger

type Seconds = float | tuple[float, float]
type WaitTimeType = Seconds | Callable[[], Seconds] | Callable[[], Awaitable[Seconds]]
"""Seconds, a pair (least, most), or a function (`async` or not) that returns either."""


class ExecutionMode(Enum):
    """In which order the jobs of a user run."""

    SEQUENTIAL = auto()
    """One after the other, as they stand in the class, again and again."""
    CONCURRENT = auto()
    """At the same time, chosen by weight."""


class WaitTimeResolver:
    """Turns a `wait_time` into seconds."""

    @classmethod
    async def resolve_wait_time(cls, wait_time: Any) -> float:
        """The seconds to wait; ValueError if they cannot be told."""
        if callable(wait_time):
            wait_time = wait_time()
            if inspect.isawaitable(wait_time):
                wait_time = await wait_time
        return cls.draw(wait_time)

    @staticmethod
    def draw(wait_time: Any) -> float:
        """Seconds from a number or a pair."""
        match wait_time:
            case bool():
                pass
            case int() | float() if wait_time >= 0:
                return float(wait_time)
            case (int() | float() as least, int() | float() as most) if 0 <= least <= most:
                return random.uniform(least, most)
        raise ValueError(
            f"wait_time is {wait_time!r}: give seconds, or a pair (least, most) of seconds"
        )

    @classmethod
    async def wait(cls, wait_time: Any) -> None:
        """Waits; for one second if it cannot be told how long."""
        try:
            seconds = await cls.resolve_wait_time(wait_time)
        except Exception as error:
            logger.error("%s; waiting for one second", error)
            seconds = 1.0
        await asyncio.sleep(seconds)


def weight[F: Callable](weight_value: int) -> Callable[[F], F]:
    """Says how often a job runs beside the others of a concurrent class."""
    if not isinstance(weight_value, int) or isinstance(weight_value, bool) or weight_value < 1:
        raise ValueError(f"a weight is a positive int, not {weight_value!r}")

    def decorate(job: F) -> F:
        job.weight = weight_value
        return job

    return decorate


def own_jobs(cls: "type[User]") -> list[Callable]:
    """The jobs in the class's own body, in their order."""
    own = vars(cls).items()
    return [job for name, job in own if cls.is_job(name) and inspect.iscoroutinefunction(job)]


class User:
    """A user of the system under test. Its jobs are the `async` methods of its own body whose
    names begin with `test_` or end with `_test`.
    """

    host: str | None = None
    """Where its requests go, unless the command line says otherwise."""
    # Any, so that a method of this name may take its place.
    wait_time: Any = 1.0
    """How long it waits after `on_start` and after each job: a `WaitTimeType`, or a method."""
    weight: int = 1
    """Its share of all users."""
    max_concurrent_tasks: int | None = None
    """Most jobs at a time, for concurrent execution; the sum of their weights otherwise."""
    execution_mode: ExecutionMode = ExecutionMode.SEQUENTIAL
    jobs: list = []
    """Pairs of a job and its weight; a class that sets it chooses its jobs itself."""
    # What the engine knows as the host of the class.
    _told_host: str | None = None
    # Set while it is paused: done when it goes on.
    _resumed: asyncio.Future | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "jobs" not in vars(cls):
            cls.jobs = cls._find_jobs()

    @staticmethod
    def is_job(name: str) -> bool:
        """Whether a coroutine method of this name is a job."""
        return name.startswith("test_") or name.endswith("_test")

    @classmethod
    def _find_jobs(cls) -> list:
        jobs = own_jobs(cls)
        if hasattr(cls, "start"):
            # A loop of its own, as in aiotest 0.5, goes through plain jobs.
            return jobs
        return [(job, getattr(job, "weight", 1)) for job in jobs]

    def __init__(
        self,
        wait_time: WaitTimeType | None = None,
        weight_val: int | None = None,
        max_concurrent_tasks: int | None = None,
        execution_mode: ExecutionMode | None = None,
    ) -> None:
        if wait_time is not None:
            self.wait_time = wait_time
        if weight_val is not None:
            self.weight = weight_val
        if max_concurrent_tasks is not None:
            self.max_concurrent_tasks = max_concurrent_tasks
        if execution_mode is not None:
            self.execution_mode = execution_mode

    async def on_start(self) -> None:
        """Called once, before its jobs."""

    async def on_stop(self) -> None:
        """Called once, after its jobs."""

    async def stop_tasks(self) -> None:
        """Ends this user: its `on_stop` runs, and it is not replaced."""
        member = members.current()
        if member is not None:
            member.finish()
        raise asyncio.CancelledError

    async def pause_tasks(self) -> None:
        """Begins no other job of this user until `resume_tasks`."""
        if self._resumed is None:
            self._resumed = asyncio.get_running_loop().create_future()

    async def resume_tasks(self) -> None:
        """Goes on after `pause_tasks`."""
        if self._resumed is not None:
            self._resumed.set_result(None)
            self._resumed = None


class _OwnClient:
    """The client of a user, made when it is first asked for."""

    def __get__(self, user, owner=None):
        if user is None:
            return self
        client = user.__dict__["client"] = user._make_client()
        return client


class HttpUser(User):
    """A user that sends HTTP requests with `self.client`."""

    client: HTTPClient = _OwnClient()
    """Sends its requests, with its own connections and cookies."""
    default_headers: Mapping[str, str] | None = None
    """Sent with every request."""
    timeout: float | None = None
    """Seconds that a request may take; the engine's `--timeout` otherwise."""
    max_retries: int | None = None
    """Tries of a request that came to nothing, all in all; one unless it is set."""
    verify_ssl: bool = True

    def __init__(
        self,
        host: str | None = None,
        wait_time: WaitTimeType | None = None,
        weight_val: int | None = None,
        max_concurrent_tasks: int | None = None,
        execution_mode: ExecutionMode | None = None,
        client: HTTPClient | None = None,
        default_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        verify_ssl: bool | None = None,
    ) -> None:
        super().__init__(wait_time, weight_val, max_concurrent_tasks, execution_mode)
        given = {
            "host": host,
            "client": client,
            "default_headers": default_headers,
            "timeout": timeout,
            "max_retries": max_retries,
            "verify_ssl": verify_ssl,
        }
        self.__dict__.update((name, value) for name, value in given.items() if value is not None)

    def _make_client(self) -> HTTPClient:
        return HTTPClient(
            own_host(self) or "",
            self.default_headers,
            self.timeout,
            self.max_retries,
            self.verify_ssl,
        )

    async def on_stop(self) -> None:
        """Called once, after its jobs; closes its connections."""
        client = self.__dict__.pop("client", None)
        if client is not None:
            await client.close()
        await super().on_stop()


def own_host(user: User) -> str | None:
    """The host of a user that has another one than the engine was told for its class."""
    return user.host if user.host != user._told_host else None
