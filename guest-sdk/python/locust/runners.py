"""What a script may ask of the run's control. The engine runs the test: there are no master
and workers, and `isinstance(environment.runner, WorkerRunner)` is false everywhere."""

from typing import Any, NoReturn

import _aiotest
from aiotest._engine.model import StopTest

from .exception import LocustError

STATE_INIT = "ready"
STATE_SPAWNING = "spawning"
STATE_RUNNING = "running"
STATE_CLEANUP = "cleanup"
STATE_STOPPING = "stopping"
STATE_STOPPED = "stopped"
STATE_MISSING = "missing"


class Runner:
    """The run."""

    state: str = STATE_RUNNING

    def __init__(self, environment: Any) -> None:
        self.environment = environment

    @property
    def user_count(self) -> int:
        """Users alive now in the whole run."""
        return _aiotest.users()

    @property
    def stats(self) -> Any:
        return self.environment.stats

    def quit(self) -> NoReturn:
        """Stops the run, from a task or from a listener of test_start."""
        raise StopTest("environment.runner.quit()")

    def stop(self) -> NoReturn:
        """The same."""
        raise StopTest("environment.runner.stop()")

    def __getattr__(self, name: str) -> Any:
        text = f"runner.{name} is not offered: the engine runs the test"
        raise AttributeError(text, name=name, obj=self)


class LocalRunner(Runner):
    """What `environment.runner` is."""


class DistributedRunner(Runner):
    """For isinstance only."""

    def __init__(self, environment: Any) -> None:
        raise LocustError("there are no master and workers here")


class MasterRunner(DistributedRunner):
    """For isinstance only."""


class WorkerRunner(DistributedRunner):
    """For isinstance only."""
