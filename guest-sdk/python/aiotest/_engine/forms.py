"""Bodies of forms: urlencoded, or multipart when there are files."""

import io
import mimetypes
import os
from collections.abc import Iterable, Mapping
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode


class FormData:
    """Fields and files to be sent, as aiohttp has it."""

    def __init__(
        self,
        fields: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        quote_fields: bool = True,
        charset: str | None = None,
    ):
        self._fields: list[tuple[str, Any, str | None, str | None]] = []
        self._is_multipart = False
        self._charset = charset or "utf-8"
        for name, value in fields.items() if isinstance(fields, Mapping) else fields:
            self.add_field(name, value)

    def add_field(
        self,
        name: str,
        value: Any,
        *,
        content_type: str | None = None,
        filename: str | None = None,
    ) -> None:
        """Adds a field; a file object or bytes make it a file."""
        if isinstance(value, io.IOBase):
            filename = filename or os.path.basename(str(getattr(value, "name", name)))
            value = value.read()
        elif isinstance(value, bytes | bytearray | memoryview):
            filename = filename or name
        elif isinstance(value, bool) or not isinstance(value, str | int | float):
            kind = type(value).__name__
            raise TypeError(f"field {name} is {value!r} ({kind}): give a str, bytes or a file")
        if filename or content_type:
            self._is_multipart = True
        self._fields.append((name, value, filename, content_type))

    def encoded(self) -> tuple[str | bytes, str]:
        """The body and its content type."""
        if self._is_multipart:
            boundary = token_hex(16)
            return self._multipart(boundary), f"multipart/form-data; boundary={boundary}"
        pairs = [(name, value) for name, value, _, _ in self._fields]
        body = urlencode(pairs, encoding=self._charset)
        return body, "application/x-www-form-urlencoded"

    def _multipart(self, boundary: str) -> bytes:
        parts = []
        for name, value, filename, kind in self._fields:
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
            if filename:
                head += f'; filename="{_quoted(filename)}"'
                kind = kind or mimetypes.guess_type(filename)[0] or "application/octet-stream"
            if kind:
                head += f"\r\nContent-Type: {kind}"
            content = bytes(value) if not isinstance(value, str | int | float) else None
            if content is None:
                content = str(value).encode(self._charset)
            parts.append(head.encode(self._charset) + b"\r\n\r\n" + content + b"\r\n")
        parts.append(f"--{boundary}--\r\n".encode())
        return b"".join(parts)


def _quoted(text: str) -> str:
    """In quotes of a header, as browsers write it."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
