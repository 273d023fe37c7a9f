"""Load tests in Python, run by aiotest-engine: the API of aiotest 1.x and 0.5."""

from .clients import HTTPClient, configure_connector
from .distributed_coordinator import DistributedLock, RedisConnection
from .events import (
    EventHook,
    Events,
    events,
    init_events,
    request_metrics,
    startup_completed,
    test_quit,
    test_start,
    test_stop,
    worker_request_metrics,
)
from .exception import InvalidRateError, InvalidUserCountError, RunnerError
from .logger import logger
from .main import main
from .shape import LoadUserShape
from .user import AsyncHttpUser
from .users import ExecutionMode, HttpUser, User, WaitTimeResolver, WaitTimeType, weight

__version__ = "1.2.0"
"""The version of aiotest whose API this is."""

__all__ = [
    "AsyncHttpUser",
    "DistributedLock",
    "EventHook",
    "Events",
    "ExecutionMode",
    "HTTPClient",
    "HttpUser",
    "InvalidRateError",
    "InvalidUserCountError",
    "LoadUserShape",
    "RedisConnection",
    "RunnerError",
    "User",
    "WaitTimeResolver",
    "WaitTimeType",
    "configure_connector",
    "events",
    "init_events",
    "logger",
    "main",
    "request_metrics",
    "startup_completed",
    "test_quit",
    "test_start",
    "test_stop",
    "weight",
    "worker_request_metrics",
]
