"""What cannot work in a sandbox, and what to use instead."""

import threading
from collections.abc import Iterator
from typing import NoReturn

_NATIVE = "it is a native extension, and a sandbox runs Python alone"
_TLS = "TLS is the engine's: https:// URLs work with the user's client"
_SOCKETS = "it opens sockets, which a sandbox has none of: send requests with the user's client"
_THREADS = "it needs threads, which a sandbox has none of: use asyncio"
_PROCESSES = "it starts processes, which a sandbox cannot"
_SYSTEM = "it needs an operating system"
_SCREEN = "it needs a screen or a console"
_REDIS = "Redis cannot be reached from a sandbox: hand out data with --data and aiotest.engine.Feed"
_ENGINE = "it belongs to locust's own runners and reports, in whose place the engine is"
_ABSENT = (
    "it is neither beside the script (a package needs an __init__.py) nor in a --python-path folder"
)

# Modules that scripts try to import, and why they are not there.
_REASONS = {
    _NATIVE: (
        "_bz2 _ctypes _lzma bcrypt brotli Crypto cryptography cv2 ciso8601 cx_Oracle fastavro "
        "greenlet grpc h5py hiredis lxml matplotlib msgpack MySQLdb nacl numba numpy orjson "
        "pandas PIL psycopg psycopg2 pyarrow pydantic_core rapidjson regex scipy sklearn "
        "tensorflow torch ujson uvloop zstandard"
    ),
    _TLS: "_ssl OpenSSL",
    _SOCKETS: (
        "aiomysql aiopg asyncpg boto3 botocore confluent_kafka elasticsearch geventhttpclient "
        "httplib2 httpx kafka ldap3 mysql nats paho paramiko pika pycurl pymongo pymysql "
        "requests urllib3 websocket websockets zmq"
    ),
    _REDIS: "aioredis redis",
    _THREADS: "gevent eventlet",
    _ENGINE: (
        "locust.dispatch locust.html locust.log locust.main locust.opentelemetry locust.rpc "
        "locust.util locust.web locust_plugins"
    ),
    _PROCESSES: "_multiprocessing _posixsubprocess _posixshmem fabric pexpect",
    _SYSTEM: "fcntl grp mmap psutil pwd resource syslog termios winreg",
    _SCREEN: "_curses _tkinter curses playwright readline selenium tkinter turtle",
}
_REASON_OF = {name: why for why, names in _REASONS.items() for name in names.split()}


def hint(error: BaseException) -> str | None:
    """Why an import failed, if one did."""
    for cause in _chain(error):
        if not isinstance(cause, ImportError) or cause.name is None:
            continue
        name = cause.name
        absent = isinstance(cause, ModuleNotFoundError)
        if not absent and (cause.name_from or "").startswith("_"):
            # `from . import _speedups`
            name, absent = f"{name}.{cause.name_from}", True
        package, _, rest = name.partition(".")
        why = _REASON_OF.get(name) or _REASON_OF.get(package)
        if why is None and absent:
            # What a package imports from itself under such a name is seldom Python.
            is_native = rest.rpartition(".")[2].startswith("_")
            why = _NATIVE if is_native else _ABSENT
        if why is not None:
            return f"{name}: {why}"
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _no_thread(self: threading.Thread) -> NoReturn:
    raise RuntimeError("threads cannot be started in a sandbox: use asyncio.create_task")


def _no_socket(*args, **kwargs) -> NoReturn:
    raise OSError("sockets cannot be opened in a sandbox: send requests with the user's client")


def install() -> None:
    """Lets what cannot work say so where it is tried."""
    import socket

    threading.Thread.start = _no_thread
    socket.create_connection = socket.create_server = socket.getaddrinfo = _no_socket
    for name in ("connect", "connect_ex", "bind", "listen", "sendto"):
        setattr(socket.socket, name, _no_socket)
