"""A response with the interface of requests. It is read from the engine as it is looked at."""

import json as _json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Literal, Self

import _aiotest
from aiotest._engine.http import parse_json

from ._headers import Headers, ResponseCookies
from .exception import (
    CONTROL,
    CatchResponseError,
    HTTPError,
    LocustError,
    RequestException,
    ResponseError,
)

_OUTSIDE_WITH = (
    "only the with-block of a request with catch_response=True can mark it: "
    "with self.client.get(..., catch_response=True) as response: ..."
)

_ABSOLUTE = ("http://", "https://")


def path_of(url: str) -> str:
    """Path and query."""
    if url.startswith(_ABSOLUTE):
        start = url.find("/", 8)
        url = url[start:] if start > 0 else "/"
    return url or "/"


class PreparedRequest:
    """What was sent."""

    def __init__(self, method: str, url: str, headers: Any, body: Any) -> None:
        self.method = method
        self.url = url
        self.headers = Headers(headers)
        self.body = body

    @property
    def path_url(self) -> str:
        return path_of(self.url)


class ResponseContextManager:
    """A response. With `catch_response=True` it is a context manager, which decides at its end
    whether the request succeeded."""

    error: RequestException | None = None
    """Why there is no response."""
    history: tuple = ()
    """Always empty: the engine follows redirects, and counts each as a request."""
    js: Any = None
    """The parsed body, in the with-block of `rest`."""
    _raw: Any = None
    _status = 0
    _content: bytes | None = None
    _mark: Literal[True] | Exception | None = None
    _entered = False

    def __init__(
        self,
        raw: _aiotest.Response | None,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: Any,
        name: str,
        catch_response: bool,
    ) -> None:
        self._raw = raw
        self._sent = (method, url, headers, body)
        self._name = name
        self._catch = self._undecided = catch_response

    # What the engine knows, read when it is wanted, or at last when the response is let go of.

    @property
    def status_code(self) -> int:
        """0 without a response."""
        raw = self._raw
        return raw.status if raw is not None else self._status

    @property
    def content(self) -> bytes | None:
        """The body; nothing without a response."""
        content = self._content
        if content is None and self._raw is not None:
            content = self._content = self._raw.body()
        return content

    @cached_property
    def _fields(self) -> list[tuple[str, str]]:
        return self._raw.headers()

    @cached_property
    def url(self) -> str:
        """Where the response came from, after redirects."""
        return self._raw.url

    @cached_property
    def _timings(self) -> tuple[float, ...]:
        return self._raw.timings()

    def _let_go(self) -> None:
        """Has it counted now, and keeps what may be asked of it later."""
        raw = self._raw
        if raw is not None:
            _ = self.content, self._fields, self.url, self._timings
            self._status = raw.status
            self._raw = None
            self._undecided = False
            raw.close()

    def _fail(self, error: RequestException) -> None:
        """There is no response; the engine has counted that."""
        self.error = error
        self._fields = []
        self.url = self._sent[1]
        self._timings = (0.0,) * 7

    # What is made of it.

    @cached_property
    def headers(self) -> Headers:
        return Headers(self._fields)

    @cached_property
    def cookies(self) -> ResponseCookies:
        return ResponseCookies(self._fields)

    @cached_property
    def request(self) -> PreparedRequest:
        return PreparedRequest(*self._sent)

    @cached_property
    def elapsed(self) -> timedelta:
        """Until the headers had come."""
        *until_headers, _body, _total = self._timings
        return timedelta(seconds=sum(until_headers))

    @cached_property
    def encoding(self) -> str | None:
        """What the content type says, else UTF-8. Set it to read `text` otherwise."""
        for part in self.headers.get("content-type", "").split(";")[1:]:
            key, _, value = part.partition("=")
            if key.strip().lower() == "charset":
                return value.strip().strip("\"'")
        return "utf-8"

    @property
    def apparent_encoding(self) -> str:
        return "utf-8"

    @property
    def text(self) -> str:
        content = self.content
        if not content:
            return ""
        try:
            return content.decode(self.encoding or "utf-8", "replace")
        except LookupError:
            return content.decode("utf-8", "replace")

    def json(self, **options: Any) -> Any:
        content = self.content
        if content is None:
            raise _json.JSONDecodeError(f"there is no response: {self.error}", "", 0)
        if options:
            return _json.loads(content, **options)
        try:
            return parse_json(content.decode())
        except UnicodeDecodeError:
            return _json.loads(content)

    @property
    def ok(self) -> bool:
        return self.error is None and self.status_code < 400

    def __bool__(self) -> bool:
        return self.ok

    @property
    def reason(self) -> str:
        try:
            return HTTPStatus(self.status_code).phrase
        except ValueError:
            return ""

    @property
    def is_redirect(self) -> bool:
        return self.status_code in (301, 302, 303, 307, 308) and "location" in self.headers

    def iter_content(self, chunk_size: int = 1, decode_unicode: bool = False) -> Iterator[Any]:
        """The body in pieces. It is here already, also with `stream=True`."""
        content: Any = self.text if decode_unicode else self.content or b""
        for start in range(0, len(content), chunk_size or len(content)):
            yield content[start : start + chunk_size]

    def iter_lines(self, decode_unicode: bool = False, **_: Any) -> Iterator[Any]:
        yield from (self.text if decode_unicode else self.content or b"").splitlines()

    def close(self) -> None:
        """Nothing is left open."""

    def raise_for_status(self) -> None:
        """Raises what makes the request a failure."""
        if isinstance(self._mark, Exception):
            raise self._mark
        if self._mark is None:
            if self.error is not None:
                raise self.error
            if self.status_code >= 400:
                whose = "Client" if self.status_code < 500 else "Server"
                text = f"{self.status_code} {whose} Error: {self.reason} for url: {self.url}"
                raise HTTPError(text, response=self)

    @property
    def request_meta(self) -> Mapping[str, Any]:
        """What locust would report. It can be read only: the request has its name before."""
        try:
            self.raise_for_status()
            exception = None
        except Exception as error:
            exception = error
        return MappingProxyType(
            {
                "request_type": self._sent[0],
                "name": self._name,
                "url": self.url,
                "response": self,
                "response_time": self._timings[-1] * 1000,
                "response_length": len(self.content or b""),
                "context": {},
                "exception": exception,
            }
        )

    # The with-block.

    def __enter__(self) -> Self:
        if not self._catch:
            raise LocustError("a with-block needs catch_response=True in the request")
        self._entered = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: Any, _: Any) -> bool:
        self._undecided = False
        mark, raw = self._mark, self._raw
        handled = kind is None
        if mark is None and kind is not None and not issubclass(kind, CONTROL):
            mark = error
            handled = issubclass(kind, ResponseError)
        if raw is not None:
            if mark is True:
                raw.success()
            elif mark is not None:
                raw.failure(_reason(mark))
        return handled

    def success(self) -> None:
        """Counts the request as a success, whatever its status."""
        if not self._entered:
            raise LocustError(_OUTSIDE_WITH)
        self._mark = True

    def failure(self, exc: Exception | str) -> None:
        """Counts the request as a failure for this reason."""
        if not self._entered:
            raise LocustError(_OUTSIDE_WITH)
        self._mark = exc if isinstance(exc, Exception) else CatchResponseError(exc)


def _reason(mark: BaseException) -> str:
    if isinstance(mark, (CatchResponseError, ResponseError)):
        return str(mark)
    return f"{type(mark).__name__}: {mark}".removesuffix(": ")
