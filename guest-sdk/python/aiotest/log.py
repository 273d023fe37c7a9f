"""The name that the logger's module has in aiotest 0.5."""

from .logger import logger

__all__ = ["logger", "setup_logging"]


def setup_logging(loglevel: str, logfile: str | None = None) -> None:
    """Sets the level. Lines go to the engine's log, not to a file."""
    logger.setLevel(loglevel.upper())
    if logfile is not None:
        logger.warning("lines go to the engine's log, not to %s", logfile)
