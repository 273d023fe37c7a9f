"""Bodies and query strings as requests makes them. Sends nothing."""

import mimetypes
import random
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from .exception import LocustError

type Body = bytes | str


def _pairs(fields: Any) -> Iterator[tuple[Any, Any]]:
    """Names and values; a list has several, and None has none."""
    items = fields.items() if isinstance(fields, Mapping) else fields
    for name, value in items:
        if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
            value = (value,)
        for one in value:
            if one is not None:
                yield name, one


def form(fields: Any) -> str:
    return urlencode(list(_pairs(fields)))


def with_query(url: str, params: Any) -> str:
    """The URL with further parameters, which are a mapping, pairs or text."""
    query = params if isinstance(params, str) else None
    if isinstance(params, bytes):
        query = params.decode()
    if query is None:
        query = form(params)
    if not query:
        return url
    url, hash, fragment = url.partition("#")
    return f"{url}{'&' if '?' in url else '?'}{query}{hash}{fragment}"


def basic_auth(auth: Any) -> str:
    """The header for a user name and a password."""
    if not isinstance(auth, (tuple, list)) or len(auth) != 2:
        raise LocustError(f"auth is (user name, password), not {auth!r}; others go into headers")
    words = [part if isinstance(part, bytes) else str(part).encode() for part in auth]
    return "Basic " + b64encode(b":".join(words)).decode()


def body(data: Any) -> tuple[Body, str | None]:
    """The body for `data=`, and its content type if that is certain."""
    if isinstance(data, (str, bytes)):
        return data, None
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data), None
    if hasattr(data, "read"):
        return data.read(), None
    if isinstance(data, Iterator):
        parts = (part.encode() if isinstance(part, str) else part for part in data)
        return b"".join(parts), None
    if isinstance(data, Iterable):
        return form(data), "application/x-www-form-urlencoded"
    raise LocustError(f"data cannot be {type(data).__name__}; json= sends any value as JSON")


def multipart(files: Any, data: Any) -> tuple[bytes, str]:
    """The body for `files=`, with `data=` as further fields, and its content type."""
    boundary = f"{random.getrandbits(128):032x}"
    parts: list[bytes] = []

    def add(head: str, content: Any) -> None:
        content = content if isinstance(content, bytes) else str(content).encode()
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")

    if isinstance(data, (str, bytes)):
        raise LocustError("data is a mapping or a list of pairs when there are files")
    for name, value in _pairs(data or ()):
        add(f'Content-Disposition: form-data; name="{_quoted(name)}"', value)
    for name, file in files.items() if isinstance(files, Mapping) else files:
        add(*_file(name, file))
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def _file(name: str, file: Any) -> tuple[str, bytes | str]:
    """Head and content of a file: its content, or (file name, content, type, headers)."""
    headers: Mapping[str, str] = {}
    kind = None
    if isinstance(file, (tuple, list)):
        filename, content, *more = file
        if more:
            kind = more[0]
        if len(more) > 1:
            headers = more[1]
    else:
        path = getattr(file, "name", None)
        filename = path.rpartition("/")[2] if isinstance(path, str) else name
        content = file
    if hasattr(content, "read"):
        content = content.read()
    head = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    if filename is not None:
        head += f'; filename="{_quoted(filename)}"'
        kind = kind or mimetypes.guess_type(filename)[0]
    lines = [head, *(f"{key}: {value}" for key, value in headers.items())]
    if kind:
        lines.append(f"Content-Type: {kind}")
    return "\r\n".join(lines), content


def _quoted(text: Any) -> str:
    """As browsers write it."""
    return str(text).replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
