"""The users of a sandbox: what the engine asks them to do becomes tasks of the event loop.

Knows neither framework: a user is a driver.
"""

import asyncio
import gc
from asyncio import CancelledError, Task
from collections.abc import Callable, Iterator
from contextvars import Context
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType

from _aiotest import finish, run_time

from . import report
from .loop import CURRENT, Loop, backlog
from .model import Driver, LeaveSet, Stopping, StopTest, StopUser, UserClass


class Member:
    """A user of this sandbox."""

    __slots__ = (
        "calls",
        "context",
        "cut",
        "driver",
        "error",
        "finished",
        "id",
        "kind",
        "sleepless",
        "stopping",
    )

    def __init__(self, id: int, kind: UserClass):
        self.id = id
        self.kind = kind
        self.driver: Driver | None = None
        # Of all its tasks, so that what one sets the next one has.
        self.context = Context()
        self.context.run(CURRENT.set, self)
        # Steps under way; nothing else may hold on to a task that waits.
        self.calls: dict[int, Task] = {}
        # It has been asked to stop.
        self.stopping = False
        # It does not sleep any more.
        self.sleepless = False
        # Its next request is the end of its own loop.
        self.cut = False
        # It has nothing left to do, whatever becomes of the steps under way.
        self.finished = False
        # What the script says went wrong, though nothing was raised.
        self.error: str | None = None

    def tasks(self, loop: Loop) -> Iterator[Task]:
        for task in asyncio.all_tasks(loop):
            if task.get_context().get(CURRENT) is self:
                yield task

    def take_time(self) -> None:
        """Lets it say good-bye, though it has been asked to stop."""
        self.sleepless = self.cut = False

    def finish(self) -> None:
        """Ends its steps, and then itself."""
        self.finished = True
        self.cancel("stop_user", asyncio.current_task())

    def cancel(self, answer: str, spared: Task | None = None) -> None:
        """Cancels the steps under way, but one."""
        self.cancel_not_begun(answer)
        for task in self.calls.values():
            if task is not spared:
                task.cancel()

    def cancel_not_begun(self, answer: str) -> None:
        """Cancels steps that have not begun, which so cannot say themselves that they are over."""
        for call, task in list(self.calls.items()):
            if getcoroutinestate(task.get_coro()) == CORO_CREATED:
                task.cancel()
                del self.calls[call]
                finish(call, answer, None)


def current() -> Member | None:
    """The user whose code this is called from."""
    return CURRENT.get()


def current_id() -> int:
    """Its id; 0 for the load shape and the hooks, as the engine has it."""
    member = CURRENT.get()
    return 0 if member is None else member.id


# Coroutines that send a request, by their code: in one of these a user is not waiting.
sending: set = set()


def _sends(task: Task) -> bool:
    coroutine = task.get_coro()
    while isinstance(coroutine, CoroutineType):
        if coroutine.cr_code in sending:
            return True
        coroutine = coroutine.cr_await
    return False


class Members:
    """All users of this sandbox, driven by the events that the engine tells."""

    def __init__(self, classes: list[UserClass]):
        self.loop = Loop()
        self._classes = classes
        self._members: dict[int, Member] = {}
        # Garbage will be collected in the next turn.
        self._collects = False
        if any(kind.execution == "own-loop" for kind in classes):
            # The engine holds such users at their waits during a pause.
            self.loop.clock = run_time

    def serve(self, on_init: Callable | None) -> None:
        """Drives the users until the sandbox comes to its end."""
        first = on_init() if on_init else None
        if first is not None:
            self.loop.run_until_complete(first)
        self.loop.on_event = self.on_event
        for event in backlog:
            self.loop.call_soon(self.on_event, event)
        backlog.clear()
        self.loop.run_forever()

    def on_event(self, event: tuple) -> None:
        name = event[0]
        if name == "call":
            _, call, user, step, argument = event
            member = self._arrive(user, argument) if step == "on_start" else self._members[user]
            context = member.context
            if member.kind.execution == "concurrent":
                context = context.copy()
            work = self._step(call, member, step, argument)
            member.calls[call] = Task(work, loop=self.loop, context=context)
        elif name == "stop":
            self._stop(event[1])
        elif name == "leave":
            self._leave(event[1])

    def _arrive(self, user: int, kind: int) -> Member:
        self._leave(user)
        member = self._members[user] = Member(user, self._classes[kind])
        return member

    async def _step(self, call: int, member: Member, step: str, argument: int) -> None:
        outcome = "ok", None
        try:
            if step == "run_task":
                work = member.driver.run_task(argument)
                if work is not None:
                    await work
            else:
                seconds = await self._rarer_step(member, step)
                if step == "wait_time":
                    outcome = "wait", float(seconds)
            if member.finished:
                outcome = "stop_user", None
            elif member.error is not None:
                outcome = "failed", member.error
                member.error = None
        except (CancelledError, SystemExit, Exception) as error:
            # While the error holds on to the responses it is about: they fail with it.
            del member.calls[call]
            finish(call, *_outcome(error, member, step))
        else:
            del member.calls[call]
            finish(call, *outcome)

    async def _rarer_step(self, member: Member, step: str):
        if step == "on_start":
            member.driver = member.kind.create(member.id)
        elif step == "on_stop":
            member.take_time()
            if member.driver is None:
                # It could not be made, and has nothing to stop.
                return None
        result = getattr(member.driver, step)()
        return await result if hasattr(result, "__await__") else result

    def _stop(self, user: int) -> None:
        """Waits end at once; tasks that are sending go on."""
        member = self._members.get(user)
        if member is None:
            return
        member.stopping = member.sleepless = True
        tasks = list(member.tasks(self.loop))
        if not any(map(_sends, tasks)):
            member.cancel("stopping")
            return
        member.cancel_not_begun("stopping")
        member.cut = member.kind.execution == "own-loop"
        sleeping = self.loop.sleeping()
        for task in tasks:
            if task._fut_waiter in sleeping:
                task.cancel()

    def _leave(self, user: int) -> None:
        member = self._members.pop(user, None)
        if member is None:
            return
        for task in member.tasks(self.loop):
            task.cancel()
        if not self._collects:
            self._collects = True
            self.loop.call_soon(self._collect)

    def _collect(self) -> None:
        """Tasks that failed, and that nobody awaited, tell of it when they go."""
        self._collects = False
        self.loop.forget_user()
        gc.collect()


def _outcome(error: BaseException, member: Member, step: str) -> tuple[str, str | None]:
    match error:
        case CancelledError() if member.finished:
            return "stop_user", None
        case CancelledError() if member.stopping:
            return "stopping", None
        case StopUser():
            return "stop_user", None
        case LeaveSet():
            return "leave_set", None
        case Stopping():
            return "stopping", None
        case StopTest():
            return "stop_test", str(error) or f"{member.kind.name} asked for it"
        case SystemExit():
            return "stop_test", f"{member.kind.name} called sys.exit({error.code!r})"
    return "failed", report.one_line(error)
