"""The HTTP client of aiotest 1.x: `self.client` of an `HttpUser`."""

import json as _json
import re
from asyncio import CancelledError
from collections.abc import Mapping
from typing import Any, Self, Unpack

from ._engine.http import (
    Body,
    Client,
    Fields,
    LessUsual,
    Params,
    Request,
    call,
    parse_json,
    warn_insecure,
)
from ._engine.model import LeaveSet, Stopping, StopTest, StopUser
from ._engine.notice import warn_once

_NUMBER = re.compile(r"/(\d+)(?=/|$)")
_MOST_NAMES = 10_000
_LONGEST_RESPONSE = 500

# What leaves the block without saying anything of the response.
_NO_FAILURE = (CancelledError, GeneratorExit, StopUser, StopTest, Stopping, LeaveSet)

# The bodies that nobody has asked for yet.
_UNREAD: Any = object()

_names: dict[str, str] = {}


def _default_name(endpoint: str) -> str:
    """`/users/123?all=1` counts as `users/{id}`."""
    path = endpoint.partition("?")[0]
    path = path.lstrip("/") or "/"
    numbers = len(_NUMBER.findall(path))
    if numbers == 1:
        path = _NUMBER.sub("/{id}", path)
    elif numbers:
        indices = iter(range(numbers))
        path = _NUMBER.sub(lambda _: f"/{{id{next(indices)}}}", path)
    if len(_names) >= _MOST_NAMES:
        _names.clear()
    _names[endpoint] = path
    return path


class ResponseContextManager(Request):
    """A request of `HTTPClient` and its response.

    ```python
    async with self.client.get("/cart") as response:
        assert response.status == 200
    ```

    The request fails when the block raises, and not because of its status.
    """

    _data: Any = _UNREAD

    async def json(self) -> Any:
        """The body: what its JSON says, or its text if it is none."""
        return self._read()

    async def text(self) -> Any:
        """The same as `json`, as aiotest has it."""
        return self._read()

    def _read(self) -> Any:
        if self._data is _UNREAD:
            text = self.content().decode("utf-8", "replace")
            try:
                self._data = parse_json(text)
            except ValueError:
                self._data = text
        return self._data

    async def __aexit__(self, kind, error, traceback) -> None:
        # A success is counted when it is gone: until then its body may be asked for.
        if error is None or isinstance(error, _NO_FAILURE):
            if not self._marked:
                self._response.success()
        else:
            text = str(error).strip() or f"{kind.__name__} occurred"
            self._response.fail_task(f"{text} | Response: {self._shown()}")
            self._close()

    def _shown(self) -> str:
        data = self._read()
        shown = _json.dumps(data, ensure_ascii=False) if isinstance(data, dict) else str(data)
        if len(shown) > _LONGEST_RESPONSE:
            return shown[:_LONGEST_RESPONSE] + "..."
        return shown


# Whole signatures, and no way through `request`: every request passes here.


def _fetch(verb: str, follows: bool = True):
    def fetch(
        self: "HTTPClient",
        endpoint: str,
        params: Params | None = None,
        *,
        name: str | None = None,
        data: Body | None = None,
        json: Any = None,
        headers: Fields | None = None,
        timeout: Any = None,
        allow_redirects: bool = follows,
        **more: Unpack[LessUsual],
    ) -> ResponseContextManager:
        if name is None:
            name = _names.get(endpoint) or _default_name(endpoint)
        parts = call(
            self, verb, endpoint, name, params, data, json, headers, timeout, allow_redirects, more
        )
        return ResponseContextManager(self, parts)

    return fetch


def _submit(verb: str):
    def submit(
        self: "HTTPClient",
        endpoint: str,
        data: Body | None = None,
        *,
        name: str | None = None,
        params: Params | None = None,
        json: Any = None,
        headers: Fields | None = None,
        timeout: Any = None,
        allow_redirects: bool = True,
        **more: Unpack[LessUsual],
    ) -> ResponseContextManager:
        if name is None:
            name = _names.get(endpoint) or _default_name(endpoint)
        parts = call(
            self, verb, endpoint, name, params, data, json, headers, timeout, allow_redirects, more
        )
        return ResponseContextManager(self, parts)

    return submit


class HTTPClient(Client):
    """Sends requests below `base_url`, over connections and with cookies of its own."""

    def __init__(
        self,
        base_url: str = "",
        default_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        verify_ssl: bool = True,
    ):
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "Accept-Language": "zh-CN,zh;q=0.9",
        }
        own = {name.lower() for name in default_headers or ()}
        headers = {name: value for name, value in headers.items() if name.lower() not in own}
        if not verify_ssl:
            warn_insecure("verify_ssl")
        self.base_url = base_url
        # aiotest counts tries; each one is a request of its own in the results.
        retries = max(max_retries - 1, 0) if max_retries is not None else None
        super().__init__(base_url, headers | dict(default_headers or ()), timeout, retries)

    def request(
        self, method: str, endpoint: str, name: str | None = None, **options: Any
    ) -> ResponseContextManager:
        """A request, counted under `name`, or else under its path."""
        return _fetch(method)(self, endpoint, name=name, **options)

    get = _fetch("GET")
    head = _fetch("HEAD", follows=False)
    options = _fetch("OPTIONS")
    delete = _fetch("DELETE")
    post = _submit("POST")
    put = _submit("PUT")
    patch = _submit("PATCH")

    async def close(self) -> None:
        """Closes its connections."""
        self.close_session()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind, error, traceback) -> None:
        self.close_session()


def configure_connector(
    limit: int | None = None,
    limit_per_host: int | None = None,
    force_close: bool | None = None,
    enable_cleanup_closed: bool | None = None,
    family: int | None = None,
    verify_ssl: bool | None = None,
) -> None:
    """Accepted, and without effect: connections are the engine's, each user has its own."""
    if verify_ssl is False:
        warn_insecure("verify_ssl")
    given = (limit, limit_per_host, force_close, enable_cleanup_closed, family)
    if any(value is not None for value in given):
        warn_once(
            "configure_connector has no effect: every user has connections of its own, as many "
            "as it has requests at a time"
        )
