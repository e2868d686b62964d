"""The HTTP server of ``checkup serve``: GET and HEAD, with deadlines and safe headers.

The page is rendered on request. Beside it are the Go program's two routes for data:
``/index.json``, a map of run files to their times, and the run files.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BufferedReader, RawIOBase
from ipaddress import ip_address
from socketserver import TCPServer, ThreadingMixIn
from threading import Condition
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from checkup import model
from checkup.cli import output, process
from checkup.deadline import Deadline
from checkup.errors import CheckupError
from checkup.interfaces import PageFile, Storage

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


# Reading requests, within deadlines.


IDLE_TIMEOUT_SECONDS: Final = 10.0
"""An idle connection is closed after this time."""

REQUEST_TIMEOUT_SECONDS: Final = 30.0
"""Longest time to send one request: a client that sends byte by byte is cut off."""


class RequestReader(RawIOBase):
    """The input of a connection, with a deadline for each request."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.begin()

    def begin(self) -> None:
        """Start the deadline of the next request."""
        self._deadline = Deadline.after(REQUEST_TIMEOUT_SECONDS)

    def readable(self) -> bool:
        """See :meth:`io.RawIOBase.readable`."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """See :meth:`io.RawIOBase.readinto`.

        Raises:
            TimeoutError: the connection is idle, or the request takes too long.
        """
        left = self._deadline.remaining()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(min(IDLE_TIMEOUT_SECONDS, left))
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(IDLE_TIMEOUT_SECONDS)


# One response: a file, its ETag, content security policy and compression.


_MIN_GZIP_BYTES: Final = 1_000

_TEXT: Final = re.compile(r"text/|image/svg|application/(json|openmetrics|[a-z]+\+xml)")

_DEFAULT_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""For files other than pages: nothing loads and nothing runs; SVG images have styles."""

_PAGE_POLICY: Final = re.compile(rb'http-equiv="Content-Security-Policy" content="([^"]*)"')


class PageResponse(Struct, frozen=True, kw_only=True):
    """A status and a file.

    Attributes:
        is_public: scripts of other pages may read it, as those of Statuspage's API may. Stored runs
            are not: they contain what the page does not show.
    """

    status: int
    file: PageFile
    is_public: bool = False

    @property
    def etag(self) -> str:
        """The ETag; weak, because there are two encodings of the same content."""
        return f'W/"{hashlib.sha256(self.file.body).hexdigest()[:20]}"'

    @property
    def content_security_policy(self) -> str:
        """The policy of the page's ``meta`` tag, and no framing."""
        found = _PAGE_POLICY.search(self.file.body) if self._is("text/html") else None
        own = html.unescape(found[1].decode()) if found else _DEFAULT_POLICY
        return f"{own}; frame-ancestors 'none'"

    def encoded(self, accepted: str) -> tuple[bytes, str]:
        """Return the body and its Content-Encoding; empty for none.

        Args:
            accepted: the Accept-Encoding of the request.
        """
        is_text = _TEXT.match(self.file.content_type) is not None
        if is_text and len(self.file.body) >= _MIN_GZIP_BYTES and _takes_gzip(accepted):
            return _compressed(self.file.body), "gzip"
        return self.file.body, ""

    def _is(self, kind: str) -> bool:
        return self.file.content_type.startswith(kind)


def text_response(status: int, message: str = "") -> PageResponse:
    """Return a response of one line."""
    text = f"{status} {message or HTTPStatus(status).phrase}\n".encode()
    file = PageFile(body=text, content_type="text/plain; charset=utf-8", max_age=0)
    return PageResponse(status=status, file=file)


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight)
    return False


@lru_cache(maxsize=64)
def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)


# The request handler.


_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


class PageApp(BaseHTTPRequestHandler):
    """Handles the requests of one connection."""

    server: PageServer
    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT_SECONDS

    def setup(self) -> None:
        """Read with deadlines."""
        super().setup()
        self.rfile.close()
        self._incoming = RequestReader(self.connection)
        self.rfile = BufferedReader(self._incoming)

    def handle_one_request(self) -> None:
        """Start the deadline of each request."""
        self._incoming.begin()
        super().handle_one_request()

    def do_GET(self) -> None:
        """Respond with the file or an error."""
        if self._header("Transfer-Encoding") or self._header("Content-Length") not in {"", "0"}:
            # The body of a GET is not read; it must not be parsed as the next request.
            self.close_connection = True
        with self.server.answering():
            self._answer(self._reply())

    do_HEAD = do_GET  # noqa: N815 - the library looks for this name

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Respond to other methods and malformed requests with one line of text."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code = HTTPStatus.METHOD_NOT_ALLOWED
        self.close_connection = True
        self._answer(text_response(code))

    def _reply(self) -> PageResponse:
        hosts = self.headers.get_all("Host", ())
        refused = next((host for host in hosts if not self.server.hosts.allows(host)), None)
        if refused is not None:
            name = _name(refused)
            hint = f'; to allow it, use "checkup serve --host {name}"' if name else ""
            if self.server.hosts.is_new(name):
                output.log_line(f"request for the host name {name} refused{hint}")
            message = f"host name not allowed{hint}"
            return text_response(HTTPStatus.MISDIRECTED_REQUEST, message)
        try:
            path = unquote(urlsplit(self.path).path).removeprefix("/")
        except ValueError:
            return text_response(HTTPStatus.BAD_REQUEST)
        try:
            return self.server.site.respond(path)
        except CheckupError as error:
            output.log_line(str(error))
            return text_response(HTTPStatus.SERVICE_UNAVAILABLE)
        except Exception as error:  # noqa: BLE001 - one bad request must not harm the others
            process.report_internal_error(error, verbose=self.server.verbose)
            return text_response(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _answer(self, reply: PageResponse) -> None:
        unchanged = reply.status == HTTPStatus.OK and self._has(reply.etag)
        status = HTTPStatus.NOT_MODIFIED if unchanged else reply.status
        body, encoding = reply.encoded(self._header("Accept-Encoding"))
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", reply.content_security_policy)
        self.send_header("ETag", reply.etag)
        if reply.is_public:
            self.send_header("Access-Control-Allow-Origin", "*")
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        if self.close_connection:
            self.send_header("Connection", "close")
        if not unchanged:
            self.send_header("Content-Type", reply.file.content_type)
            self.send_header("Content-Length", str(len(body)))
            if encoding:
                self.send_header("Content-Encoding", encoding)
        self.end_headers()
        if not unchanged and self.command != "HEAD":
            self.wfile.write(body)

    def _has(self, etag: str) -> bool:
        known = self._header("If-None-Match").split(",")
        marks = {mark.strip().removeprefix("W/") for mark in known}
        return bool(marks & {etag.removeprefix("W/"), "*"})

    def _header(self, name: str) -> str:
        """Return a header of the request; a malformed request has none."""
        headers = getattr(self, "headers", None)
        return str(headers.get(name, "")) if headers else ""

    def version_string(self) -> str:
        """Name the program without its version."""
        return "checkup"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log requests to stderr with ``-v``."""
        if self.server.verbose:
            output.log_line(f"{self.client_address[0]} {format % args}")


# Allowed host names, against DNS rebinding: a malicious page can resolve its own name to this
# machine and read what is served. Its requests carry that name in ``Host``; IP addresses and
# ``localhost`` cannot be rebound.


_HOST = re.compile(r"(?:\[([\w:.%]+)\]|([\w.-]+))(?::\d*)?", re.ASCII)


_MAX_REFUSED: Final = 20
"""Refused names that are logged."""


class AllowedHosts:
    """The allowed names, besides IP addresses and ``localhost``."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {_normal(name) for name in names if name}
        self._refused: set[str] = set()

    @classmethod
    def of(cls, url: str, names: Iterable[str]) -> Self:
        """Allow the host of a URL, if it has one, and further names."""
        return cls([urlsplit(url).hostname or "", *names])

    def allows(self, header: str) -> bool:
        """Whether the ``Host`` header of a request is allowed; an empty one is."""
        name = _name(header)
        return (
            not header
            or name == "localhost"
            or name.endswith(".localhost")
            or name in self._names
            or _is_address(name)
        )

    def is_new(self, name: str) -> bool:
        """Whether a name was refused for the first time, as one of a few."""
        if not name or name in self._refused or len(self._refused) >= _MAX_REFUSED:
            return False
        self._refused.add(name)
        return True


def _name(header: str) -> str:
    """Return the name, without the port."""
    match = _HOST.fullmatch(header.strip())
    return _normal((match[1] or match[2]) if match else "")


def _normal(name: str) -> str:
    return name.lower().removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


# The routes: page, index.json and run files.


CACHE_SECONDS: Final = 3.0
"""How long a rendered page is reused, so that many readers do not render it again."""

_JSON: Final = "application/json"
Value = TypeVar("Value")
Build = Callable[[], Mapping[str, PageFile]]


class TimedCache(Generic[Value]):
    """A value that is made on request, and again after :data:`CACHE_SECONDS`.

    Requests during that wait for it.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[Value, float] | None = None

    def get(self) -> Value:
        """Return the value."""
        with self._lock:
            if self._made is None or time.monotonic() - self._made[1] > CACHE_SECONDS:
                self._made = (self._make(), time.monotonic())
            return self._made[0]


class SiteRoutes:
    """Maps paths to responses.

    Args:
        build: renders the whole page.
        storage: where the runs are.
    """

    def __init__(self, build: Build, storage: Storage) -> None:
        self._page = TimedCache(build)
        self._index = TimedCache(self._make_index)
        self._storage = storage

    def respond(self, path: str) -> PageResponse:
        """Return the response for a path without leading slash and query.

        Paths are keys of a table, never names in a file system.

        Raises:
            StorageError: the storage cannot be read.
        """
        index = "index.html" if not path or path.endswith("/") else ""
        if data := self._data(path):
            return PageResponse(status=200, file=data)
        if file := self._page.get().get(path + index):
            is_public = not file.content_type.startswith("text/html")
            return PageResponse(status=200, file=file, is_public=is_public)
        return PageResponse(status=404, file=self._page.get().get("404.html") or _not_found(path))

    def _data(self, path: str) -> PageFile | None:
        if path == "index.json":
            return self._index.get()
        if model.key_time(path) is None or "/" in path:
            return None
        stored = self._storage.get(model.RUNS_PREFIX + path)
        return _json(stored.body) if stored else None

    def _make_index(self) -> PageFile:
        slots = {
            key.removeprefix(model.RUNS_PREFIX): slot
            for key in self._storage.list(model.RUNS_PREFIX)
            if (slot := model.key_time(key)) is not None
        }
        return _json(json.dumps(slots, separators=(",", ":")).encode() + b"\n")


def _json(body: bytes) -> PageFile:
    return PageFile(body=body, content_type=_JSON, max_age=0)


def _not_found(path: str) -> PageFile:
    error = {"Error": {"Message": f"file not found: {path}"}}
    return _json(json.dumps(error).encode() + b"\n")


_GRACE_SECONDS: Final = 2.0
"""Time for current requests to finish when the server is closed."""


class PageServer(ThreadingMixIn, TCPServer):
    """Listens when created; serves a site until closed.

    Each connection has a thread, so a slow client does not block others.

    Args:
        address: host and port; an empty host means all interfaces, port 0 any free port.
        hosts: the allowed host names.
        verbose: log each request.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        site: SiteRoutes,
        hosts: AllowedHosts,
        *,
        verbose: bool = False,
    ) -> None:
        self.site = site
        self.hosts = hosts
        self.verbose = verbose
        self._answering = 0
        self._answered = Condition()
        places = socket.getaddrinfo(
            address[0] or "0.0.0.0",  # noqa: S104 - an empty host means all interfaces
            address[1],
            type=socket.SOCK_STREAM,
        )
        # Of a name such as localhost, prefer the IPv4 address.
        family, *_, place = min(places, key=lambda found: found[0] != socket.AF_INET)
        self.address_family = family
        host, port = place[:2]
        super().__init__((str(host), int(port)), PageApp)

    @property
    def host(self) -> str:
        """The address of the listening socket."""
        return str(self.server_address[0])

    @property
    def url(self) -> str:
        """The URL of the site."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{name}:{self.server_address[1]}/"

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count the block as a current request."""
        with self._answered:
            self._answering += 1
        try:
            yield
        finally:
            with self._answered:
                self._answering -= 1
                self._answered.notify_all()

    def server_close(self) -> None:
        """Stop listening, and let current requests finish within the grace period."""
        super().server_close()
        with self._answered:
            self._answered.wait_for(lambda: not self._answering, _GRACE_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect; log any other error."""
        error = sys.exception()
        if not isinstance(error, OSError):
            output.log_line(f"a request failed: {type(error).__name__}")
