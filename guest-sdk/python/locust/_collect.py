"""What a module says with locust's classes, as the engine's manifest has it."""

import inspect
from functools import partial
from typing import Any

from aiotest._engine.model import Scenario, ScriptError, Task, UserClass
from aiotest.engine import thresholds

from . import __version__
from ._driver import Driver, Place, Step
from ._observer import Observer
from .env import Environment
from .event import events
from .exception import LocustError
from .shape import LoadTestShape
from .user.sequential_taskset import SequentialTaskSet
from .user.task import TaskSet, is_set
from .user.users import RestMixin, User

# Attributes of older versions, and what took their place.
_OLD = {
    "task_set": "tasks = [...]",
    "min_wait": "wait_time = between(seconds, seconds)",
    "max_wait": "wait_time = between(seconds, seconds)",
    "wait_function": "wait_time",
}
# What the engine does in their place.
_NOT_TO_OVERRIDE = ("run", "wait", "execute_task", "execute_next_task", "schedule_task")


def collect(module: Any) -> Scenario | None:
    """The scenario of a module that has users or a load shape of locust."""
    found = [value for value in vars(module).values() if isinstance(value, type)]
    found = list(dict.fromkeys(found))
    users = [one for one in found if issubclass(one, User)]
    shapes = [one for one in found if issubclass(one, LoadTestShape) and not one.abstract]
    kinds = [one for one in users if not one.abstract]
    if not kinds and not shapes:
        return None
    if not kinds:
        raise ScriptError("there is a load shape, but no class of users")
    if len(shapes) > 1:
        names = " and ".join(one.__name__ for one in shapes)
        raise ScriptError(f"there is more than one load shape: {names}; others are abstract = True")
    shape = shapes[0] if shapes else None
    environment = Environment(kinds, (module.__file__ or "").rpartition("/")[2])
    observer = Observer(environment, shape is not None)
    weights = _weights(kinds)
    return Scenario(
        sdk=f"locust {__version__} for Python",
        classes=[_user_class(*one, environment) for one in zip(kinds, weights, strict=True)],
        shape=_Shape(shape, environment, observer) if shape else None,
        thresholds=thresholds,
        on_init=partial(_init, environment),
        on_test_start=observer.on_test_start,
        on_test_stop=observer.on_test_stop,
        wanted=observer.wanted,
        observe=observer.observe,
    )


def _init(environment: Environment) -> None:
    events.init.fire(environment=environment, runner=environment.runner, web_ui=None)


def _weights(kinds: list[type[User]]) -> list[int]:
    """Whole numbers in the proportions of the classes."""
    for kind in kinds:
        weight = kind.weight
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or weight < 0:
            raise ScriptError(
                f"{kind.__name__}.weight is {weight!r}: it must be a number, 0 or above"
            )
    whole = all(float(kind.weight).is_integer() for kind in kinds)
    return [round(kind.weight * (1 if whole else 1000)) for kind in kinds]


def _user_class(kind: type[User], weight: int, environment: Environment) -> UserClass:
    name = kind.__name__
    _check(kind, User)
    if kind.fixed_count:
        raise ScriptError(
            f"{name}.fixed_count is not offered: a plan of its own in a run file gives a class "
            f"a number of users ([plans.{name}] with classes and users)"
        )
    if kind.host is not None and not isinstance(kind.host, str):
        raise ScriptError(f"{name}.host is {kind.host!r}: it must be a URL")
    tree = _Tree(kind)
    wait = getattr(kind.wait_time, "engine_wait", ("computed",))
    exact = wait[0] == "none" or wait[0] == "pacing" and not tree.has_sets
    if not exact or tree.has_own_waits:
        # Only the user knows when it has no wait: at its beginning, and after an interrupt.
        wait = ("computed",)
    return UserClass(
        name=name,
        create=partial(Driver, kind, tree.steps, environment),
        tasks=tree.tasks,
        weight=weight,
        # Empty: the command line has to name it.
        host=kind.host or ("" if issubclass(kind, RestMixin) else None),
        wait=wait,
        execution=tree.execution,
        alone=True,
    )


def _check(kind: Any, base: type) -> None:
    """Errors of a class of users or tasks that would show late or not at all."""
    name = kind.__name__
    for old, new in _OLD.items():
        if getattr(kind, old, None) is not None:
            raise ScriptError(f"{name}.{old} is of an older locust: use {new}")
    for method in _NOT_TO_OVERRIDE:
        if getattr(kind, method, None) is not getattr(base, method, None):
            raise ScriptError(f"{name} overrides {method}(), which is the engine's")
    if not callable(kind.wait_time):
        raise ScriptError(
            f"{name}.wait_time is {kind.wait_time!r}: it must be a function, such as between(1, 5)"
        )
    for method in ("on_start", "on_stop", "wait_time"):
        _check_plain(name, getattr(kind, method))
    if not kind.tasks:
        hint = "; it has an attribute task: is tasks meant?" if hasattr(kind, "task") else ""
        raise ScriptError(
            f"{name} has no tasks{hint or ': use the @task decorator or the attribute tasks'}"
        )


def _check_plain(owner: str, function: Any) -> None:
    if inspect.iscoroutinefunction(function):
        name = _name_of(function)
        raise ScriptError(f"{owner}.{name} is async: locust's users are plain functions")


def _name_of(task: Any) -> str:
    return getattr(task, "__name__", None) or type(task).__name__


class _Tree:
    """The tasks of a class with its sets, or a class whose order only its own code knows."""

    def __init__(self, kind: type[User]) -> None:
        self.tasks: list[Task] = []
        self.steps: dict[int, Step] = {}
        self.has_sets = False
        self.has_own_waits = False
        self.execution = "weighted"
        places: tuple[Place, ...] = ()
        owner: Any = kind
        path: list[type] = []
        try:
            # A set that is all that a class has is as good as the class itself, and its
            # passes are the iterations.
            while len(set(owner.tasks)) == 1 and is_set(owner.tasks[0]):
                owner = self._enter(owner.tasks[0], path)
                places = (*places, Place(-1 - len(places), owner))
                path = [*path, owner]
            self.execution = _execution(owner)
            self._add(owner, places, None, path)
        except _OwnOrder:
            self.tasks, self.steps = [], {}
            self.execution = "own-loop"

    def _enter(self, kind: type[TaskSet], path: list[type]) -> type[TaskSet]:
        _check(kind, TaskSet)
        self.has_sets = True
        self.has_own_waits |= kind.wait_time is not TaskSet.wait_time
        known = (TaskSet.get_next_task, SequentialTaskSet.get_next_task)
        if kind in path or kind.get_next_task not in known:
            raise _OwnOrder
        return kind

    def _add(
        self, owner: Any, places: tuple[Place, ...], parent: int | None, path: list[type]
    ) -> None:
        tasks = owner.tasks
        weights = [1] * len(tasks)
        if _execution(owner) == "weighted":
            weights = [tasks.count(task) for task in dict.fromkeys(tasks)]
            tasks = list(dict.fromkeys(tasks))
        prefix = f"{owner.__name__}." if places else ""
        for at, (task, weight) in enumerate(zip(tasks, weights, strict=True)):
            index = len(self.tasks)
            name = self._unique(prefix + _name_of(task))
            if is_set(task):
                kind = self._enter(task, path)
                self.tasks.append(Task(name, weight, [], parent, (_execution(kind), None)))
                self._add(kind, (*places, Place(index, kind)), index, [*path, kind])
            else:
                _check_plain(owner.__name__, task)
                tags = sorted(getattr(task, "locust_tag_set", ()))
                self.tasks.append(Task(name, weight, tags, parent))
                self.steps[index] = Step(task, places, at == len(tasks) - 1)

    def _unique(self, name: str) -> str:
        taken = {task.name for task in self.tasks}
        number = 2
        unique = name
        while unique in taken:
            unique = f"{name} ({number})"
            number += 1
        return unique


class _OwnOrder(Exception):
    """Which task is next is for a set's own get_next_task, or sets contain each other."""


def _execution(owner: type) -> str:
    return "sequential" if issubclass(owner, SequentialTaskSet) else "weighted"


class _Shape:
    """Asks the load shape, which is made when it is asked first."""

    def __init__(
        self, kind: type[LoadTestShape], environment: Environment, observer: Observer
    ) -> None:
        self._kind = kind
        self._observer = observer
        self._environment = environment
        self._shape: LoadTestShape | None = None

    def __call__(self, run_time: float) -> tuple[int, float] | None:
        shape = self._shape
        if shape is None:
            shape = self._shape = self._environment.shape_class = self._kind()
            shape.runner = self._environment.runner
        shape._now = run_time
        target = None if self._observer.quits else shape.tick()
        if target is None:
            return None
        users, rate, *classes = target
        if any(classes):
            name = self._kind.__name__
            raise LocustError(f"{name}.tick() chose user classes: plans of a run file do that")
        self._observer.planned = int(users)
        return int(users), float(rate)
