"""What handlers of `request_metrics` are told."""

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class RequestMetrics:
    """A request and what came of it."""

    request_id: str
    method: str
    endpoint: str
    status_code: int = 0
    duration: float = 0.0
    """In seconds."""
    response_size: int = 0
    """Bytes of the body."""
    error: dict[str, Any] | None = None
    """The `message` of a failure, and what aiotest has beside it."""
    extra: dict[str, Any] | None = None
    timestamp: float = field(default_factory=time.time)
    assertion_result: str = "unknown"
    """`pass` or `fail`."""
