"""The logger of scripts: its lines go to the engine's log."""

import logging

import _aiotest

from ._engine import report

__all__ = ["logger"]

# Those without effect on a line cost time.
logging.logThreads = logging.logProcesses = False
logging.logMultiprocessing = logging.logAsyncioTasks = False


class _Lines(logging.Formatter):
    def formatException(self, info) -> str:
        return report.traceback_text(info[1]) if info[1] else ""


class EngineHandler(logging.Handler):
    """Hands log records to the engine, which adds the time and may filter them."""

    def __init__(self, level: int = logging.NOTSET):
        super().__init__(level)
        self.setFormatter(_Lines())

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _aiotest.log(_level(record.levelno), self.format(record))
        except Exception:
            self.handleError(record)


def _level(number: int) -> str:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warn"
    if number >= logging.INFO:
        return "info"
    return "debug" if number >= logging.DEBUG else "trace"


logger = logging.getLogger("aiotest_log")
logger.setLevel(logging.INFO)
logger.propagate = False
logger.addHandler(EngineHandler())

# What scripts log otherwise.
logging.root.setLevel(logging.INFO)
logging.root.addHandler(EngineHandler())
