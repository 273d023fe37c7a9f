"""Task sets whose tasks run in order."""

from typing import Any

from .task import AnyTask, TaskSet


class SequentialTaskSet(TaskSet):
    """A set whose tasks run in the order in which they are written, and then again, until
    `interrupt` is called."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self._next = 0

    def get_next_task(self) -> AnyTask:
        """Can be overridden to say which task is next."""
        task = self.tasks[self._next % len(self.tasks)]
        self._next += 1
        return task
