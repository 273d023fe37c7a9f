"""The runner, as handlers of events are given it. The engine runs the test; this tells of it."""

import argparse
from typing import NoReturn

import _aiotest

from . import cli
from ._engine.model import StopTest
from .state_manager import RunnerState


class BaseRunner:
    """The run, seen from a script."""

    node_type = node = "local"
    state = RunnerState.READY
    options: argparse.Namespace

    def __getattr__(self, name: str):
        if name in ("options", "config"):
            self.options = self.config = cli.parse_options()
            return self.options
        raise AttributeError(f"the runner has no {name}: the engine runs the test")

    @property
    def user_count(self) -> int:
        """Users alive now in the whole run."""
        return _aiotest.users()

    @property
    def active_user_count(self) -> int:
        """The same by the name of 1.x."""
        return _aiotest.users()

    async def stop(self) -> NoReturn:
        """Stops the run, gracefully."""
        raise StopTest("the script stopped the run")

    async def quit(self) -> NoReturn:
        """Stops the run, gracefully."""
        raise StopTest("the script stopped the run")


class LocalRunner(BaseRunner):
    """The runner of a run on one machine."""


class MasterRunner(BaseRunner):
    """Would coordinate workers; no script meets one."""


class WorkerRunner(BaseRunner):
    """Would be coordinated; no script meets one."""


global_runner = LocalRunner()
