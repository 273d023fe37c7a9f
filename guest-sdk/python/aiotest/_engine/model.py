"""What both frameworks turn a script into: user classes, tasks, and what belongs to a run.

Knows neither framework, and nothing of how the engine is told.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

type Maybe[T] = T | Awaitable[T]


class ScriptError(Exception):
    """The script cannot be used; the text is shown to its author as it is."""


class StopUser(Exception):
    """The user has nothing left to do: its `on_stop` runs and it is not replaced."""


class LeaveSet(Exception):
    """The task set that the task belongs to is done."""


class StopTest(Exception):
    """The whole run shall stop, gracefully; the text says why."""


class Stopping(Exception):
    """The step gave up early because its user has been asked to stop."""


class Driver(Protocol):
    """One user, as the engine drives it. Every method may be plain or return an awaitable."""

    def on_start(self) -> Maybe[None]: ...

    def run_task(self, index: int) -> Maybe[None]:
        """Runs the task of this index in `UserClass.tasks`."""

    def run(self) -> Maybe[None]:
        """The user's own loop, for execution `own-loop`."""

    def wait_time(self) -> Maybe[float]:
        """The next wait in seconds, for wait `("computed",)`."""

    def on_stop(self) -> Maybe[None]: ...


@dataclass(slots=True)
class Task:
    """A task, or a set of tasks that stands where a task does."""

    name: str
    weight: int = 1
    tags: list[str] = field(default_factory=list)
    # Index of the set that it belongs to, which comes earlier in the list.
    parent: int | None = None
    # For a set: "sequential" or "weighted", and its rounds.
    set: tuple[str, int | None] | None = None


@dataclass(slots=True)
class UserClass:
    """A kind of user."""

    name: str
    # Makes the user with this id.
    create: Callable[[int], Driver]
    tasks: list[Task] = field(default_factory=list)
    weight: int = 1
    host: str | None = None
    # ("none",), ("fixed", s), ("between", a, b), ("pacing", s) or ("computed",)
    wait: tuple = ("none",)
    # "sequential", "weighted", "concurrent" or "own-loop"
    execution: str = "sequential"
    # Its steps suspend the sandbox, so that its users share none.
    alone: bool = False
    max_concurrent: int | None = None
    throughput: float | None = None


type Event = tuple
"""As `_aiotest` and `runtime.observe` have them: a name and its values."""


@dataclass(slots=True)
class Scenario:
    """All that a script says. What may raise or wait may be plain or return an awaitable."""

    sdk: str
    classes: list[UserClass]
    # Seconds of the run -> users and users started or stopped a second; None ends the run.
    shape: Callable[[float], tuple[int, float] | None] | None = None
    thresholds: list[str] = field(default_factory=list)
    # What its author should know; shown once a run.
    warnings: list[str] = field(default_factory=list)
    # Once in every sandbox, before anything else of the scenario is called.
    on_init: Callable[[], Maybe[None]] | None = None
    # In the conductor's sandbox: before the first user, and after the last one.
    on_test_start: Callable[[], Maybe[None]] | None = None
    on_test_stop: Callable[[], Maybe[None]] | None = None
    # Also there: which events are wanted (user_start, user_stop, request, user_error),
    # asked after `on_init`, and what happened.
    wanted: Callable[[], tuple[bool, bool, bool, bool]] | None = None
    observe: Callable[[list[Event]], Maybe[None]] | None = None
