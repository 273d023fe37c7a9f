"""Requests over the engine's sessions, for both generations of aiotest: how a call becomes a
request, the response while it is open, and the errors, named as aiohttp names them.
"""

import io
from asyncio import CancelledError, Future, get_running_loop
from base64 import b64encode
from collections.abc import Iterable, Mapping
from json import JSONDecoder, loads
from json.encoder import JSONEncoder, c_make_encoder, encode_basestring_ascii
from typing import Any, Self, TypedDict
from urllib.parse import urlencode

import _aiotest
from _aiotest import HttpError, cancel

from . import members
from .errors import error_for
from .forms import FormData
from .model import Stopping
from .notice import warn_once

type Params = Mapping[str, Any] | Iterable[tuple[str, Any]] | str
type Fields = Mapping[str, str] | Iterable[tuple[str, str]]
type Body = str | bytes | Mapping[str, Any] | Iterable[tuple[str, Any]] | FormData | io.IOBase

_NO_FIELDS: list[tuple[str, str]] = []
_JSON_FIELDS = [("Content-Type", "application/json")]

# As `json.dumps`, without making an encoder each time. It does not look for cycles: those
# end in a RecursionError.
_chunks = c_make_encoder(
    None, JSONEncoder().default, encode_basestring_ascii, None, ": ", ", ", False, False, True
)
_scan = JSONDecoder().scan_once


def json_text(value: Any) -> str:
    return "".join(_chunks(value, 0))


def parse_json(text: str) -> Any:
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        end = -1
    # Blanks around it, or an error that wants a full message.
    return value if end == len(text) else loads(text)


class _Opened:
    """An attribute of a client that is there once its session is."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, client, owner=None):
        if client is None:
            return self
        client.open()
        return client.__dict__[self.name]


class Client:
    """What requests of either generation need: a session, opened by the first of them."""

    session = _Opened()
    loop = _Opened()
    member = _Opened()

    def __init__(
        self,
        base_url: str | None,
        headers: Mapping[str, str],
        timeout: float | None,
        retries: int | None,
    ):
        self._options = base_url or None, headers, timeout, retries

    def is_open(self) -> bool:
        return "session" in self.__dict__

    def open(self) -> None:
        base_url, headers, timeout, retries = self._options
        # The first to use it is whose session it is.
        user = members.current_id()
        fields = list(headers.items())
        session = _aiotest.Session(user, base_url, fields, timeout=timeout, retries=retries)
        self.__dict__.update(
            session=session, loop=get_running_loop(), member=members.current() or _NOBODY
        )

    def unknown_argument(self, name: str) -> None:
        """A request was given an argument that does not exist."""
        raise TypeError(f"a request has no argument '{name}'")

    def close_session(self) -> None:
        """Closes its connections; another request opens new ones."""
        for name in ("session", "loop", "member"):
            self.__dict__.pop(name, None)


class _Nobody:
    """Whose requests those of the hooks are."""

    cut = False


_NOBODY = _Nobody()


class Request:
    """A request to be sent, and its response when it is there: `async with` or `await` it."""

    # Few requests have all of these, so that setting them takes more than finding them here.
    _response: _aiotest.Response | None = None
    _marked = False
    _bytes: bytes | None = None
    _headers: "Headers | None" = None
    _url: str | None = None

    def __init__(self, client: Client, call: tuple):
        self._client = client
        # What `Session.start` takes after the future.
        self._call = call

    async def _send(self) -> Self:
        client = self._client
        if client.member.cut:
            client.member.cut = False
            raise CancelledError
        future = Future(loop=client.loop)
        try:
            ticket = client.session.start(future, *self._call)
        except TypeError as error:
            raise _explained(error, self._call) from None
        try:
            self._response = await future
        except CancelledError:
            cancel(ticket)
            raise
        except HttpError as error:
            if error.kind == "interrupted":
                raise Stopping(str(error)) from None
            raise error_for(error.kind, str(error)) from None
        return self

    __aenter__ = _send

    def __await__(self):
        return self._send().__await__()

    def _open(self):
        if self._response is None:
            raise RuntimeError("there is no response before `async with` or `await`")
        return self._response

    @property
    def status(self) -> int:
        """The status code."""
        return self._open().status

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self._open().status < 400

    @property
    def url(self) -> str:
        """Where the response came from, after redirects."""
        if self._url is None:
            self._url = self._open().url
        return self._url

    @property
    def method(self) -> str:
        return self._call[0]

    @property
    def headers(self) -> "Headers":
        """The headers of the response; their names are found in any case."""
        if self._headers is None:
            self._headers = Headers(self._open().headers())
        return self._headers

    async def read(self) -> bytes:
        """The body as it came."""
        return self.content()

    def content(self) -> bytes:
        if self._bytes is None:
            self._bytes = self._open().body()
        return self._bytes

    def _close(self) -> None:
        """Has it counted as it is marked now; what it says can still be asked for."""
        self.content()
        self._url, self._headers = self.url, self.headers
        self._open().close()

    def success(self) -> None:
        """Counts it as a success, whatever its status."""
        self._marked = True
        self._open().success()

    def failure(self, exc: BaseException | str) -> None:
        """Counts it as a failure, whatever its status."""
        self._marked = True
        self._open().failure(str(exc) or type(exc).__name__)


members.sending.add(Request._send.__code__)


class Headers(dict[str, str]):
    """Headers by their names in any case; of several with one name, the first."""

    def __init__(self, fields: list[tuple[str, str]]):
        self._fields = [(name.lower(), value) for name, value in fields]
        super().__init__(reversed(self._fields))

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default=None):
        return super().get(name.lower(), default)

    def getall(self, name: str, default=None) -> list[str]:
        """All values of that name."""
        name = name.lower()
        return [value for field, value in self._fields if field == name] or default or []


class LessUsual(TypedDict, total=False):
    """What only few requests have."""

    max_redirects: int
    cookies: Mapping[str, str]
    auth: tuple[str, str]
    ssl: Any
    verify_ssl: bool


def call(
    client: Client,
    method: str,
    url: str,
    name: str | None,
    params: Params | None,
    data: Body | None,
    json: Any,
    headers: Fields | None,
    timeout: Any,
    allow_redirects: bool,
    more: Mapping[str, Any],
) -> tuple:
    """The arguments of `Session.start` for a request as scripts describe it."""
    if headers is None:
        fields = _NO_FIELDS
    else:
        # Nearly always a dict, and the check for a mapping takes time.
        pairs = type(headers) is dict or isinstance(headers, Mapping)
        fields = list(headers.items() if pairs else headers)
    body = None
    if json is not None:
        if data is not None:
            raise ValueError("data and json cannot be given at the same time")
        body = json_text(json)
        if headers is None:
            fields = _JSON_FIELDS
        elif not _has_type(fields):
            fields.append(_JSON_FIELDS[0])
    elif data is not None:
        body, kind = _encoded(data)
        if kind is not None and not _has_type(fields):
            fields = [*fields, ("Content-Type", kind)]
    if params:
        query = params if isinstance(params, str) else _query(params)
        url = f"{url}{'&' if '?' in url else '?'}{query}"
    if timeout is not None and not isinstance(timeout, int | float):
        timeout = timeout.total
    redirects = None if allow_redirects else 0
    if more:
        fields, redirects = _less_usual(client, url, fields, redirects, dict(more))
    return method, url, name, fields, body, timeout, redirects, None


def _has_type(fields: list[tuple[str, str]]) -> bool:
    for name, _ in fields:
        if name.lower() == "content-type":
            return True
    return False


def _query(params: Params) -> str:
    pairs = params.items() if isinstance(params, Mapping) else params
    pairs = list(pairs)
    for name, value in pairs:
        if value is None or isinstance(value, bool):
            text = f"params: {name} is {value!r}, which has no text of its own; give a str"
            raise TypeError(text)
    return urlencode(pairs, doseq=True)


def _encoded(data: Body) -> tuple[str | bytes, str | None]:
    """The body and its content type."""
    if isinstance(data, str):
        return data, "text/plain; charset=utf-8"
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data), "application/octet-stream"
    if isinstance(data, io.IOBase):
        content = data.read()
        return content, "application/octet-stream"
    form = data if isinstance(data, FormData) else FormData(data)
    return form.encoded()


def basic_auth(auth: tuple[str, str]) -> str:
    text = f"{auth[0]}:{auth[1]}".encode()
    return f"Basic {b64encode(text).decode()}"


def _less_usual(
    client: Client,
    url: str,
    fields: list[tuple[str, str]],
    redirects: int | None,
    others: dict[str, Any],
) -> tuple[list[tuple[str, str]], int | None]:
    """What aiohttp knows beside what nearly all requests have."""
    max_redirects = others.pop("max_redirects", None)
    if max_redirects is not None and redirects is None:
        redirects = max_redirects
    auth = others.pop("auth", None)
    if auth is not None:
        fields = [*fields, ("Authorization", basic_auth(auth))]
    cookies = others.pop("cookies", None)
    if cookies:
        # A header replaces what the jar has, so that goes along.
        jar = dict(client.session.cookies(url)) | dict(cookies)
        text = "; ".join(f"{name}={value}" for name, value in jar.items())
        fields = [*fields, ("Cookie", text)]
    for name in ("ssl", "verify_ssl"):
        if others.pop(name, None) is False:
            warn_insecure(name)
    for name, value in others.items():
        if name not in _ELSEWHERE:
            client.unknown_argument(name)
        elif value is not None and value is not False:
            raise TypeError(f"{name} cannot be had here: {_ELSEWHERE[name]}")
    return fields, redirects


def warn_insecure(name: str) -> None:
    warn_once(f"{name}=False has no effect in a script: run with --insecure")


# What aiohttp takes and the engine decides.
_ELSEWHERE = {
    "proxy": "the engine uses no proxy",
    "proxy_auth": "the engine uses no proxy",
    "proxy_headers": "the engine uses no proxy",
    "ssl_context": "TLS is the engine's",
    "fingerprint": "TLS is the engine's",
    "server_hostname": "TLS is the engine's",
    "chunked": "bodies are sent with their length",
    "compress": "bodies are sent as they are",
    "expect100": "the engine does not wait for a 100",
    "skip_auto_headers": "give the headers a value instead",
    "read_until_eof": "the engine reads bodies",
    "read_bufsize": "the engine reads bodies",
    "auto_decompress": "the engine decompresses",
    "raise_for_status": "call the response's raise_for_status()",
    "trace_request_ctx": "there are no traces",
}


def _explained(error: TypeError, call: tuple) -> TypeError:
    """The same, naming which argument it is about."""
    url, name, fields = call[1], call[2], call[3]
    if not isinstance(url, str):
        return TypeError(f"the URL is {url!r}, not a str")
    if not isinstance(name, str | None):
        return TypeError(f"the name is {name!r}, not a str")
    for field in fields:
        for text in field:
            if not isinstance(text, str):
                return TypeError(f"header {field[0]}: {text!r} is not a str")
    return error
