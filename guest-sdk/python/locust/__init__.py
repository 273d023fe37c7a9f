"""locust's interface on aiotest-engine: locustfiles run as they are.

What a locustfile uses of the HTTP client, users, tasks, waits, events and load shapes is here; the
engine takes the place of gevent, requests, and locust's runners, web interface and statistics.
"""

from typing import NoReturn

from .contrib.fasthttp import FastHttpUser
from .debug import run_single_user
from .event import Events, events
from .shape import LoadTestShape
from .user import HttpUser, SequentialTaskSet, TaskSet, User, tag, task, wait_time
from .user.wait_time import between, constant, constant_pacing, constant_throughput, poisson

__version__ = "2.47.0"
"""The version of locust whose interface this is."""

__all__ = [
    "Events",
    "FastHttpUser",
    "HttpUser",
    "LoadTestShape",
    "SequentialTaskSet",
    "TaskSet",
    "User",
    "between",
    "constant",
    "constant_pacing",
    "constant_throughput",
    "events",
    "poisson",
    "run_single_user",
    "tag",
    "task",
    "wait_time",
]

_MISSING = {
    "HttpLocust": "it became HttpUser in locust 1.0",
    "Locust": "it became User in locust 1.0",
    "TaskSequence": "it became SequentialTaskSet in locust 1.0",
    "seq_task": "SequentialTaskSet goes by the order in the file since locust 1.0",
    "MarkovTaskSet": "a TaskSet with its own get_next_task() can choose the next task",
    "transition": "it belongs to MarkovTaskSet",
    "transitions": "it belongs to MarkovTaskSet",
}


def __getattr__(name: str) -> NoReturn:
    if name in _MISSING:
        raise ImportError(f"locust.{name} is not offered: {_MISSING[name]}")
    raise AttributeError(f"module 'locust' has no attribute {name!r}", name=name)
