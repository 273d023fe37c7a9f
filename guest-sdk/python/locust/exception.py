"""What tasks and listeners may raise, and what requests end with."""

from typing import Any

from aiotest._engine.model import Stopping, StopTest, StopUser

__all__ = [
    "CatchResponseError",
    "InterruptTaskSet",
    "LocustError",
    "MissingWaitTimeError",
    "RescheduleTask",
    "RescheduleTaskImmediately",
    "ResponseError",
    "StopTest",
    "StopUser",
]


class LocustError(Exception):
    """Something is used in a way that cannot work."""


class MissingWaitTimeError(LocustError):
    """Kept for those who catch it: every user has a wait time."""


class ResponseError(Exception):
    """Raised in the with-block of a response, marks it as a failure."""


class CatchResponseError(Exception):
    """What `failure` makes of a text."""


class InterruptTaskSet(Exception):
    """Leaves the task set; what `TaskSet.interrupt` raises."""

    # False when it was raised before the set was entered, by its on_start.
    entered = True

    def __init__(self, reschedule: bool = True) -> None:
        super().__init__()
        self.reschedule = reschedule


class RescheduleTask(Exception):
    """Ends the task as `return` does."""


class RescheduleTaskImmediately(Exception):
    """Ends the task, and the next one begins without a wait."""


# Not errors: what a task may be ended with from everywhere.
CONTROL = (
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    Stopping,
    StopTest,
    StopUser,
)


class RequestException(OSError):
    """A request that did not succeed."""

    def __init__(self, message: str = "", *, response: Any = None) -> None:
        super().__init__(message)
        self.response = response


class HTTPError(RequestException):
    """A response whose status is 400 or above."""


class ConnectionError(RequestException):  # noqa: A001
    """There is no response. `kind` is the engine's name of the cause, such as `timeout`."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind
