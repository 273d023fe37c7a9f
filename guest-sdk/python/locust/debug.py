"""Where scripts look for a debugger."""

from typing import Any, NoReturn

from .exception import LocustError


def run_single_user(user_class: type, *_: Any, **__: Any) -> NoReturn:
    """Not offered: the engine runs users."""
    raise LocustError("run_single_user: start the script with 'aiotest-engine run FILE -u 1 -i 1'")
