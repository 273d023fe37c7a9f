"""Redis, which scripts of aiotest share data with; a sandbox cannot reach it."""

from typing import Any, NoReturn

_INSTEAD = (
    "Redis cannot be reached from a sandbox: hand out data with --data NAME=FILE and "
    "aiotest.engine.Feed"
)


class RedisConnection:
    """Would connect to Redis."""

    def __init__(self, max_retries: int = 3, retry_interval: float = 1.0):
        self.max_retries = max_retries
        self.retry_interval = retry_interval

    async def get_client(self, path: str, port: int, password: str | None) -> NoReturn:
        """Says that there is no Redis, and what there is instead."""
        raise RuntimeError(_INSTEAD)

    async def close(self) -> None:
        """There is nothing to close."""


class DistributedLock:
    """Would be a lock that all workers share."""

    def __init__(self, redis: Any, lock_key: str, *args: Any, **kwargs: Any):
        raise RuntimeError(_INSTEAD)

    @staticmethod
    async def with_lock(redis: Any, lock_key: str, *args: Any, **kwargs: Any) -> NoReturn:
        """Says that there is no Redis, and what there is instead."""
        raise RuntimeError(_INSTEAD)
