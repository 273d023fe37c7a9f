"""How errors of a script are told: tracebacks of its author's own code, and one-liners."""

import asyncio
import linecache
from collections.abc import Iterator
from traceback import TracebackException, walk_tb
from types import FrameType

from _aiotest import log

from .unavailable import hint

# Names of the files with the author's code, as its code objects have them.
own_files: set[str] = set()

_LONGEST_TEXT = 500


def one_line(error: BaseException) -> str:
    """`AssertionError: no token (shop.py:12 in test_cart)`"""
    others = ""
    while isinstance(error, BaseExceptionGroup):
        if len(error.exceptions) > 1:
            others = f", and {len(error.exceptions) - 1} more errors"
        error = error.exceptions[0]
    text = " ".join(str(error).split())
    place = ""
    for frame, line in _own_frames(error):
        code = frame.f_code
        place = f" ({code.co_filename}:{line} in {code.co_name})"
        if not text and isinstance(error, AssertionError):
            text = linecache.getline(code.co_filename, line).strip()
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "…"
    why = hint(error)
    if why is not None:
        text = f"{text}; {why}"
    before = error.__context__
    if before is not None and not error.__suppress_context__:
        others = f", while handling {one_line(before)}{others}"
    name = type(error).__name__
    return f"{name}: {text}{place}{others}" if text else f"{name}{place}{others}"


def _own_frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """The innermost own frame, if there is one."""
    innermost = None
    for frame, line in walk_tb(error.__traceback__):
        if frame.f_code.co_filename in own_files:
            innermost = frame, line
    if innermost is not None:
        yield innermost


def traceback_text(error: BaseException) -> str:
    """The traceback as Python shows it, with frames of the author's own code only."""
    told = TracebackException.from_exception(error)
    _leave_own_frames(told)
    text = "".join(told.format()).rstrip()
    why = hint(error)
    return text if why is None else f"{text}\n{why}"


def _leave_own_frames(told: TracebackException | None) -> None:
    if told is None:
        return
    told.stack[:] = [frame for frame in told.stack if frame.filename in own_files]
    if not told.stack:
        # No heading without anything below it.
        told.stack = None
    for other in (told.__cause__, told.__context__, *(told.exceptions or ())):
        _leave_own_frames(other)


def log_error(message: str, error: BaseException | None) -> None:
    """A line in the engine's log, with the traceback below it."""
    if error is not None and not isinstance(error, asyncio.CancelledError):
        message = f"{message}\n{traceback_text(error)}"
    log("error", message)
