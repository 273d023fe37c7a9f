"""What belongs to the one user of this sandbox: who it is, how it waits, and the responses
that it may still look at.

The engine counts a response when it is let go of. Most are at once; the others are when the
task ends or waits, after what may be asked of them later has been copied.
"""

import time
from typing import Any
from weakref import ref

import _aiotest
from aiotest._engine.model import Stopping

# The user's id; 0 stands for the load shape and the listeners.
user = 0

# Responses that were not counted when they came, in part gone since.
_held: list[ref] = []
_MOST_HELD = 32

_sleep = time.sleep


def enter(id: int) -> None:
    """From now on the sandbox is this user's."""
    global user
    user = id


def hold(response: Any) -> None:
    """Remembers a response that the caller has."""
    if len(_held) >= _MOST_HELD:
        settle()
    _held.append(ref(response))


def settle(task_is_over: bool = False) -> None:
    """Has all responses counted but those whose with-block goes on."""
    left = []
    for held in _held:
        response = held()
        if response is None:
            continue
        if response._undecided and not task_is_over:
            left.append(held)
        else:
            response._let_go()
    _held[:] = left


def wait(seconds: float) -> None:
    """Waits as the user; raises when it must stop."""
    settle()
    if not _aiotest.wait(user, seconds):
        raise Stopping


def sleep(seconds: float) -> None:
    """In the place of `time.sleep`: ends when the user must stop."""
    if seconds > 0 and user:
        wait(seconds)
    else:
        _sleep(seconds)


# Now, and not with the first user: scripts say `from time import sleep`.
time.sleep = sleep
