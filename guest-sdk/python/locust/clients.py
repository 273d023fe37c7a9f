"""The HTTP client of locust's users, with the interface of requests. The engine sends, waits
and measures."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypedDict, Unpack

import _aiotest
from aiotest._engine.http import json_text
from aiotest._engine.model import Stopping
from aiotest._engine.notice import warn_once

from . import _encoding, _sandbox
from ._headers import Cookies, SessionHeaders
from ._response import ResponseContextManager, path_of
from .event import events
from .exception import ConnectionError, HTTPError, LocustError, RequestException

__all__ = [
    "ConnectionError",
    "HTTPError",
    "HttpSession",
    "RequestException",
    "ResponseContextManager",
]

_NO_HEADERS: list[tuple[str, str]] = []
# As many as requests follows.
_REDIRECTS = 30
# The engine's limit is 256 bytes.
_LONGEST_NAME = 256
_ABSOLUTE = ("http://", "https://")


class RareOptions(TypedDict, total=False):
    """What few requests have."""

    cookies: Mapping[str, str] | None
    auth: tuple[str | bytes, str | bytes] | None
    timeout: float | tuple[float | None, float | None] | None
    allow_redirects: bool
    stream: bool | None
    verify: bool | str | None
    proxies: None
    cert: None
    hooks: None


class RequestOptions(RareOptions, total=False):
    """What every request may have."""

    name: str | None
    catch_response: bool
    context: Mapping[str, Any] | None
    params: Any
    headers: Mapping[str, Any] | None
    files: Any


class HttpSession:
    """Sends requests of one user, with the host's connections and cookies of its own."""

    _response: type[ResponseContextManager] = ResponseContextManager
    _json_types = [("Content-Type", "application/json")]

    def __init__(
        self,
        base_url: str | None = None,
        request_event: Any = None,
        user: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        redirects: int = _REDIRECTS,
        retries: int | None = None,
    ) -> None:
        if request_event is not None and request_event is not events.request:
            raise LocustError("requests are always told to events.request")
        self.user = user
        self.request_name: str | None = None
        """A name for the requests that have none."""
        self._session = _aiotest.Session(
            _sandbox.user,
            base_url,
            list(headers.items()) if headers else [],
            True,
            timeout,
            redirects,
            retries,
        )
        self._base_url = base_url
        # A base URL that was set later.
        self._prefix: str | None = None
        self._headers: SessionHeaders | None = None
        self._cookies: Cookies | None = None
        self._auth: Any = None
        self._verify: Any = True

    # Settings of all requests.

    @property
    def base_url(self) -> str | None:
        """What paths are appended to."""
        return self._prefix or self._base_url or getattr(self.user, "host", None)

    @base_url.setter
    def base_url(self, url: str) -> None:
        self._prefix = url

    @property
    def headers(self) -> SessionHeaders:
        if self._headers is None:
            self._headers = SessionHeaders(self._session)
        return self._headers

    @headers.setter
    def headers(self, headers: Mapping[str, str]) -> None:
        fields = dict(headers)
        self.headers.clear()
        self.headers.update(fields)

    @property
    def cookies(self) -> Cookies:
        if self._cookies is None:
            self._cookies = Cookies(self._session)
        return self._cookies

    @cookies.setter
    def cookies(self, cookies: Mapping[str, str]) -> None:
        fields = dict(cookies)
        self.cookies.clear()
        self.cookies.update(fields)

    @property
    def auth(self) -> Any:
        """User name and password."""
        return self._auth

    @auth.setter
    def auth(self, auth: Any) -> None:
        self._auth = auth
        self.headers["Authorization"] = None if auth is None else _encoding.basic_auth(auth)

    @property
    def verify(self) -> Any:
        return self._verify

    @verify.setter
    def verify(self, verify: Any) -> None:
        self._verify = verify
        _check_verify(verify)

    @contextmanager
    def rename_request(self, name: str) -> Iterator[None]:
        """Within the with-block, requests without a name have this one."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None

    # Requests.

    def get(
        self, url: str, *, data: Any = None, json: Any = None, **options: Unpack[RequestOptions]
    ) -> ResponseContextManager:
        return self.request("GET", url, data=data, json=json, **options)

    def options(
        self, url: str, *, data: Any = None, json: Any = None, **options: Unpack[RequestOptions]
    ) -> ResponseContextManager:
        return self.request("OPTIONS", url, data=data, json=json, **options)

    def head(
        self, url: str, *, data: Any = None, json: Any = None, **options: Unpack[RequestOptions]
    ) -> ResponseContextManager:
        """Follows no redirects unless told to."""
        options.setdefault("allow_redirects", False)
        return self.request("HEAD", url, data=data, json=json, **options)

    def post(
        self, url: str, data: Any = None, json: Any = None, **options: Unpack[RequestOptions]
    ) -> ResponseContextManager:
        return self.request("POST", url, data=data, json=json, **options)

    def put(
        self, url: str, data: Any = None, *, json: Any = None, **options: Unpack[RequestOptions]
    ) -> ResponseContextManager:
        return self.request("PUT", url, data=data, json=json, **options)

    def patch(
        self, url: str, data: Any = None, *, json: Any = None, **options: Unpack[RequestOptions]
    ) -> ResponseContextManager:
        return self.request("PATCH", url, data=data, json=json, **options)

    def delete(
        self, url: str, *, data: Any = None, json: Any = None, **options: Unpack[RequestOptions]
    ) -> ResponseContextManager:
        return self.request("DELETE", url, data=data, json=json, **options)

    def request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        catch_response: bool = False,
        context: Mapping[str, Any] | None = None,
        *,
        data: Any = None,
        json: Any = None,
        params: Any = None,
        headers: Mapping[str, Any] | None = None,
        files: Any = None,
        **rare: Unpack[RareOptions],
    ) -> ResponseContextManager:
        """Sends a request. What goes wrong is a response with status 0 and an `error`.

        `name` is what it is counted under, in the place of the URL's path. `context` is for
        listeners of events.request, who are not told of it here.
        """
        if params:
            url = _encoding.with_query(url, params)
        name = name or self.request_name or self._default_name(url)
        if len(name) > 64:
            name = name.encode()[:_LONGEST_NAME].decode(errors="ignore")
        if self._prefix is not None and not url.startswith(_ABSOLUTE):
            url = self._prefix + url
        lines = _lines(headers) if headers else _NO_HEADERS
        body: _encoding.Body | None = None
        kind: str | None
        if json is not None and not data and not files:
            body = json_text(json)
            lines = _with_types(lines, self._json_types)
        elif files:
            body, kind = _encoding.multipart(files, data)
            lines = [*lines, ("Content-Type", kind)]
        elif data:
            body, kind = _encoding.body(data)
            if kind is not None:
                lines = _with_types(lines, [("Content-Type", kind)])
        if self._cookies is not None:
            self._cookies.prepare(url)
        timeout = redirects = None
        if rare:
            lines, timeout, redirects = self._rare(url, lines, **rare)
        raw = error = None
        try:
            raw = self._session.send(method, url, name, lines, body, timeout, redirects, None)
        except _aiotest.HttpError as cause:
            if cause.kind == "interrupted":
                raise Stopping from None
            error = ConnectionError(str(cause), cause.kind)
        response = self._response(raw, method, url, lines, body, name, catch_response)
        if error is None:
            _sandbox.hold(response)
        else:
            response._fail(error)
        return response

    def _rare(
        self,
        url: str,
        lines: list[tuple[str, str]],
        *,
        cookies: Mapping[str, str] | None = None,
        auth: Any = None,
        timeout: float | tuple[float | None, float | None] | None = None,
        allow_redirects: bool = True,
        stream: bool | None = None,
        verify: Any = None,
        proxies: Any = None,
        cert: Any = None,
        hooks: Any = None,
    ) -> tuple[list[tuple[str, str]], float | None, int | None]:
        """Headers, time limit and redirects with what few requests have. With `stream` the
        body is read beforehand as well."""
        if cookies:
            lines = [*lines, ("Cookie", self.cookies.for_request(url, cookies))]
        if auth is not None:
            lines = [*lines, ("Authorization", _encoding.basic_auth(auth))]
        if isinstance(timeout, tuple):
            # To connect, and to answer: the engine's limit is for both.
            timeout = sum(part for part in timeout if part is not None) or None
        if verify is not None:
            _check_verify(verify)
        if proxies or cert or hooks:
            raise LocustError("requests have no proxies, cert or hooks here")
        return lines, timeout, None if allow_redirects else 0

    def _default_name(self, url: str) -> str:
        """As locust does, with the query."""
        return path_of(url)


def _lines(headers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers as text."""
    lines = list(headers.items())
    for _, value in lines:
        if type(value) is not str:
            return [(name, _header_text(name, value)) for name, value in lines]
    return lines


def _header_text(name: str, value: Any) -> str:
    if value is None:
        text = f"the header {name} is None: take it out of self.client.headers instead"
        raise LocustError(text)
    return value.decode() if isinstance(value, bytes) else str(value)


def _with_types(
    lines: list[tuple[str, str]], types: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    """The headers with those that are not there yet."""
    if not lines:
        return types
    there = [name.lower() for name, _ in lines]
    return [*lines, *(field for field in types if field[0].lower() not in there)]


def _check_verify(verify: Any) -> None:
    """Whether certificates are checked is the run's to say."""
    if isinstance(verify, str):
        raise LocustError("verify is True or False here; the system's certificates are trusted")
    if not verify:
        warn_once("verify=False has no effect: start the engine with --insecure")
