"""Warnings to the author of a script."""

from _aiotest import log

_told: set[str] = set()


def warn_once(text: str) -> None:
    """Warns, unless this sandbox did so before."""
    if text not in _told:
        _told.add(text)
        log("warn", text)
