"""A script's own options: declared in a listener of events.init_command_line_parser, given to the
engine with -e NAME=VALUE, read from environment.parsed_options."""

import argparse
from typing import Any

import _aiotest
from aiotest._engine.members import current_id

from .event import events

Namespace = argparse.Namespace

# What locust's own parser knows, for scripts that look. Only -e sets them.
_LOCUSTS = (
    "host",
    "num_users",
    "users",
    "spawn_rate",
    "run_time",
    "tags",
    "exclude_tags",
    "headless",
    "master",
    "worker",
)
# What only locust's web interface and worker processes make use of.
_MEANINGLESS = ("include_in_web_ui", "is_secret", "is_required", "is_multiple")


class LocustArgumentParser(argparse.ArgumentParser):
    """Knows options by the environment variable of their value, too."""

    def __init__(self) -> None:
        super().__init__(add_help=False, conflict_handler="resolve")
        self.env_vars: dict[str, str] = {}

    def add_argument(self, *names: str, env_var: str | None = None, **options: Any) -> Any:
        multiple = options.get("is_multiple")
        for name in _MEANINGLESS:
            options.pop(name, None)
        if multiple:
            options["nargs"] = "*"
        action = super().add_argument(*names, **options)
        if env_var is not None:
            self.env_vars[env_var] = action.dest
        return action


def parsed_options() -> Namespace:
    """All options with their values."""
    parser = LocustArgumentParser()
    events.init_command_line_parser.fire(parser=parser)
    actions = {action.dest: action for action in parser._actions}
    given: dict[str, str] = {}
    for name, value in _aiotest.options():
        dest = parser.env_vars.get(name, name.lstrip("-").replace("-", "_"))
        given[dest] = value
    line: list[str] = []
    for dest, action in actions.items():
        if dest in given and action.option_strings:
            line += _written(action, given.pop(dest))
    parsed = parser.parse_args(line)
    for name in _LOCUSTS:
        if not hasattr(parsed, name):
            setattr(parsed, name, None)
    parsed.host = parsed.host or _aiotest.host(current_id())
    for name, value in given.items():
        setattr(parsed, name, value)
    return parsed


def _written(action: argparse.Action, value: str) -> list[str]:
    """The option as on a command line."""
    name = action.option_strings[-1]
    if action.nargs == 0:
        return [name] if value.lower() not in ("", "0", "false", "no", "off") else []
    if action.nargs is None:
        return [f"{name}={value}"] if name.startswith("--") else [name, value]
    return [name, *value.split()]
