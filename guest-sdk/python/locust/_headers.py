"""Headers and cookies as mappings. Those of a session change what the engine sends."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

import _aiotest


class Headers(MutableMapping[str, str]):
    """Names are the same in any case; several values of a name are one with commas."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, tuple[str, str]] = {}
        for name, value in fields:
            key = name.lower()
            if key in self._fields:
                value = f"{self._fields[key][1]}, {value}"
            self._fields[key] = (name, value)

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __setitem__(self, name: str, value: Any) -> None:
        self._fields[name.lower()] = (name, value)

    def __delitem__(self, name: str) -> None:
        del self._fields[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return repr(dict(self))


# What the engine sends by itself, so that it can be seen, replaced and deleted.
_OF_THE_ENGINE = {
    "User-Agent": "aiotest-engine",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, br, deflate",
}


class SessionHeaders(Headers):
    """The headers of all requests."""

    __slots__ = ("_session",)

    def __init__(self, session: _aiotest.Session) -> None:
        super().__init__(_OF_THE_ENGINE.items())
        self._session = session

    def __setitem__(self, name: str, value: Any) -> None:
        if value is None:
            self.pop(name, None)
            return
        text = value.decode() if isinstance(value, bytes) else str(value)
        self._session.set_header(name, text)
        super().__setitem__(name, text)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._session.remove_header(name)


class Cookies(MutableMapping[str, str]):
    """The cookies of a session: those that servers set, and those set here, which are sent
    to every server."""

    def __init__(self, session: _aiotest.Session) -> None:
        self._session = session
        self._own: dict[str, str] = {}
        # The servers that `_own` was set for; "/" is the one of the base URL.
        self._servers: set[str] = set()

    def prepare(self, url: str) -> None:
        """Before a request to this URL."""
        server = "/"
        if "://" in url:
            end = url.find("/", url.index("://") + 3)
            server = (url if end < 0 else url[:end]) + "/"
        if server not in self._servers:
            self._servers.add(server)
            for name, value in self._own.items():
                self._session.set_cookie(server, f"{name}={value}; Path=/")

    def for_request(self, url: str, more: Any) -> str:
        """The header of a request with cookies of its own."""
        cookies = dict(self._session.cookies(url))
        cookies.update(more)
        return "; ".join(f"{name}={value}" for name, value in cookies.items())

    def _all(self) -> dict[str, str]:
        cookies = dict(self._own)
        for server in (*self._servers, "/"):
            cookies.update(self._session.cookies(server))
        return cookies

    def __getitem__(self, name: str) -> str:
        return self._all()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        if name not in self._all():
            raise KeyError(name)
        self._own.pop(name, None)
        for server in (*self._servers, "/"):
            if name in dict(self._session.cookies(server)):
                self._session.set_cookie(server, f"{name}=; Path=/; Max-Age=0")

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return repr(self._all())

    def set(self, name: str, value: Any, domain: str = "", path: str = "/") -> None:
        """Sets a cookie, for one server only if there is a domain."""
        if value is None:
            self.pop(name, None)
        elif domain:
            host = domain.lstrip(".")
            text = f"{name}={value}; Domain={host}; Path={path}"
            self._session.set_cookie(f"http://{host}/", text)
        elif path != "/":
            self._session.set_cookie("/", f"{name}={value}; Path={path}")
        else:
            self._own[name] = str(value)
            for server in self._servers:
                self._session.set_cookie(server, f"{name}={value}; Path=/")

    def clear(self) -> None:
        self._own.clear()
        self._servers.clear()
        self._session.clear_cookies()

    def get_dict(self) -> dict[str, str]:
        return self._all()


class ResponseCookies(dict[str, str]):
    """The cookies that a response sets."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in fields:
            if name.lower() == "set-cookie":
                cookie, _, text = value.partition(";")[0].partition("=")
                self[cookie.strip()] = text.strip()

    def get_dict(self) -> Mapping[str, str]:
        return dict(self)
