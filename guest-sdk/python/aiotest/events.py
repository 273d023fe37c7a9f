"""Events of a run and their handlers, as aiotest 1.x and 0.5 have them.

What belongs to the run is told in a sandbox beside those of the users; what a user's code
reports by firing an event goes to the engine.
"""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Self

import _aiotest

from ._engine import members, report
from ._engine.model import StopTest, StopUser
from .metrics import RequestMetrics

type Handler = Callable[..., Awaitable[None] | None]

_MOST_AT_ONCE = 1000


class EventHook:
    """An event: what is called when it happens."""

    def __init__(self, timeout: float = 5.0):
        self._handlers: list[tuple[int, Handler]] = []
        self._timeout = timeout

    def handler[H: Handler](self, priority: int = 0) -> Callable[[H], H]:
        """Decorates a handler. Those with a higher priority are called before others."""

        def decorate(handler: H) -> H:
            self._add(handler, priority)
            return handler

        return decorate

    def _add(self, handler: Handler, priority: int = 0) -> None:
        if not callable(handler):
            raise TypeError(f"a handler is a function, not {handler!r}")
        if all(known is not handler for _, known in self._handlers):
            self._handlers.append((priority, handler))
            self._handlers.sort(key=lambda entry: -entry[0])

    async def add_handler(self, handler: Handler, priority: int = 0) -> None:
        self._add(handler, priority)

    async def remove_handler(self, handler: Handler) -> None:
        self._handlers = [entry for entry in self._handlers if entry[1] is not handler]

    def __iadd__(self, handler: Handler) -> Self:
        self._add(handler)
        return self

    def __isub__(self, handler: Handler) -> Self:
        self._handlers = [entry for entry in self._handlers if entry[1] is not handler]
        return self

    def __bool__(self) -> bool:
        """Whether anyone listens."""
        return bool(self._handlers)

    async def fire(self, **kwargs: Any) -> None:
        """Calls all handlers, which run at the same time."""
        await self.tell(**kwargs)

    async def fire_batch(self, events: list[dict[str, Any]]) -> None:
        """Fires several times."""
        if len(events) * len(self._handlers) > _MOST_AT_ONCE:
            raise RuntimeError(f"more than {_MOST_AT_ONCE} calls of handlers at once")
        await asyncio.gather(*(self.fire(**event) for event in events))

    async def tell(self, **kwargs: Any) -> None:
        """What `fire` does unless the event is one that the engine is told of."""
        calls = [self._call(handler, kwargs) for _, handler in self._handlers]
        if len(calls) == 1:
            await calls[0]
        elif calls:
            await asyncio.gather(*calls)

    async def _call(self, handler: Handler, kwargs: dict[str, Any]) -> None:
        name = getattr(handler, "__name__", repr(handler))
        try:
            result = handler(**kwargs)
            if isawaitable(result):
                await asyncio.wait_for(result, self._timeout)
        except (StopTest, StopUser):
            raise
        except TimeoutError:
            report.log_error(f"the handler {name} took more than {self._timeout:g} s", None)
        except Exception as error:
            report.log_error(f"the handler {name} failed", error)


class _Requests(EventHook):
    """Requests of any protocol. Fired by a script it counts one, of which handlers hear as of
    all others.
    """

    async def fire(self, **kwargs: Any) -> None:
        metrics = kwargs.get("metrics")
        if isinstance(metrics, RequestMetrics):
            error = metrics.error["message"] if metrics.error else None
            if error is None and metrics.assertion_result == "fail":
                error = "failed"
            exchange = metrics.method, metrics.endpoint, metrics.duration, metrics.response_size
        else:
            error = kwargs.get("error")
            seconds = kwargs.get("response_time", 0) / 1000
            exchange = (
                kwargs["request_method"],
                kwargs["request_name"],
                seconds,
                kwargs.get("response_length") or 0,
            )
        method, name, seconds, size = exchange
        error = None if error is None else str(error) or type(error).__name__
        user = members.current_id()
        _aiotest.record(user, str(method), str(name), float(seconds), int(size), error)


class _UserErrors(EventHook):
    """Errors of users. Fired by a user's code it makes the step under way fail."""

    async def fire(self, *, error: Any = "an error", **kwargs: Any) -> None:
        member = members.current()
        if member is None:
            await self.tell(error=error, **kwargs)
        elif isinstance(error, BaseException):
            member.error = report.one_line(error)
        else:
            member.error = str(error)


class Events:
    """All events by their names; those that do not exist are made when asked for."""

    def __init__(self) -> None:
        self._events: dict[str, EventHook] = {}

    def register(self, name: str) -> EventHook:
        if name not in self._events:
            self._events[name] = EventHook()
        return self._events[name]

    def __getattr__(self, name: str) -> EventHook:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.register(name)

    if TYPE_CHECKING:
        # `events.NAME += handler` ends in an assignment.
        def __setattr__(self, name: str, hook: Any) -> None: ...

    def __dir__(self) -> list[str]:
        return list(self._events)


events = Events()

init_events = events.register("init_events")
test_start = events.register("test_start")
test_stop = events.register("test_stop")
test_quit = events.register("test_quit")
startup_completed = events.register("startup_completed")
request_metrics = events._events["request_metrics"] = _Requests()
worker_request_metrics = events.register("worker_request_metrics")

# Those of 0.5.
init_command_line_parser = events.register("init_command_line_parser")
init = events.register("init")
start_complete = events.register("start_complete")
stats_request = events._events["stats_request"] = _Requests()
user_error = events._events["user_error"] = _UserErrors()
worker_report = events.register("worker_report")
quitting = events.register("quitting")
