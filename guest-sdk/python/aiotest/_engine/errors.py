"""Errors of requests by the names that aiohttp gives them, so that scripts catch what they know."""

from collections.abc import Mapping


class ClientError(Exception):
    """A request came to nothing."""


class ClientConnectionError(ClientError):
    """The connection failed."""


class ClientOSError(ClientConnectionError, OSError):
    """The connection failed below HTTP."""


class ClientConnectorError(ClientOSError):
    """The connection could not be made."""


class ClientConnectorDNSError(ClientConnectorError):
    """The host's name has no address."""


class ClientSSLError(ClientConnectorError):
    """The TLS handshake failed, or the certificate was not accepted."""


class ServerConnectionError(ClientConnectionError):
    """The server ended the connection."""


class ServerDisconnectedError(ServerConnectionError):
    """The server closed the connection in mid-exchange."""


class ServerTimeoutError(ServerConnectionError, TimeoutError):
    """The time limit passed."""


class ClientPayloadError(ClientError):
    """The body could not be read."""


class InvalidURL(ClientError, ValueError):
    """The request itself is not valid."""


class ClientResponseError(ClientError):
    """There is a response, and it is not a good one."""

    def __init__(self, message: str, status: int = 0, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.message = message
        self.status = status
        self.headers = headers


class ContentTypeError(ClientResponseError):
    """The body is not JSON."""


class TooManyRedirects(ClientResponseError):
    """The server redirected too often."""


_BY_KIND: dict[str, type[ClientError]] = {
    "dns": ClientConnectorDNSError,
    "connect-refused": ClientConnectorError,
    "connect-timeout": ServerTimeoutError,
    "connect": ClientConnectorError,
    "tls": ClientSSLError,
    "reset": ServerDisconnectedError,
    "timeout": ServerTimeoutError,
    "protocol": ClientPayloadError,
    "too-large": ClientPayloadError,
    "too-many-redirects": TooManyRedirects,
    "decode": ClientPayloadError,
    "invalid-request": InvalidURL,
}


def error_for(kind: str, message: str) -> ClientError:
    """The engine's error by aiohttp's name."""
    return _BY_KIND.get(kind, ClientError)(message)
