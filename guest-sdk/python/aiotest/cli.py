"""What scripts ask of aiotest's command line. The engine has its own; `-e redis_port=6380`
gives an option here another value.
"""

import argparse
from collections.abc import Sequence

import _aiotest

from ._engine.members import current_id


def make_parser() -> argparse.ArgumentParser:
    """The options that aiotest has."""
    parser = argparse.ArgumentParser(prog="aiotest")
    add = parser.add_argument
    add("-f", "--aiotestfile", default="aiotestfile")
    add("-H", "--host", default="")
    add("-u", "--users", type=int, dest="num_users", default=1)
    add("-r", "--rate", type=float, default=1)
    add("-t", "--run-time", default=None)
    add("--show-users-weight", action="store_true")
    add("--redis-path", default="127.0.0.1")
    add("--redis-port", type=int, default=6379)
    add("--redis-password", default=None)
    add("--master", action="store_true")
    add("--worker", action="store_true")
    add("--expect-workers", type=int, default=1)
    add("-L", "--loglevel", default="INFO")
    add("--logfile", default=None)
    add("--prometheus-port", type=int, default=8089)
    add("--metrics-collection-interval", type=float, default=5.0)
    add("--metrics-batch-size", type=int, default=100)
    add("--metrics-flush-interval", type=float, default=1.0)
    add("--metrics-buffer-size", type=int, default=10000)
    return parser


def parse_options(args: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the run: defaults, and what `-e NAME=VALUE` says."""
    return parse(make_parser(), args)


def parse(parser: argparse.ArgumentParser, args: Sequence[str] | None) -> argparse.Namespace:
    options = parser.parse_args(args or [])
    given = {name.lower().replace("-", "_"): value for name, value in _aiotest.options()}
    # What argparse knows of its options has no public name.
    for action in parser._actions:
        text = given.get(action.dest)
        if text is None:
            continue
        if action.nargs == 0:
            value = text.lower() in ("1", "true", "yes", "on")
        else:
            value = action.type(text) if action.type else text
        setattr(options, action.dest, value)
    options.host = getattr(options, "host", None) or _aiotest.host(current_id()) or ""
    return options
