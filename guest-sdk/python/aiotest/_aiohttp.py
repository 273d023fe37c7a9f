"""What scripts of aiotest import from aiohttp, which does not run in a sandbox itself."""

from .client import *  # noqa: F403


def __getattr__(name: str):
    raise AttributeError(
        f"aiohttp.{name} is not there: requests are the engine's, and of aiohttp scripts have "
        "what aiotest.client has"
    )
