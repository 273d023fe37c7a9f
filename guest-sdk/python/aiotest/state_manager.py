"""The states of a run, by the names that aiotest gives them."""

from enum import Enum


class RunnerState(Enum):
    """Where a run is."""

    READY = "ready"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    MISSING = "missing"
    STOPPING = "stopping"
    QUITTING = "quitting"

    def __str__(self) -> str:
        return self.value
