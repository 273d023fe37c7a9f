"""The native module of the interpreter: the engine's interface (`wit/`) for the SDK's Python part.

Scripts use `aiotest`, `aiotest.engine` or `locust` instead.
"""

from asyncio import Future
from collections.abc import Callable, Sequence
from contextvars import Context, ContextVar
from typing import Any, Literal

type Pairs = Sequence[tuple[str, str]]

class HttpError(Exception):
    """An exchange without a response."""

    kind: str
    """A name of `error-kind` in `wit/http.wit`, for example `connect-refused`."""
    def __init__(self, kind: str, message: str) -> None: ...

class Failure(Exception):
    """A step must end: a kind as `finish` has it, and a text."""

class Session:
    """A client with its own connections, default headers and cookies."""

    def __init__(
        self,
        user: int,
        base_url: str | None = None,
        headers: Pairs = (),
        cookies: bool = True,
        timeout: float | None = None,
        redirects: int | None = None,
        retries: int | None = None,
    ) -> None:
        """ValueError says what is wrong with them."""

    def start(
        self,
        future: Future[Response],
        method: str,
        url: str,
        name: str | None,
        headers: Pairs,
        body: bytes | str | None,
        timeout: float | None,
        redirects: int | None,
        tags: Pairs | None,
    ) -> int:
        """Begins a request. The future gets its Response or HttpError in `next_events`; the
        ticket is for `cancel`.
        """

    def send(
        self,
        method: str,
        url: str,
        name: str | None,
        headers: Pairs,
        body: bytes | str | None,
        timeout: float | None,
        redirects: int | None,
        tags: Pairs | None,
    ) -> Response:
        """The same, and suspends the whole sandbox; raises HttpError."""

    def set_header(self, name: str, value: str) -> None: ...
    def remove_header(self, name: str) -> None: ...
    def cookies(self, url: str) -> list[tuple[str, str]]: ...
    def set_cookie(self, url: str, cookie: str) -> None: ...
    def clear_cookies(self) -> None: ...

class Response:
    """An answer. It is counted when it is closed or gone; then it tells its status only."""

    @property
    def status(self) -> int: ...
    @property
    def url(self) -> str: ...
    @property
    def version(self) -> str:
        """`1.0`, `1.1` or `2`."""

    def header(self, name: str) -> str | None: ...
    def headers(self) -> list[tuple[str, str]]: ...
    def body(self) -> bytes: ...
    def timings(self) -> tuple[float, float, float, float, float, float, float]:
        """Seconds: dns, connect, tls, send, first byte, body, total."""

    def success(self) -> None: ...
    def failure(self, reason: str) -> None: ...
    def fail_task(self, reason: str) -> None: ...
    def close(self) -> None: ...

class Handle:
    """A callback that waits for its turn."""

    def cancel(self) -> None: ...
    def cancelled(self) -> bool: ...
    def get_context(self) -> Context: ...

class Scheduler:
    """Callbacks that are ready: the base of the event loop."""

    def __new__(cls, user: ContextVar[Any]) -> Scheduler:
        """Before a callback of another user's context it tells the engine whose work follows."""

    def call_soon(
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Handle: ...
    def forget_user(self) -> None:
        """Holds on to no user any more."""
    def has_ready(self) -> bool: ...
    def run_ready(self) -> None:
        """Runs what is ready, and what becomes ready by that, for some rounds."""

type Step = Literal["on_start", "run_task", "run", "wait_time", "on_stop"]
type Outcome = Literal["ok", "wait", "failed", "stopping", "leave_set", "stop_user", "stop_test"]

def next_events(timeout: float | None) -> list[tuple[Any, ...]] | None:
    """Waits until something happens, or for so long; None at the end of the sandbox.

    `("call", call, user, step, argument)` asks for a step: the argument of `on_start` is the index
    of the user's class, that of `run_task` the task's. `("stop", user)` and `("leave", user)`.
    Answers to requests are passed on to their futures, and are not in the list.
    """

def finish(call: int, kind: Outcome, payload: object) -> None:
    """Answers a call; the payload is the seconds of `wait`, and the text of a failure."""

def cancel(ticket: int) -> None: ...
def working_on(user: int) -> None: ...
def wait(user: int, seconds: float) -> bool:
    """Suspends the whole sandbox; False when the user must stop."""

def record(
    user: int, protocol: str, name: str, seconds: float, size: int, error: str | None
) -> None: ...
def count(name: str, value: float) -> None:
    """Adds to a counter of one's own."""

def gauge(name: str, value: float) -> None:
    """Sets a gauge of one's own."""

def trend(name: str, value: float) -> None:
    """Adds a value to a distribution of one's own."""

def check(name: str, passed: bool) -> bool:
    """Counts a passed or failed check, and returns `passed`."""

class Group:
    """A part of a user's work under a name, until it is closed."""

    def __init__(self, user: int, name: str) -> None: ...
    def close(self) -> None: ...

class Feed:
    """A data file; ValueError names those there are."""

    def __init__(self, name: str) -> None: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def rows(self) -> int: ...
    def next(
        self,
        user: int,
        order: Literal["sequential", "random", "unique", "by_user"],
        at_end: Literal["wrap", "stop_user", "fail"],
    ) -> list[str]:
        """Raises Failure when there is no row left."""

def option(name: str) -> str | None:
    """The value of `-e NAME=VALUE`."""

def host(user: int) -> str | None:
    """Where the requests of a user go: `--host`, or else the host of its class."""

def options() -> list[tuple[str, str]]:
    """All of them."""

def secret(name: str) -> str | None:
    """The value behind `--secret NAME=…`, which the engine masks wherever it shows a text."""

def run_time() -> float:
    """Seconds since the run started, without its pauses."""

def users() -> int:
    """Users alive now in the whole run."""

def log(level: str, message: str) -> None:
    """A line in the engine's log; the level is trace, debug, info, warn or error."""

def main_file() -> tuple[str, bytes] | None:
    """What messages shall call the script, and its content."""

def made(path: str) -> bytes | None:
    """What a sandbox of this run kept for a file."""

def keep(path: str, content: bytes) -> None:
    """Keeps what was made of a file for the other sandboxes of the run."""

def read_file(path: str) -> tuple[str, bytes] | None:
    """The same of a file of the script's folder, of `--python-path` or of the library."""
