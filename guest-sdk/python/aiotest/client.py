"""The HTTP client of aiotest 0.5: `self.session` of an `AsyncHttpUser`, with the names of
aiohttp that scripts use beside it.
"""

from asyncio import CancelledError
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from difflib import get_close_matches
from http.cookies import SimpleCookie
from inspect import signature
from typing import Any, NamedTuple, Self, Unpack

from ._engine import report
from ._engine.errors import (
    ClientConnectionError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientResponseError,
    ClientSSLError,
    ContentTypeError,
    InvalidURL,
    ServerConnectionError,
    ServerDisconnectedError,
    ServerTimeoutError,
    TooManyRedirects,
)
from ._engine.forms import FormData
from ._engine.http import (
    Body,
    Client,
    Fields,
    LessUsual,
    Params,
    Request,
    basic_auth,
    call,
    parse_json,
)
from ._engine.model import LeaveSet, Stopping, StopTest, StopUser
from ._engine.notice import warn_once

__all__ = [
    "BasicAuth",
    "ClientConnectionError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientError",
    "ClientOSError",
    "ClientPayloadError",
    "ClientResponse",
    "ClientResponseError",
    "ClientSSLError",
    "ClientSession",
    "ClientTimeout",
    "ContentTypeError",
    "CookieJar",
    "FormData",
    "InvalidURL",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerTimeoutError",
    "TooManyRedirects",
]

# aiotest 0.5 counts these as the request's failure, and the task goes on after the block.
_FAILED_REQUEST = (
    ClientResponseError,
    KeyError,
    AssertionError,
    AttributeError,
    TypeError,
    IndexError,
)


class ClientTimeout:
    """The time a request may take."""

    __slots__ = ("total",)

    def __init__(self, total: float | None = None, **parts: float | None):
        self.total = total
        for name, value in parts.items():
            if value is not None:
                warn_once(f"ClientTimeout: {name} has no effect, total is what counts")


class BasicAuth(NamedTuple):
    """A user name and a password."""

    login: str
    password: str = ""
    encoding: str = "utf-8"

    def encode(self) -> str:
        return basic_auth((self.login, self.password))


class CookieJar:
    """The cookies of a session."""

    __slots__ = ("_client",)

    def __init__(self, client: Client):
        self._client = client

    def update_cookies(self, cookies: Mapping[str, Any], response_url: Any = "/") -> None:
        """Stores cookies, as if the server had set them."""
        for name, value in cookies.items():
            text = value.OutputString() if hasattr(value, "OutputString") else f"{name}={value}"
            self._client.session.set_cookie(str(response_url), text)

    def filter_cookies(self, request_url: Any = "/") -> SimpleCookie:
        """The cookies that a request to this URL carries."""
        return SimpleCookie(dict(self._client.session.cookies(str(request_url))))

    def clear(self) -> None:
        self._client.session.clear_cookies()


class DefaultHeaders(MutableMapping[str, str]):
    """Headers that all requests of a session have; their names are found in any case."""

    __slots__ = ("_client", "_fields")

    def __init__(self, client: Client, headers: Mapping[str, str]):
        self._client = client
        # By their names in lower case.
        self._fields: dict[str, tuple[str, str]] = {}
        for name, value in headers.items():
            self._fields[name.lower()] = name, value

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __setitem__(self, name: str, value: str) -> None:
        self._fields[name.lower()] = name, value
        if self._client.is_open():
            self._client.session.set_header(name, value)

    def __delitem__(self, name: str) -> None:
        del self._fields[name.lower()]
        if self._client.is_open():
            self._client.session.remove_header(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)


class ClientResponse(Request):
    """A request of `ClientSession` and its response: `async with` or `await` it.

    It fails when its status is 400 or above, when the block raises, or when `failure` says so;
    `success` makes it one whatever its status.
    """

    async def json(
        self,
        *,
        encoding: str | None = None,
        loads: Callable[[str], Any] = parse_json,
        content_type: str | None = "application/json",
    ) -> Any:
        """What the JSON of the body says; None for an empty body."""
        text = await self.text(encoding)
        if not text.strip():
            return None
        try:
            return loads(text)
        except ValueError as error:
            kind = self._open().header("content-type") or "none"
            if content_type and "json" not in kind:
                message = f"the body is not JSON: its content type is {kind}"
                raise ContentTypeError(message, self.status, self.headers) from None
            raise error

    async def text(self, encoding: str | None = None, errors: str = "replace") -> str:
        """The body as a text."""
        return self.content().decode(encoding or "utf-8", errors)

    @property
    def content_type(self) -> str:
        """Without its parameters."""
        kind = self._open().header("content-type") or "application/octet-stream"
        return kind.partition(";")[0].strip()

    @property
    def cookies(self) -> SimpleCookie:
        """Those that this response sets."""
        cookies = SimpleCookie()
        for text in self.headers.getall("set-cookie"):
            cookies.load(text)
        return cookies

    @property
    def reason(self) -> str:
        """The usual phrase for its status."""
        from http import HTTPStatus

        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return ""

    def raise_for_status(self) -> None:
        """Raises `ClientResponseError` if the status is 400 or above."""
        if self.status >= 400:
            text = f"{self.status} {self.reason}, url={self.url!r}"
            raise ClientResponseError(text, self.status, self.headers)

    def release(self) -> None:
        """The engine reads bodies to their end; nothing is left to release."""

    close = release

    async def __aexit__(self, kind, error, traceback) -> bool:
        response = self._response
        if error is None:
            # Later errors of the task say nothing of it.
            if self._marked:
                return False
            if response.status < 400:
                response.success()
            else:
                self._close()
            return False
        if self._marked or isinstance(error, (CancelledError, GeneratorExit)):
            return False
        if isinstance(error, (StopUser, StopTest, Stopping, LeaveSet)):
            return False
        response.fail_task(report.one_line(error))
        self._close()
        return isinstance(error, _FAILED_REQUEST)


def _verb(method: str, follows: bool = True):
    def send(
        self: "ClientSession",
        url: str,
        *,
        name: str | None = None,
        params: Params | None = None,
        data: Body | None = None,
        json: Any = None,
        headers: Fields | None = None,
        timeout: Any = None,
        allow_redirects: bool = follows,
        **more: Unpack[LessUsual],
    ) -> ClientResponse:
        if type(url) is not str:
            url = _one_url(url)
        parts = call(
            self, method, url, name, params, data, json, headers, timeout, allow_redirects, more
        )
        return ClientResponse(self, parts)

    return send


class ClientSession(Client):
    """Sends requests below `base_url`, over connections and with cookies of its own."""

    def __init__(
        self,
        base_url: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: "float | ClientTimeout | None" = None,
        **others: Any,
    ):
        for name in others:
            warn_once(f"ClientSession: {name} has no effect")
        usual = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
        self.headers = DefaultHeaders(self, usual)
        self.headers.update(headers or {})
        if auth is not None:
            self.headers["Authorization"] = basic_auth(auth)
        self._cookies = cookies
        if isinstance(timeout, ClientTimeout):
            timeout = timeout.total
        super().__init__(base_url, self.headers, timeout, None)

    def open(self) -> None:
        super().open()
        if self._cookies:
            self.cookie_jar.update_cookies(self._cookies)

    def unknown_argument(self, name: str) -> None:
        known = [*signature(ClientSession.get).parameters, *LessUsual.__annotations__]
        close = get_close_matches(name, known, 1)
        meant = f": is {close[0]} meant?" if close else ""
        warn_once(f"a request's argument '{name}' has no effect{meant}")

    def request(self, method: str, url: str, **options: Any) -> ClientResponse:
        """A request, counted under `name`, or else under its path."""
        return _verb(method)(self, url, **options)

    get = _verb("GET")
    options = _verb("OPTIONS")
    head = _verb("HEAD", follows=False)
    post = _verb("POST")
    put = _verb("PUT")
    patch = _verb("PATCH")
    delete = _verb("DELETE")

    @property
    def cookie_jar(self) -> CookieJar:
        return CookieJar(self)

    @property
    def closed(self) -> bool:
        """Whether it has no connections."""
        return not self.is_open()

    async def close(self) -> None:
        """Closes its connections."""
        self.close_session()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind, error, traceback) -> None:
        self.close_session()


def _one_url(url: Any) -> str:
    """The URL of `url="/login",`, where the comma makes a tuple of it."""
    if isinstance(url, tuple) and len(url) == 1 and isinstance(url[0], str):
        warn_once(f"the URL {url!r} is a tuple: there is a comma after it")
        return url[0]
    return str(url)
