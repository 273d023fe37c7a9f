"""How many users there shall be, as the script says it."""

from abc import ABCMeta, abstractmethod

from _aiotest import run_time


class LoadUserShape(metaclass=ABCMeta):
    """The base of a load shape: `tick` is asked about once a second."""

    # On the clock of the run, which stands still during a pause.
    start_time: float = 0.0
    paused_time: float = 0.0
    pause_time: float = 0.0
    is_paused: bool = False

    def __init__(self) -> None:
        self.reset_time()

    def reset_time(self) -> None:
        """Lets the run time begin anew."""
        self.start_time = run_time()
        self.paused_time = self.pause_time = 0.0
        self.is_paused = False

    def get_run_time(self) -> float:
        """Seconds since the start, without pauses."""
        now = self.paused_time if self.is_paused else run_time()
        return now - self.start_time - self.pause_time

    def pause(self) -> None:
        """Stops its clock."""
        if not self.is_paused:
            self.paused_time = run_time()
            self.is_paused = True

    def resume(self) -> None:
        """Lets its clock go on."""
        if self.is_paused:
            self.pause_time += run_time() - self.paused_time
            self.is_paused = False

    @abstractmethod
    def tick(self) -> tuple[int, float] | None:
        """How many users there shall be, and how many are started or stopped a second on the
        way there; None ends the run.
        """
