"""What a script says with the classes of aiotest, as a scenario."""

import dis
import inspect
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import _aiotest

from . import __version__, _aiohttp
from ._drivers import JobsDriver, LoopDriver
from ._engine import report
from ._engine.model import Scenario, ScriptError, Task, UserClass
from ._observe import Observer
from .engine import thresholds
from .exception import InvalidRateError, InvalidUserCountError
from .shape import LoadUserShape
from .user import AsyncHttpUser
from .users import ExecutionMode, HttpUser, User, WaitTimeResolver, own_jobs

sys.modules["aiohttp"] = _aiohttp

_OURS = (User, HttpUser, AsyncHttpUser)
_MOST_CONCURRENT = 500
# What aiotest's runner calls, and the engine does not.
_NOT_CALLED = ("start_tasks", "stop_tasks", "pause_tasks", "resume_tasks")


def collect(module: ModuleType) -> Scenario | None:
    """The scenario of a script; None if it uses no class of aiotest."""
    classes = list(dict.fromkeys(filter(inspect.isclass, vars(module).values())))
    users = [cls for cls in classes if issubclass(cls, User) and cls not in _OURS]
    shape = _shape(classes, users)
    users = [cls for cls in users if _is_run(cls, users)]
    if not users:
        if shape is None:
            return None
        raise ScriptError(f"{_place(shape)}: there is a load shape, and no class of users")
    observer = Observer(shape is not None)
    return Scenario(
        sdk=f"aiotest {__version__} for Python",
        classes=[_user_class(cls) for cls in users],
        shape=None if shape is None else _ticks(shape(), observer),
        thresholds=thresholds,
        warnings=[warning for cls in users for warning in _warnings(cls)],
        on_init=observer.on_init,
        on_test_start=observer.on_test_start,
        on_test_stop=observer.on_test_stop,
        wanted=observer.wanted,
        observe=observer.observe,
    )


def _is_run(cls: type[User], users: list[type[User]]) -> bool:
    if issubclass(cls, AsyncHttpUser):
        return cls.__name__.startswith("Test") or cls.__name__.endswith("Test")
    # One without jobs that others are made of is no user itself.
    is_base = any(other is not cls and issubclass(other, cls) for other in users)
    return bool(cls.jobs) or _has_loop(cls) or not is_base


def _place(cls: type) -> str:
    """`shop.py:12`"""
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None) or cls.__module__
    line = vars(cls).get("__firstlineno__")
    return f"{file}:{line}" if line else file


# -- user classes -----------------------------------------------------------------------


def _user_class(cls: type[User]) -> UserClass:
    where = f"{_place(cls)}: class {cls.__name__}"
    sample = _sample(cls, where)
    if type(sample.weight) is not int or sample.weight < 0:
        raise ScriptError(f"{where}: weight is {sample.weight!r}; give a whole number")
    if not isinstance(sample.host, str | None):
        raise ScriptError(f"{where}: host is {sample.host!r}; give a URL")
    cls._told_host = sample.host
    told = UserClass(
        name=cls.__name__,
        create=lambda user: LoopDriver(_at_home(cls, user)),
        weight=sample.weight,
        # Empty: the command line has to name it.
        host=sample.host or ("" if issubclass(cls, HttpUser | AsyncHttpUser) else None),
        wait=_wait(cls, where),
        execution="own-loop",
    )
    if _has_loop(cls):
        if told.wait == ("computed",):
            # It matters only for a loop that ends, which then begins again.
            told.wait = ("fixed", 1.0)
        return told
    jobs = _jobs(cls, sample.jobs, where)
    functions = [job for job, _ in jobs]
    told.create = lambda user: JobsDriver(_at_home(cls, user), functions)
    told.tasks = _tasks(jobs)
    _order(told, sample, where)
    return told


def _at_home(cls: type[User], id: int) -> User:
    """A user that knows where its requests go, which the command line may have said."""
    user = cls()
    host = _aiotest.host(id)
    if host is not None and user.host == user._told_host:
        user.host = user._told_host = host
    return user


def _warnings(cls: type[User]) -> Iterator[str]:
    for name in _NOT_CALLED:
        if getattr(cls, name, None) is not getattr(User, name, None):
            yield f"{_place(cls)}: the engine does not call {cls.__name__}.{name}"
    for name in _plain_jobs(cls):
        yield f"{_place(cls)}: {cls.__name__}.{name} is no job, for it lacks `async`"


def _plain_jobs(cls: type[User]) -> list[str]:
    """Methods that would be jobs if they were coroutines."""
    own = vars(cls).items()
    methods = [name for name, value in own if cls.is_job(name) and inspect.isfunction(value)]
    jobs = {job.__name__ for job in own_jobs(cls)}
    return [name for name in methods if name not in jobs]


def _has_loop(cls: type[User]) -> bool:
    start = getattr(cls, "start", None)
    return start is not None and start is not AsyncHttpUser.start


def _sample(cls: type[User], where: str) -> Any:
    """A user, where the `__init__` of its class may say more than the class does."""
    if cls.__init__ in (User.__init__, HttpUser.__init__, AsyncHttpUser.__init__):
        return cls
    try:
        return cls()
    except Exception as error:
        raise ScriptError(f"{where} cannot be made\n{report.traceback_text(error)}") from None


def _jobs(cls: type[User], entries: list, where: str) -> list[tuple[Callable, int]]:
    jobs = []
    for entry in entries:
        job, weight = entry if isinstance(entry, tuple) else (entry, 1)
        if not callable(job):
            raise ScriptError(f"{where}: jobs has {job!r}, which is no function")
        jobs.append((job, weight))
    if not jobs:
        mark = ("test", "test") if issubclass(cls, AsyncHttpUser) else ("test_", "_test")
        plain = "".join(f"; {name} lacks `async`" for name in _plain_jobs(cls))
        raise ScriptError(
            f"{where} has no jobs: a job is an async method of its own body whose name begins "
            f"with {mark[0]} or ends with {mark[1]}{plain}"
        )
    return jobs


def _tasks(jobs: list[tuple[Callable, int]]) -> list[Task]:
    names: dict[str, int] = {}
    tasks = []
    for job, weight in jobs:
        name = job.__name__
        times = names[name] = names.get(name, 0) + 1
        tasks.append(Task(name if times == 1 else f"{name} {times}", weight))
    return tasks


def _order(told: UserClass, sample: Any, where: str) -> None:
    weighted = [task for task in told.tasks if task.weight != 1]
    if sample.execution_mode is ExecutionMode.CONCURRENT:
        told.execution = "concurrent"
        most = sample.max_concurrent_tasks or sum(task.weight for task in told.tasks)
        told.max_concurrent = max(min(most, _MOST_CONCURRENT), 1)
    elif weighted:
        raise ScriptError(
            f"{where}: {weighted[0].name} has a weight, and sequential jobs run in their order: "
            "remove it, or set execution_mode = ExecutionMode.CONCURRENT"
        )
    else:
        told.execution = "sequential"


# -- wait times -------------------------------------------------------------------------


def _wait(cls: type[User], where: str) -> tuple:
    wait = inspect.getattr_static(cls, "wait_time")
    if isinstance(wait, FunctionType) and wait.__code__.co_argcount == 0:
        # `wait_time = lambda: 2` means a function and not a method.
        cls.wait_time = staticmethod(wait)
    if callable(wait) or hasattr(wait, "__get__"):
        return ("computed",)
    try:
        WaitTimeResolver.draw(wait)
    except ValueError as error:
        raise ScriptError(f"{where}: {error}, or a function that returns either") from None
    own = [base for base in cls.__mro__ if base not in (*_OURS, object)]
    if any(name in vars(base) for base in own for name in ("__init__", "__setattr__")):
        return ("computed",)
    if any(_sets_wait_time(code) for base in own for code in _codes(base)):
        return ("computed",)
    if isinstance(wait, int | float):
        return ("fixed", float(wait))
    return ("between", float(wait[0]), float(wait[1]))


def _codes(cls: type) -> Iterator[CodeType]:
    for value in vars(cls).values():
        code = getattr(value, "__code__", None)
        if code is not None:
            yield code


def _sets_wait_time(code: CodeType) -> bool:
    """Whether a user may have another wait time than its class, from this code."""
    if "wait_time" not in code.co_names:
        return False
    stores = (step for step in dis.get_instructions(code) if step.opname == "STORE_ATTR")
    return any(step.argval == "wait_time" for step in stores)


# -- the load shape ---------------------------------------------------------------------


def _shape(classes: list[type], users: list[type[User]]) -> type[LoadUserShape] | None:
    # A shape may stand in the body of a user class, where its indentation put it.
    nested = [value for cls in users for value in vars(cls).values() if inspect.isclass(value)]
    shapes = [
        cls
        for cls in dict.fromkeys([*classes, *nested])
        if issubclass(cls, LoadUserShape) and not inspect.isabstract(cls)
    ]
    if len(shapes) > 1:
        names = " and ".join(f"{cls.__name__} ({_place(cls)})" for cls in shapes)
        raise ScriptError(f"there is more than one load shape: {names}; keep one")
    return shapes[0] if shapes else None


def _ticks(shape: LoadUserShape, observer: Observer) -> Callable:
    def tick(run_time: float) -> tuple[int, float] | None:
        target = None if observer.quit else shape.tick()
        if target is None:
            return None
        where = f"{type(shape).__name__}.tick"
        try:
            users, rate = target
        except (TypeError, ValueError):
            text = f"{where} returned {target!r}: return (users, rate) or None"
            raise TypeError(text) from None
        if not isinstance(users, int) or isinstance(users, bool) or users < 0:
            raise InvalidUserCountError(f"{where} wants {users!r} users", users)
        if not isinstance(rate, int | float) or not rate > 0:
            raise InvalidRateError(f"{where} has the rate {rate!r}: it is above 0", rate)
        observer.planned = users
        return users, float(rate)

    return tick
