"""Tasks, and sets of them. Which is next is for the engine to say, or for `get_next_task` where a
script has its own."""

import random
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, overload

import _aiotest
from aiotest._engine.model import StopUser

from .. import _sandbox
from ..exception import InterruptTaskSet, LocustError

if TYPE_CHECKING:
    from .users import User

type AnyTask = Callable[..., Any]


@overload
def task[T: AnyTask](weight: T) -> T: ...
@overload
def task[T: AnyTask](weight: int = 1) -> Callable[[T], T]: ...
def task(weight: Any = 1) -> Any:
    """Makes a method or a nested task set a task: `@task`, or `@task(3)` with a weight."""

    def decorate(function: Any) -> Any:
        if getattr(function, "__name__", "") == "run":
            raise LocustError("a task cannot have the name run")
        function.locust_task_weight = weight
        return function

    if callable(weight):
        function, weight = weight, 1
        return decorate(function)
    if type(weight) is not int or weight < 0:
        raise LocustError(f"@task({weight!r}): a weight is a whole number")
    return decorate


def tag[T: AnyTask](*tags: str) -> Callable[[T], T]:
    """Gives a task, or all tasks of a set, names to choose them by: --tags, --exclude-tags."""
    if not tags or not all(isinstance(name, str) for name in tags):
        raise ValueError("@tag needs names: @tag('name')")

    def decorate(function: Any) -> Any:
        if hasattr(function, "tasks"):
            for one in function.tasks:
                decorate(one)
        else:
            function.locust_tag_set = getattr(function, "locust_tag_set", set()) | set(tags)
        return function

    return decorate


def is_set(task: Any) -> bool:
    return isinstance(task, type) and issubclass(task, TaskSet)


def _repeated(owner: str, tasks: Any) -> Iterator[AnyTask]:
    """The tasks of a `tasks` attribute, each as often as its weight says."""
    for one in tasks.items() if isinstance(tasks, dict) else tasks:
        one, weight = one if isinstance(one, tuple) else (one, 1)
        if not callable(one) or type(weight) is not int:
            raise LocustError(f"{owner}.tasks: {one!r} with weight {weight!r} is not a task")
        yield from [one] * weight


def collect_tasks(name: str, bases: Iterable[type], body: dict[str, Any]) -> list[AnyTask]:
    """All tasks of a class: of its bases, of `tasks`, and those with the decorator, in the order
    in which they are written."""
    found = [one for base in bases for one in getattr(base, "tasks", ())]
    for key, value in body.items():
        if key == "tasks":
            found += _repeated(name, value or ())
        else:
            found += [value] * getattr(value, "locust_task_weight", 0)
    return found


class TaskSetMeta(type):
    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:
        body["tasks"] = collect_tasks(name, bases, body)
        return super().__new__(mcs, name, bases, body)


class TaskSet(metaclass=TaskSetMeta):
    """A set of tasks, of which one at a time is drawn until `interrupt` is called."""

    tasks: Any = []
    """A list of tasks, or a dictionary with their weights."""

    def __init__(self, parent: Any) -> None:
        self._parent = parent
        self._user: User = parent.user if isinstance(parent, TaskSet) else parent
        # For constant_pacing.
        self._last_start = _aiotest.run_time()

    @property
    def user(self) -> "User":
        return self._user

    @property
    def parent(self) -> Any:
        """The set that this one is in, or the user."""
        return self._parent

    @property
    def client(self) -> Any:
        """The user's."""
        return self._user.client  # type: ignore[attr-defined]

    def on_start(self) -> None:
        """Called when the user enters the set."""

    def on_stop(self) -> None:
        """Called when the user leaves the set, also because it is stopped."""

    def interrupt(self, reschedule: bool = True) -> None:
        """Leaves the set. Its parent goes on, after a wait unless `reschedule`."""
        raise InterruptTaskSet(reschedule)

    def wait_time(self) -> float:
        """The wait between tasks: the user's, unless the set has its own."""
        return self._user.wait_time()

    def wait(self) -> None:
        """Waits for the wait time."""
        _sandbox.wait(self.wait_time())
        if self._user._leaves:
            raise StopUser

    def get_next_task(self) -> AnyTask:
        """Can be overridden to say which task is next."""
        return random.choice(self.tasks)

    def schedule_task(self, task_callable: AnyTask, first: bool = False) -> None:
        raise LocustError("schedule_task: call the function, or override get_next_task")
