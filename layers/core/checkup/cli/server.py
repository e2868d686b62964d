"""A small HTTP server for one site: GET and HEAD, with time limits and safe headers."""

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


# What a client sends, within limits of time.


IDLE_TIMEOUT_SECONDS: Final = 10.0
"""A connection on which nothing moves for so long is closed."""

REQUEST_TIMEOUT_SECONDS: Final = 30.0
"""Who takes longer to say what is wanted, letter by letter, is not waited for."""


class RequestReader(RawIOBase):
    """What a client sends, for as long as one request may take."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.begin()

    def begin(self) -> None:
        """Wait for the next request from now on."""
        self._deadline = Deadline.after(REQUEST_TIMEOUT_SECONDS)

    def readable(self) -> bool:
        """Say that it is."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read what is there; see :meth:`io.RawIOBase.readinto`.

        Raises:
            TimeoutError: nothing came, or all of it took too long.
        """
        left = self._deadline.remaining()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(min(IDLE_TIMEOUT_SECONDS, left))
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(IDLE_TIMEOUT_SECONDS)


# One answer of a web server: a file, and what the protocol needs to know of it.


_WORTH_IT: Final = 1_000
"""Bytes from which on a text is sent compressed."""

_TEXT: Final = re.compile(r"text/|image/svg|application/(json|openmetrics|[a-z]+\+xml)")

_NOTHING: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""The policy of what is no page: nothing loads and nothing runs; pictures have colours."""

_OWN: Final = re.compile(rb'http-equiv="Content-Security-Policy" content="([^"]*)"')


class PageResponse(Struct, frozen=True, kw_only=True):
    """A status and a file."""

    status: int
    file: PageFile

    @property
    def etag(self) -> str:
        """A mark that changes with the content; weak, for there are two encodings of it."""
        return f'W/"{hashlib.sha256(self.file.body).hexdigest()[:20]}"'

    @property
    def content_security_policy(self) -> str:
        """The content security policy: that which a page itself has, and no frames around it."""
        found = _OWN.search(self.file.body) if self._is("text/html") else None
        own = html.unescape(found[1].decode()) if found else _NOTHING
        return f"{own}; frame-ancestors 'none'"

    def encoded(self, accepted: str) -> tuple[bytes, str]:
        """Return the body as it is sent, and the encoding that it is in; empty for none.

        Args:
            accepted: what the request says of encodings.
        """
        is_text = _TEXT.match(self.file.content_type) is not None
        if is_text and len(self.file.body) >= _WORTH_IT and _takes_gzip(accepted):
            return _compressed(self.file.body), "gzip"
        return self.file.body, ""

    def _is(self, kind: str) -> bool:
        return self.file.content_type.startswith(kind)


def text_response(status: int, words: str = "") -> PageResponse:
    """Return an answer of one line."""
    text = f"{status} {words or HTTPStatus(status).phrase}\n".encode()
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


# One connection: GET and HEAD, answered with safe headers.


_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


class PageApp(BaseHTTPRequestHandler):
    """Answers what comes on a connection."""

    server: PageServer
    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT_SECONDS

    def setup(self) -> None:
        """Read within limits of time; see the library, as for the other names of its own."""
        super().setup()
        self.rfile.close()
        self._incoming = RequestReader(self.connection)
        self.rfile = BufferedReader(self._incoming)

    def handle_one_request(self) -> None:
        """Give each request its time."""
        self._incoming.begin()
        super().handle_one_request()

    def do_GET(self) -> None:
        """Answer with the file, or with what is wrong."""
        if self._header("Transfer-Encoding") or self._header("Content-Length") not in {"", "0"}:
            # Nobody reads what a GET carries: it must not be taken for the next request.
            self.close_connection = True
        with self.server.answering():
            self._answer(self._reply())

    do_HEAD = do_GET  # noqa: N815 - the library looks for this name

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no GET and no HEAD, and what is no HTTP, in one plain line."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code = HTTPStatus.METHOD_NOT_ALLOWED
        self.close_connection = True
        self._answer(text_response(code))

    def _reply(self) -> PageResponse:
        if not all(map(self.server.hosts.allows, self.headers.get_all("Host", ()))):
            return text_response(HTTPStatus.MISDIRECTED_REQUEST, "host name not allowed")
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
        """Return a field of the request; what was no HTTP has none."""
        headers = getattr(self, "headers", None)
        return str(headers.get(name, "")) if headers else ""

    def version_string(self) -> str:
        """Name the program without its version."""
        return "checkup"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say it on stderr, if it was asked for."""
        if self.server.verbose:
            output.log_line(f"{self.client_address[0]} {format % args}")


# Under which names a server on this machine may be asked.
#
# A page of somebody else, opened on this machine, can let a name of its own lead here and then
# read what is served ("DNS rebinding"). Its requests carry that name; a literal address or
# ``localhost`` cannot be taken over in this way.


_HOST = re.compile(r"(?:\[([\w:.%]+)\]|([\w.-]+))(?::\d*)?", re.ASCII)


class AllowedHosts:
    """The names that are ours, besides addresses and ``localhost``."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {_normal(name) for name in names if name}

    @classmethod
    def of(cls, url: str, names: Iterable[str]) -> Self:
        """Return the host of an address, if it has one, and further names."""
        return cls([urlsplit(url).hostname or "", *names])

    def allows(self, header: str) -> bool:
        """Say whether the ``Host`` of a request is one of ours; a request without one is."""
        name = _name(header)
        return (
            not header
            or name == "localhost"
            or name.endswith(".localhost")
            or name in self._names
            or _is_address(name)
        )


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


# The status page and the stored runs, rendered from any storage when they are asked for.
#
# Besides the page there are the Go program's two routes for data: ``/index.json``, a map of run
# files to their times, and the run files themselves.


CACHE_SECONDS: Final = 3.0
"""How long an answer is given again as it was, so that a crowd renders the page once."""

_JSON: Final = "application/json"
Value = TypeVar("Value")
Build = Callable[[], Mapping[str, PageFile]]


class TimedCache(Generic[Value]):
    """A value that is made when it is asked for, and again when it is some seconds old.

    Whoever asks while it is being made waits for it.
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
    """Everything that can be asked for.

    Args:
        build: renders the whole page.
        storage: where the runs are.
    """

    def __init__(self, build: Build, storage: Storage) -> None:
        self._page = TimedCache(build)
        self._index = TimedCache(self._make_index)
        self._storage = storage

    def respond(self, path: str) -> PageResponse:
        """Answer a request for a path, which has neither a leading slash nor a query.

        A path is a name in a table and never one in a file system.

        Raises:
            StorageError: the storage cannot be read.
        """
        index = "index.html" if not path or path.endswith("/") else ""
        file = self._data(path) or self._page.get().get(path + index)
        if file is not None:
            return PageResponse(status=200, file=file)
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
"""What is being answered when the server is closed is given so long."""


class PageServer(ThreadingMixIn, TCPServer):
    """Serves a site, from the moment that it is made until it is closed.

    Each connection has a thread of its own, so that a slow one holds up nobody.

    Args:
        address: host and port; an empty host means all of this machine's addresses, and
            port 0 any free one.
        hosts: the names under which it may be asked.
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
            address[0] or "0.0.0.0",  # noqa: S104 - what an empty host has always meant
            address[1],
            type=socket.SOCK_STREAM,
        )
        # For a name such as localhost, IPv4 is what every reader can reach.
        family, *_, place = min(places, key=lambda found: found[0] != socket.AF_INET)
        self.address_family = family
        host, port = place[:2]
        super().__init__((str(host), int(port)), PageApp)

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return str(self.server_address[0])

    @property
    def url(self) -> str:
        """Where the site is, on this machine."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{name}:{self.server_address[1]}/"

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Note that somebody is being answered while the block runs."""
        with self._answered:
            self._answering += 1
        try:
            yield
        finally:
            with self._answered:
                self._answering -= 1
                self._answered.notify_all()

    def server_close(self) -> None:
        """Listen no more, and let those who are being answered have their answer."""
        super().server_close()
        with self._answered:
            self._answered.wait_for(lambda: not self._answering, _GRACE_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of visitors that go away; anything else is a line of the log."""
        error = sys.exception()
        if not isinstance(error, OSError):
            output.log_line(f"a request failed: {type(error).__name__}")
