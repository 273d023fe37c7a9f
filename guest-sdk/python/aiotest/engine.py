"""What the engine offers beside aiotest's own API: options and secrets of the run, data files,
checks, numbers of one's own, groups and thresholds.
"""

from typing import Literal, Self

import _aiotest
from _aiotest import check, count, gauge, log, option, options, run_time, secret, trend, users

from ._engine import members
from ._engine.model import LeaveSet, StopTest, StopUser

__all__ = [
    "Feed",
    "LeaveSet",
    "StopTest",
    "StopUser",
    "check",
    "count",
    "gauge",
    "group",
    "log",
    "option",
    "options",
    "record",
    "run_time",
    "secret",
    "threshold",
    "thresholds",
    "trend",
    "users",
]

thresholds: list[str] = []
"""Conditions on the results, as `--threshold` takes them."""


def threshold(*conditions: str) -> None:
    """Adds conditions on the results, for example `http_req_duration: p(95)<500ms`. To be called
    when the script is imported.
    """
    thresholds.extend(conditions)


def record(
    protocol: str, name: str, seconds: float, size: int = 0, error: str | None = None
) -> None:
    """Counts an exchange over a protocol that the script speaks itself."""
    _aiotest.record(members.current_id(), protocol, name, seconds, size, error)


class group:
    """A part of a user's work under a name: its duration is counted, and its requests carry it
    as the tag `group`.

    ```python
    with engine.group("checkout"):
        ...
    ```
    """

    def __init__(self, name: str):
        self._name = name

    def __enter__(self) -> Self:
        self._group = _aiotest.Group(members.current_id(), self._name)
        return self

    def __exit__(self, kind, error, traceback) -> None:
        self._group.close()


type Order = Literal["sequential", "random", "unique", "by_user"]
type AtEnd = Literal["wrap", "stop_user", "fail"]


class Feed:
    """The rows of a data file, which all users of the run share (`--data users=users.csv`)."""

    def __init__(self, name: str):
        self._feed = _aiotest.Feed(name)
        self._columns = self._feed.columns

    def __len__(self) -> int:
        return self._feed.rows

    @property
    def columns(self) -> list[str]:
        return self._columns

    def _next(self, order: Order, at_end: AtEnd) -> dict[str, str]:
        try:
            row = self._feed.next(members.current_id(), order, at_end)
        except _aiotest.Failure as failure:
            kind, text = failure.args
            if kind == "stop_user":
                raise StopUser from None
            raise LookupError(text) from None
        return dict(zip(self._columns, row, strict=True))

    def unique(self, at_end: AtEnd = "stop_user") -> dict[str, str]:
        """The next row, never one twice in the run."""
        return self._next("unique", at_end)

    def sequential(self, at_end: AtEnd = "wrap") -> dict[str, str]:
        """The next row, over all users."""
        return self._next("sequential", at_end)

    def random(self) -> dict[str, str]:
        """Any row."""
        return self._next("random", "wrap")

    def by_user(self, at_end: AtEnd = "wrap") -> dict[str, str]:
        """The user's own row: the first user has the first."""
        return self._next("by_user", at_end)
