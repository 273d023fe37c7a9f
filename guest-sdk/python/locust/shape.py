"""Load shapes: how many users there shall be."""

from typing import Any, ClassVar

import _aiotest

from .runners import Runner


class LoadTestShape:
    """Says with `tick` how many users there shall be, once a second."""

    abstract: ClassVar[bool] = True
    use_common_options: ClassVar[bool] = False
    """Options such as --users belong to the engine; -e users=10 gives a script its own."""
    runner: Runner | None = None

    # Seconds of the run at the last tick, and at `reset_time`.
    _now: float = 0.0
    _begun: float = 0.0

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "abstract" not in cls.__dict__:
            cls.abstract = False

    def reset_time(self) -> None:
        """From now on `get_run_time` begins at 0."""
        self._begun = self._now

    def get_run_time(self) -> float:
        """Seconds that the test runs, without pauses."""
        return self._now - self._begun

    def get_current_user_count(self) -> int:
        return _aiotest.users()

    def tick(self) -> Any:
        """(users, users started or stopped a second), or None to end the test."""
        raise NotImplementedError(f"{type(self).__name__} has no tick()")
