"""What the native part calls: the scenario's description, its users, shape, hooks and events."""

import gc
import importlib
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import ModuleType

from _aiotest import log

from . import loop, report, script, unavailable
from .members import Members
from .model import LeaveSet, Scenario, ScriptError, Stopping, StopTest, StopUser, UserClass

_FRAMEWORKS = ("aiotest", "locust")

# What scripts commonly import, so that no sandbox has to compile it.
_LIBRARY = """
abc argparse array ast asyncio base64 binascii bisect calendar cmath codecs collections
collections.abc colorsys concurrent.futures configparser contextlib contextvars copy csv dataclasses
datetime decimal difflib email.message email.mime.multipart email.mime.text email.utils enum errno
fnmatch fractions functools getpass glob graphlib gzip hashlib heapq hmac html html.parser http
http.client http.cookiejar http.cookies importlib.metadata importlib.resources inspect io ipaddress
itertools json keyword linecache locale logging logging.config logging.handlers marshal math
mimetypes numbers operator os os.path pathlib pickle pkgutil platform pprint queue quopri random re
reprlib sched secrets select selectors shlex shutil signal socket statistics string struct
subprocess sys tarfile tempfile textwrap threading time timeit tomllib traceback types typing
unicodedata unittest.mock urllib.error urllib.parse urllib.request uuid warnings weakref
xml.dom.minidom xml.etree.ElementTree zipfile zlib zoneinfo
""".split()
_CODECS = "utf-8-sig utf-16 latin-1 cp1252 gbk idna ascii".split()

# There is little garbage with cycles: the collector may take its time.
_GARBAGE_THRESHOLD = 20_000


def prepare() -> None:
    """Imports what sandboxes may need. The state after it is what each one begins with."""
    for name in _LIBRARY:
        # Scripts that need what is missing are told.
        with suppress(ImportError):
            importlib.import_module(name)
    for name in _CODECS:
        "".encode(name)
    for name in _FRAMEWORKS:
        importlib.import_module(f"{name}._collect")
    loop.install()
    unavailable.install()
    gc.set_threshold(_GARBAGE_THRESHOLD)
    # What preparing needed is not the script's.
    os.environ.clear()


def describe() -> tuple:
    """What the scenario is, as the native part takes it."""
    scenario = _scenario()
    return scenario.sdk, [_told(kind) for kind in scenario.classes], scenario.thresholds


def _told(kind: UserClass) -> tuple:
    tasks = [(task.name, task.weight, task.tags, task.parent, task.set) for task in kind.tasks]
    return (
        kind.name,
        kind.weight,
        kind.host,
        kind.wait,
        kind.execution,
        kind.alone,
        kind.max_concurrent,
        kind.throughput,
        tasks,
    )


@cache
def _scenario() -> Scenario:
    module = script.load()
    scenarios = [found for name in _FRAMEWORKS if (found := _collected(name, module))]
    match scenarios:
        case [scenario]:
            return scenario
        case []:
            file = module.__file__
            raise ScriptError(
                f"{file} has no class of users: a subclass of HttpUser of aiotest or locust, or of "
                "aiotest's AsyncHttpUser with a name that begins or ends with Test"
            )
    raise ScriptError(f"{module.__file__} has users of aiotest and of locust; keep to one of them")


def _collected(framework: str, module: ModuleType) -> Scenario | None:
    try:
        return importlib.import_module(f"{framework}._collect").collect(module)
    except ScriptError:
        raise
    except Exception as error:
        raise ScriptError(report.traceback_text(error)) from None


def has_load_shape() -> bool:
    return _scenario().shape is not None


def serve() -> None:
    """Drives users until the sandbox comes to its end."""
    scenario = _scenario()
    Members(scenario.classes).serve(scenario.on_init)


# -- the sandbox beside those of the users ----------------------------------------------


@cache
def _conductor() -> tuple[Scenario, Callable]:
    """The scenario, initialised, and what runs a coroutine to its end."""
    scenario = _scenario()
    for warning in scenario.warnings:
        log("warn", warning)
    run = loop.Loop().run_until_complete
    if scenario.on_init is not None:
        _await(run, scenario.on_init())
    return scenario, run


def _await(run: Callable, result) -> None:
    if result is not None:
        run(result)


def tick(run_time: float) -> tuple[int, float] | None:
    scenario, _ = _conductor()
    try:
        return scenario.shape(run_time)
    except Exception as error:
        raise ScriptError(report.one_line(error)) from None


def on_test_start() -> tuple[str, str] | None:
    return _hook("on_test_start")


def on_test_stop() -> tuple[str, str] | None:
    return _hook("on_test_stop")


def _hook(name: str) -> tuple[str, str] | None:
    """Runs a hook; what it failed with, if it did."""
    scenario, run = _conductor()
    hook = getattr(scenario, name)
    if hook is None:
        return None
    try:
        _await(run, hook())
    except StopTest as error:
        return "stop_test", str(error)
    except (StopUser, LeaveSet, Stopping):
        return None
    except (SystemExit, Exception) as error:
        return "failed", report.one_line(error)
    return None


def wanted() -> tuple[bool, bool, bool, bool]:
    scenario, _ = _conductor()
    return (False,) * 4 if scenario.wanted is None else scenario.wanted()


def observe(events: list[tuple]) -> None:
    scenario, run = _conductor()
    if scenario.observe is not None:
        _await(run, scenario.observe(events))
