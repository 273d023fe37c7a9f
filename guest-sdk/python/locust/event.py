"""Events and their listeners.

Those of the run are fired in the one sandbox that the load shape has, too. What fires there
is not what users see: every user has a sandbox, and thereby globals, of its own.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import _aiotest
from aiotest._engine import report

from . import _sandbox
from .exception import CONTROL


class EventHook:
    """An event: `add_listener` functions, `fire` it with keyword arguments."""

    def __init__(self) -> None:
        self._handlers: list[Callable[..., Any]] = []

    def add_listener[F: Callable[..., Any]](self, handler: F) -> F:
        """Has the function called at each event. Also a decorator."""
        self._handlers.append(handler)
        return handler

    @property
    def has_listeners(self) -> bool:
        return bool(self._handlers)

    def remove_listener(self, handler: Callable[..., Any]) -> None:
        self._handlers.remove(handler)

    def fire(self, *, reverse: bool = False, **arguments: Any) -> None:
        """Calls the listeners, in the order in which they were added or in reverse."""
        handlers = list(self._handlers)
        if reverse:
            handlers.reverse()
        for handler in handlers:
            try:
                handler(**arguments)
            except CONTROL:
                raise
            except Exception as error:
                name = getattr(handler, "__name__", repr(handler))
                report.log_error(f"the event listener {name} failed", error)

    @contextmanager
    def measure(
        self,
        request_type: str,
        name: str,
        response_length: int = 0,
        context: dict | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Fires the event with the time that the with-block took, and with its exception."""
        meta: dict[str, Any] = {
            "request_type": request_type,
            "name": name,
            "response_length": response_length,
            "context": context or {},
            "exception": None,
            "start_time": time.time(),
        }
        start = time.perf_counter()
        try:
            yield meta
        except Exception as error:
            meta["exception"] = error
        finally:
            meta["response_time"] = (time.perf_counter() - start) * 1000
            self.fire(**meta)


class RequestHook(EventHook):
    """`request`. Fired by a script, it counts an exchange over a protocol of the script's own.
    Listeners are told of it by the engine, as they are of HTTP requests."""

    def fire(
        self,
        *,
        request_type: str,
        name: str,
        response_time: float,
        response_length: int | None = 0,
        exception: BaseException | str | None = None,
        reverse: bool = False,
        **_other: Any,
    ) -> None:
        """Counts an exchange that took `response_time` milliseconds."""
        error = None if exception is None else str(exception) or repr(exception)
        seconds = max(response_time or 0, 0) / 1000
        size = int(response_length or 0)
        _aiotest.record(_sandbox.user, str(request_type), str(name), seconds, size, error)

    def tell(self, **arguments: Any) -> None:
        """Calls the listeners."""
        super().fire(**arguments)


_NO_WORKERS = "there are no master and workers"
# Events that the engine has no occasion for, and why.
_SILENT = {
    "report_to_master": _NO_WORKERS,
    "worker_report": _NO_WORKERS,
    "worker_connect": _NO_WORKERS,
    "heartbeat_sent": _NO_WORKERS,
    "heartbeat_received": _NO_WORKERS,
    "reset_stats": "results are not reset",
    "cpu_warning": "the engine measures outside of Python",
    "usage_monitor": "the engine measures outside of Python",
}


class Events:
    """The events there are."""

    def __init__(self) -> None:
        self.init_command_line_parser = EventHook()
        """`parser`: add options, whose values are given with -e."""
        self.init = EventHook()
        """`environment, runner, web_ui`: in every sandbox, before anything else."""
        self.test_start = EventHook()
        """`environment`: before the first user."""
        self.spawning_complete = EventHook()
        """`user_count`: all users that a load shape wanted at first have started."""
        self.request = RequestHook()
        """`request_type, name, response_time, response_length, response, context, exception,
        start_time, url`: a request was counted. There is no response, no context and no url."""
        self.user_error = EventHook()
        """`user_instance, exception, tb`: a task failed. There is no instance, and no tb."""
        self.test_stopping = EventHook()
        """`environment`: fired together with test_stop."""
        self.test_stop = EventHook()
        """`environment`: after the last user."""
        self.quitting = EventHook()
        """`environment`: after test_stop."""
        self.quit = EventHook()
        """`exit_code`: last."""
        for name in _SILENT:
            setattr(self, name, EventHook())

    def in_vain(self) -> Iterator[str]:
        """Which events have listeners, and are never fired."""
        for name, why in _SILENT.items():
            if getattr(self, name).has_listeners:
                yield f"events.{name} is never fired: {why}"

    def __getattr__(self, name: str) -> Any:
        hint = ""
        if name in ("request_success", "request_failure"):
            hint = "; it became events.request, with exception=None for a success"
        raise AttributeError(f"there is no event {name!r}{hint}", name=name, obj=self)


events = Events()
