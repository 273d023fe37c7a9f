"""One user of a locust class as the engine drives it: task sets are entered and left here, in the
order that the engine's itinerary gives, or in the order of the script's own `get_next_task`."""

import random
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import _aiotest
from aiotest._engine import report
from aiotest._engine.model import LeaveSet, Stopping, StopTest, StopUser

from . import _sandbox
from .exception import (
    InterruptTaskSet,
    LocustError,
    RescheduleTask,
    RescheduleTaskImmediately,
)
from .user.sequential_taskset import SequentialTaskSet
from .user.task import TaskSet, is_set
from .user.users import User


class Place(NamedTuple):
    """A task set, where it stands among the tasks of a class."""

    # Index in the manifest; below 0 for a set that is all that its class has.
    at: int
    kind: type[TaskSet]


class Step(NamedTuple):
    """A task, and the sets that it is in, outermost first."""

    task: Callable[[Any], Any]
    places: tuple[Place, ...]
    # Of the tasks beside it.
    is_last: bool


class Driver:
    """One user."""

    def __init__(self, kind: type[User], steps: dict[int, Step], environment: Any, id: int):
        _sandbox.enter(id)
        # The command line may have said another one.
        kind.host = _aiotest.host(id) or kind.host
        self._kind = kind
        # By index in the manifest; none with an order of its own.
        self._steps = steps
        self._environment = environment
        self._user: Any = None
        # The sets that it is in, outermost first.
        self._entered: list[TaskSet] = []
        # No wait before the next task.
        self._at_once = True
        # A set that could not be entered, while the engine is in it.
        self._left: Place | None = None
        # The task of a sequential set that failed. For the engine this set begins again:
        # what comes before is passed over, this being the last that was.
        self._failed: tuple[Place, int] | None = None
        self._passed = -1

    def on_start(self) -> None:
        user = self._kind(self._environment)
        try:
            user.on_start()
        except (StopTest, StopUser, Stopping):
            self._user = user
            raise
        finally:
            _sandbox.settle(task_is_over=True)
        # As in locust, a user that could not start is not stopped.
        self._user = user
        if "tasks" in vars(user):
            raise LocustError(f"{self._kind.__name__}.tasks must be set in the class")
        self._stay()

    def run_task(self, index: int) -> None:
        step = self._steps[index]
        if (self._left or self._failed) and self._passes_over(index, step):
            self._at_once = True
            return
        entered = self._entered
        try:
            for place in step.places[len(entered) :]:
                self._enter(place.kind)
            step.task(entered[-1] if entered else self._user)
        except Exception as error:
            if self._settle(error, index, step):
                raise
        finally:
            _sandbox.settle(task_is_over=True)
        self._stay()

    def run(self) -> None:
        """One task, for classes whose order the engine cannot know."""
        entered = self._entered
        try:
            while True:
                task = entered[-1].get_next_task() if entered else random.choice(self._user.tasks)
                if not is_set(task):
                    break
                self._enter(task)
            task(entered[-1] if entered else self._user)
        except Exception as error:
            if self._end_of(error) == "error":
                raise
        finally:
            _sandbox.settle(task_is_over=True)
        self._stay()

    def wait_time(self) -> float:
        if self._at_once:
            self._at_once = False
            return 0.0
        waits = self._entered[-1] if self._entered else self._user
        seconds = waits.wait_time()
        if not isinstance(seconds, (int, float)):
            text = f"{type(waits).__name__}.wait_time() gave {seconds!r}, not seconds"
            raise LocustError(text)
        return max(0.0, float(seconds))

    def on_stop(self) -> None:
        try:
            while self._entered:
                self._leave()
            if self._user is not None:
                self._user.on_stop()
        finally:
            _sandbox.settle(task_is_over=True)

    def _stay(self) -> None:
        """Ends the user's life if it asked for that."""
        if self._user._leaves:
            raise StopUser

    def _enter(self, kind: type[TaskSet]) -> None:
        tasks = kind(self._entered[-1] if self._entered else self._user)
        try:
            tasks.on_start()
        except InterruptTaskSet as interrupt:
            interrupt.entered = False
            raise
        self._entered.append(tasks)

    def _leave(self) -> None:
        left = self._entered.pop()
        try:
            left.on_stop()
        except (StopTest, StopUser, Stopping):
            raise
        except Exception as error:
            report.log_error(f"{type(left).__name__}.on_stop failed", error)

    def _end_of(self, error: Exception) -> Literal["task", "set", "error"]:
        """What is over by this exception of a task or of a set's on_start."""
        match error:
            case RescheduleTaskImmediately():
                self._at_once = True
                return "task"
            case RescheduleTask():
                return "task"
            case InterruptTaskSet():
                self._at_once = error.reschedule
                if self._entered and error.entered:
                    self._leave()
                return "set"
        return "error"

    def _settle(self, error: Exception, index: int, step: Step) -> bool:
        """Tells the engine of a set's end, and remembers what it cannot know. Whether the
        exception is an error of the task."""
        places, depth = step.places, len(self._entered)
        missed = places[depth] if depth < len(places) else None
        end = self._end_of(error)
        if end == "task":
            return False
        if end == "error":
            if missed is not None:
                self._left = missed if missed.at >= 0 else None
            elif places and issubclass(places[-1].kind, SequentialTaskSet) and not step.is_last:
                self._failed = places[-1], index
                self._passed = -1
            return True
        if missed is not None and missed is not places[-1] and missed.at >= 0:
            self._left = missed
        self._stay()
        raise LeaveSet from None

    def _passes_over(self, index: int, step: Step) -> bool:
        """Whether the engine's next task shall not run, because of what it does not know."""
        places = step.places
        left, self._left = self._left, None
        if left is not None and places and places[-1] == left:
            self._at_once = True
            raise LeaveSet
        if self._failed is None:
            return False
        place, until = self._failed
        below = places[places.index(place) + 1 :] if place in places else None
        if below is not None and len(below) < 2:
            # The task, or the set, that stands in the set that begins again.
            at = below[0].at if below else index
            if self._passed < at <= until:
                self._passed = at
                if below:
                    self._at_once = True
                    raise LeaveSet
                return True
        self._failed = None
        return False
