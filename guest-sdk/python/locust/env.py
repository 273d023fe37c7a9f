"""What a script may ask about the run."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from .argument_parser import Namespace, parsed_options
from .event import Events, events
from .runners import LocalRunner
from .stats import RequestStats

if TYPE_CHECKING:
    from .user.users import User


class Environment:
    """The run, as seen from one sandbox."""

    web_ui: None = None
    """There is none."""
    process_exit_code: int | None = None
    """Set in a listener of test_stop or quitting: anything but 0 makes the run fail."""
    catch_exceptions: bool = True

    def __init__(self, user_classes: list[type["User"]], locustfile: str) -> None:
        self.user_classes = user_classes
        self.shape_class: Any = None
        """The load shape, once it was asked."""
        self.locustfile = locustfile
        self.events: Events = events
        self.stats = RequestStats()
        """Of the requests that listeners were told of; see the `stats` module."""
        self.runner = LocalRunner(self)

    @cached_property
    def parsed_options(self) -> Namespace:
        """The options given with -e."""
        return parsed_options()

    @property
    def host(self) -> str | None:
        """Base URL of the server under test."""
        return next((host for one in self.user_classes if (host := one.host)), None)

    @property
    def user_classes_by_name(self) -> dict[str, type["User"]]:
        return {one.__name__: one for one in self.user_classes}
