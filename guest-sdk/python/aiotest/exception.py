"""Errors that aiotest names."""

from typing import Any


class AioTestError(Exception):
    """The base of the others."""

    def __init__(
        self, message: str, error_code: str | None = None, context: dict[str, Any] | None = None
    ):
        super().__init__(message)
        self.message = message
        self.error_code = error_code or type(self).__name__
        self.context = context or {}

    def __str__(self) -> str:
        return f"[{self.error_code}] {self.message}"


class RunnerError(AioTestError):
    """Something is wrong with the run."""


class InvalidUserCountError(RunnerError):
    """A number of users that is none."""

    def __init__(self, message: str, user_count: Any = None):
        super().__init__(message, "INVALID_USER_COUNT", {"user_count": user_count})
        self.user_count = user_count


class InvalidRateError(RunnerError):
    """A rate that is none."""

    def __init__(self, message: str, rate: Any = None):
        super().__init__(message, "INVALID_RATE", {"rate": rate})
        self.rate = rate


class CatchResponseError(Exception):
    """A response that a script of 0.5 marked as a failure."""
