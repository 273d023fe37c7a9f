"""User classes of aiotest 0.5."""

import asyncio
from typing import Any

from ._engine import report
from .client import ClientSession, DefaultHeaders
from .events import user_error
from .users import User, own_host, own_jobs

__all__ = ["AsyncHttpUser", "User"]


class _OwnSession:
    """The session of a user, made when it is first asked for."""

    def __get__(self, user, owner=None):
        if user is None:
            return self
        session = user.__dict__["session"] = ClientSession(own_host(user))
        return session


class _OwnHeaders:
    """The headers of a user's session. A class or a user may have something else there."""

    def __get__(self, user, owner=None):
        return self if user is None else user.session.headers


class AsyncHttpUser(User):
    """A user that sends HTTP requests with `self.session`. Its class has a name that begins or
    ends with `Test`; its jobs are the `async` methods of its own body whose names begin or end
    with `test`.
    """

    wait_time: float = 1.0
    """Seconds that it waits after `on_start` and after each job."""
    session: ClientSession = _OwnSession()
    """Sends its requests, with its own connections and cookies."""

    headers: DefaultHeaders | dict[str, str] = _OwnHeaders()
    """What its session sends with every request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Whatever an author's class hands on.
        super().__init__()

    @staticmethod
    def is_job(name: str) -> bool:
        """Whether a coroutine method of this name is a job."""
        return name.startswith("test") or name.endswith("test")

    @classmethod
    def _find_jobs(cls) -> list:
        return own_jobs(cls)

    async def start(self) -> None:
        """Its life. A class that overrides it runs its jobs as it likes."""
        try:
            await self.on_start()
            await asyncio.sleep(self.wait_time)
            while True:
                for job in self.jobs:
                    await job(self)
                    await asyncio.sleep(self.wait_time)
        except asyncio.CancelledError:
            await self.on_stop()
            raise
        except Exception as error:
            await user_error.fire(error=report.one_line(error))

    async def on_stop(self) -> None:
        """Called once, after its jobs; closes its connections."""
        session = self.__dict__.pop("session", None)
        if session is not None:
            await session.close()
        await super().on_stop()
