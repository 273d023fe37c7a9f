"""The asyncio event loop of a sandbox: it waits in the engine, which tells of answers and of
what users shall do. Tasks and futures are CPython's own; there are no threads, sockets or
processes. Knows nothing of what the told events mean.
"""

import asyncio
import heapq
import sys
import time
import weakref
from asyncio import Future, Task
from asyncio.futures import _set_result_unless_cancelled as _wake
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from itertools import count
from typing import Any, NoReturn

from _aiotest import Scheduler, next_events

from . import report

# Whose work a task does; None outside of any user's.
CURRENT: ContextVar[Any] = ContextVar("aiotest_user", default=None)

# Cancelled timers are thrown out when there are more than this, and they are the most.
_MOST_CANCELLED = 100


class TimerHandle:
    """A callback that waits for its time."""

    __slots__ = ("__weakref__", "_loop", "_ready", "_when", "args", "callback", "context")

    def __init__(self, when: float, callback, args: tuple, context: Context, loop: "Loop"):
        self.callback = callback
        self.args = args
        self.context = context
        self._when = when
        self._loop = loop
        # Its turn, once the time has come.
        self._ready = None

    def when(self) -> float:
        return self._when

    def ring(self) -> None:
        self._ready = self._loop.call_soon(self.callback, *self.args, context=self.context)

    def cancel(self) -> None:
        if self._ready is not None:
            self._ready.cancel()
        elif self.callback is not None:
            # It stays among the timers for a while, and holds on to nobody.
            self.callback = self.args = self.context = None
            self._loop._timer_cancelled()

    def cancelled(self) -> bool:
        return self.callback is None


def _refuse(what: str, instead: str) -> Callable[..., NoReturn]:
    def refuse(self, *args, **kwargs) -> NoReturn:
        raise RuntimeError(f"{what} cannot be had in a sandbox; {instead}")

    return refuse


_no_thread = _refuse("threads", "asyncio runs many things at a time in one")
_no_socket = _refuse("sockets", "send requests with the user's client")
_no_process = _refuse("processes", "do the work in Python")


class Loop(Scheduler, asyncio.AbstractEventLoop):
    """An event loop over `next_events`. What is ready is the native `Scheduler`'s."""

    def __new__(cls):
        return super().__new__(cls, CURRENT)

    def __init__(self):
        # Called with each event; while no users are served, they are kept for later.
        self.on_event: Callable[[tuple], None] = backlog.append
        self.clock = time.monotonic
        self._timers: list[tuple[float, int, TimerHandle]] = []
        self._cancelled_timers = 0
        self._numbers = count()
        self._running = False
        self._stopped = False
        self._closed = False
        self._task_factory = None
        self._exception_handler = None
        self._generators = weakref.WeakSet()

    # -- turning ------------------------------------------------------------------------

    def _turn(self) -> bool:
        """Waits for what comes next, and does all that is due. False at the end."""
        timers = self._timers
        if self.has_ready():
            timeout = 0.0
        elif timers:
            timeout = max(timers[0][0] - self.clock(), 0.0)
        else:
            timeout = None
        # Answers have their futures resolved in there.
        events = next_events(timeout)
        if events is None:
            return False
        for event in events:
            self.on_event(event)
        if timers:
            self._ring(self.clock())
        self.run_ready()
        return True

    def _ring(self, now: float) -> None:
        timers = self._timers
        while timers and timers[0][0] <= now:
            timer = heapq.heappop(timers)[2]
            if timer.callback is None:
                self._cancelled_timers -= 1
            else:
                timer.ring()

    def run_forever(self) -> None:
        """Turns until `stop`, or until the sandbox comes to its end."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("an event loop is running already; await this instead")
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._generators.add, self._finalize)
        asyncio._set_running_loop(self)
        self._running = True
        try:
            while not self._stopped and self._turn():
                pass
        finally:
            self._running = self._stopped = False
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def run_until_complete(self, future):
        task = asyncio.ensure_future(future, loop=self)
        task.add_done_callback(self._stop)
        self.run_forever()
        if not task.done():
            raise RuntimeError("the sandbox came to its end before this was done")
        return task.result()

    def _stop(self, _: Future) -> None:
        self._stopped = True

    def stop(self) -> None:
        self._stopped = True
        self.call_soon(bool)

    def close(self) -> None:
        self._closed = True

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    # -- callbacks and tasks ------------------------------------------------------------

    def time(self) -> float:
        return self.clock()

    call_soon_threadsafe = Scheduler.call_soon

    def call_later(self, delay, callback, *args, context: Context | None = None):
        if delay is None:
            raise TypeError("delay must not be None")
        return self.call_at(self.clock() + delay, callback, *args, context=context)

    def call_at(self, when, callback, *args, context: Context | None = None):
        if when is None:
            raise TypeError("when cannot be None")
        if context is None:
            context = copy_context()
        timer = TimerHandle(when, callback, args, context, self)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        if callback is _wake:
            user = context.get(CURRENT)
            if user is not None and user.sleepless:
                # Who shall stop does not sleep.
                self.call_soon(asyncio.current_task(self).cancel)
        return timer

    def _timer_cancelled(self) -> None:
        self._cancelled_timers += 1
        few = self._cancelled_timers <= _MOST_CANCELLED
        if few or self._cancelled_timers * 2 <= len(self._timers):
            return
        # In place: the turn that is under way holds on to the list.
        self._timers[:] = [entry for entry in self._timers if entry[2].callback]
        heapq.heapify(self._timers)
        self._cancelled_timers = 0

    def sleeping(self) -> set[Future]:
        """What `asyncio.sleep` waits for, in all tasks."""
        return {entry[2].args[0] for entry in self._timers if entry[2].callback is _wake}

    def create_future(self) -> Future:
        return Future(loop=self)

    def create_task(self, coro, **kwargs):
        if self._task_factory is None:
            return Task(coro, loop=self, **kwargs)
        return self._task_factory(self, coro, **kwargs)

    def set_task_factory(self, factory) -> None:
        self._task_factory = factory

    def get_task_factory(self):
        return self._task_factory

    # Asked for every future that is made; `bool()` answers False without Python code.
    get_debug = staticmethod(bool)

    def set_debug(self, enabled: bool) -> None:
        if enabled:
            raise RuntimeError("the event loop of a sandbox has no debug mode")

    # -- errors and generators ----------------------------------------------------------

    def get_exception_handler(self):
        return self._exception_handler

    def set_exception_handler(self, handler) -> None:
        self._exception_handler = handler

    def default_exception_handler(self, context: dict) -> None:
        report.log_error(context.get("message", "an error"), context.get("exception"))

    def call_exception_handler(self, context: dict) -> None:
        if self._exception_handler is None:
            self.default_exception_handler(context)
            return
        try:
            self._exception_handler(self, context)
        except Exception as error:
            report.log_error("the exception handler failed", error)

    def _finalize(self, generator) -> None:
        self._generators.discard(generator)
        if not self._closed:
            self.call_soon(self.create_task, generator.aclose())

    async def shutdown_asyncgens(self) -> None:
        for generator in list(self._generators):
            await generator.aclose()

    async def shutdown_default_executor(self, timeout=None) -> None:
        """There is none."""

    # -- what a sandbox does not have ---------------------------------------------------

    run_in_executor = set_default_executor = _no_thread
    create_connection = create_server = create_datagram_endpoint = _no_socket
    create_unix_connection = create_unix_server = connect_accepted_socket = _no_socket
    getaddrinfo = getnameinfo = start_tls = sendfile = sock_sendfile = _no_socket
    sock_recv = sock_recv_into = sock_sendall = sock_connect = sock_accept = _no_socket
    add_reader = remove_reader = add_writer = remove_writer = _no_socket
    subprocess_exec = subprocess_shell = _no_process
    connect_read_pipe = connect_write_pipe = _no_process
    add_signal_handler = remove_signal_handler = _refuse("signals", "the engine handles them")


# What is told while no loop serves users.
backlog: list[tuple] = []


def install() -> None:
    """Makes `asyncio.run` and `asyncio.new_event_loop` work in a sandbox."""
    asyncio.events.new_event_loop = asyncio.new_event_loop = Loop
