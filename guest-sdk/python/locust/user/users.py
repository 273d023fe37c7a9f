"""User classes."""

import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import _aiotest
from aiotest._engine.model import StopUser

from .. import _sandbox
from .._response import ResponseContextManager
from ..clients import HttpSession
from ..exception import CONTROL, LocustError
from .task import collect_tasks
from .wait_time import WaitTime, constant

if TYPE_CHECKING:
    from ..env import Environment


class UserMeta(type):
    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:
        body["tasks"] = collect_tasks(name, bases, body)
        body.setdefault("abstract", False)
        return super().__new__(mcs, name, bases, body)


class User(metaclass=UserMeta):
    """A user. Subclasses say what it does with tasks."""

    abstract: bool = True
    """True for a class that others are made from, and that has no users itself."""
    host: str | None = None
    """Base URL of the server under test; --host replaces it."""
    weight: float = 1
    """Its share of the users."""
    fixed_count: int = 0
    """Not offered: a plan of a run file gives a class a number of users."""
    wait_time: ClassVar[WaitTime] = constant(0)
    """How long the user waits between tasks."""
    tasks: Any = []
    """A list of tasks, or a dictionary with their weights."""

    # It shall stop after the task.
    _leaves = False

    def __init__(self, environment: "Environment") -> None:
        self.environment = environment
        # For constant_pacing.
        self._last_start = _aiotest.run_time()

    def on_start(self) -> None:
        """Called when the user starts."""

    def on_stop(self) -> None:
        """Called when the user stops."""

    def wait(self) -> None:
        """Waits for the wait time."""
        _sandbox.wait(self.wait_time())
        if self._leaves:
            raise StopUser

    def stop(self, force: bool = False) -> None:
        """Stops the user: after the task, or at once."""
        if force:
            raise StopUser
        self._leaves = True

    def context(self) -> dict:
        """For listeners of events.request in locust; here they are not told of it."""
        return {}

    @classmethod
    def fullname(cls) -> str:
        return f"{cls.__module__}.{cls.__qualname__}"


class RestMixin:
    """Requests that send and expect JSON."""

    client: HttpSession

    @contextmanager
    def rest(
        self, method: str, url: str, headers: Mapping[str, Any] | None = None, **options: Any
    ) -> Iterator[ResponseContextManager]:
        """A request in a with-block: its response has the parsed body as `js`, and fails when it
        is not JSON. What the block raises is the reason of a failure and goes no further."""
        lines = dict(headers or {})
        there = {name.lower() for name in lines}
        for name in ("Content-Type", "Accept"):
            if name.lower() not in there:
                lines[name] = "application/json"
        request = self.client.request(method, url, catch_response=True, headers=lines, **options)
        with request as response:
            if response.error is not None:
                response.failure(str(response.error))
            elif response.content:
                try:
                    response.js = response.json()
                except ValueError as error:
                    response.failure(
                        f"Could not parse response as JSON. {response.text[:250]}, "
                        f"response code {response.status_code}, error {error}"
                    )
            try:
                yield response
            except CONTROL:
                raise
            except AssertionError as error:
                response.failure(_asserted(error, response))
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                response.failure(
                    f"{type(error).__name__}: {error} at {where.filename}:{where.lineno}, in "
                    f"{where.name}. Response was {response.text[:200]}"
                )

    @contextmanager
    def rest_(
        self, method: str, url: str, name: str | None = None, **options: Any
    ) -> Iterator[ResponseContextManager]:
        """The same with the time as parameter `_`, which gets past caches."""
        url += "&" if "?" in url else "?"
        stamp = f"{url}_={int(time.time() * 1000)}"
        with self.rest(method, stamp, name=name or f"{url}_=...", **options) as response:
            yield response


def _asserted(error: AssertionError, response: ResponseContextManager) -> str:
    """An assertion's text; after a comma at its end, the response."""
    text = str(error) or "Assertion failed"
    if text.endswith(","):
        return f"{text[:-1]}, response was {response.text[:200]}"
    return text


class HttpUser(RestMixin, User):
    """A user with an HTTP `client`."""

    abstract = True
    pool_manager: None = None

    client: HttpSession
    """Sends requests, and keeps cookies and headers."""

    def __init__(self, environment: "Environment") -> None:
        super().__init__(environment)
        if self.pool_manager is not None:
            raise LocustError("pool_manager: connections are the engine's")
        # The class's host is told to the engine, which knows whether --host replaces it.
        own = self.__dict__.get("host")
        self.client = HttpSession(own, self.environment.events.request, self)
