"""The client of FastHttpUser. It is as fast as that of HttpUser; what differs is details of its
interface."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .._headers import Cookies
from .._response import ResponseContextManager as _Response
from ..clients import HttpSession
from ..exception import HTTPError as LocustBadStatusCode
from ..exception import LocustError
from ..user.users import RestMixin, User

if TYPE_CHECKING:
    from ..env import Environment

__all__ = [
    "FastHttpSession",
    "FastHttpUser",
    "FastResponse",
    "LocustBadStatusCode",
    "ResponseContextManager",
    "RestResponseContextManager",
]


class FastResponse(_Response):
    """A response."""

    @property
    def text(self) -> str | None:  # type: ignore[override]
        return None if self.content is None else super().text


ResponseContextManager = FastResponse
RestResponseContextManager = FastResponse


class FastHttpSession(HttpSession):
    """Sends requests of one user."""

    _response = FastResponse
    _json_types = [("Content-Type", "application/json"), ("Accept", "application/json")]

    def __init__(
        self,
        base_url: str | None = None,
        request_event: Any = None,
        user: Any = None,
        insecure: bool = True,
        *,
        headers: Mapping[str, str] | None = None,
        network_timeout: float = 60.0,
        connection_timeout: float = 60.0,
        max_redirects: int = 30,
        max_retries: int = 0,
        concurrency: int = 10,
    ) -> None:
        super().__init__(
            base_url,
            request_event,
            user,
            headers=headers,
            timeout=network_timeout,
            redirects=max_redirects,
            retries=max_retries,
        )

    @property
    def cookiejar(self) -> Cookies:
        return self.cookies

    def iter_lines(self, url: str, method: str = "GET", **options: Any) -> Iterator[str]:
        """The lines of a response."""
        response = self.request(method, url, **options)
        response.raise_for_status()
        yield from response.iter_lines(decode_unicode=True)

    def _default_name(self, url: str) -> str:
        """The URL as it is written."""
        return url or "/"


class FastHttpUser(RestMixin, User):
    """A user with an HTTP `client`."""

    abstract = True

    network_timeout: float = 60.0
    """Limit for a request, in seconds."""
    connection_timeout: float = 60.0
    """Part of network_timeout here."""
    max_redirects: int = 30
    max_retries: int = 0
    """Further tries, each counted as a request."""
    insecure: bool = True
    """Without effect: --insecure says so for the run."""
    default_headers: Mapping[str, str] | None = None
    """Sent with every request."""
    concurrency: int = 10
    """Without effect: a user sends one request at a time."""
    proxy_host: None = None
    proxy_port: None = None
    client_pool: None = None
    ssl_context_factory: None = None

    client: FastHttpSession
    """Sends requests, and keeps cookies and headers."""

    def __init__(self, environment: "Environment") -> None:
        super().__init__(environment)
        for name in ("proxy_host", "proxy_port", "client_pool", "ssl_context_factory"):
            if getattr(self, name) is not None:
                raise LocustError(f"{name}: connections are the engine's")
        # The class's host is told to the engine, which knows whether --host replaces it.
        own = self.__dict__.get("host")
        self.client = FastHttpSession(
            own,
            self.environment.events.request,
            self,
            headers=self.default_headers,
            network_timeout=self.network_timeout,
            max_redirects=self.max_redirects,
            max_retries=self.max_retries,
        )
