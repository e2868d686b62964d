"""A small HTTP server for one site: GET and HEAD, with time limits and safe headers."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BufferedReader, RawIOBase
from socketserver import TCPServer, ThreadingMixIn
from threading import Condition
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from checkup.cli import failures, terminal
from checkup.cli.hosts import Hosts
from checkup.cli.reply import Reply, plain
from checkup.cli.site import Site
from checkup.deadline import Deadline
from checkup.errors import CheckupError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SILENCE_SECONDS: Final = 10.0
"""A connection on which nothing moves for so long is closed."""

REQUEST_SECONDS: Final = 30.0
"""Who takes longer to say what is wanted, letter by letter, is not waited for."""

_GRACE_SECONDS: Final = 2.0
"""What is being answered when the server is closed is given so long."""

_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


class Server(ThreadingMixIn, TCPServer):
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
        self, address: tuple[str, int], site: Site, hosts: Hosts, *, verbose: bool = False
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
        super().__init__((str(host), int(port)), _Handler)

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

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002
        """Say nothing of visitors that go away; anything else is a line of the log."""
        error = sys.exception()
        if not isinstance(error, OSError):
            terminal.say(f"a request failed: {type(error).__name__}")


class _Incoming(RawIOBase):
    """What a client sends, for as long as one request may take."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.begin()

    def begin(self) -> None:
        """Wait for the next request from now on."""
        self._deadline = Deadline.after(REQUEST_SECONDS)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read what is there; see :meth:`io.RawIOBase.readinto`.

        Raises:
            TimeoutError: nothing came, or all of it took too long.
        """
        left = self._deadline.left()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(min(SILENCE_SECONDS, left))
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(SILENCE_SECONDS)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = SILENCE_SECONDS

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._incoming = _Incoming(self.connection)
        self.rfile = BufferedReader(self._incoming)

    def handle_one_request(self) -> None:
        self._incoming.begin()
        super().handle_one_request()

    def do_GET(self) -> None:
        if self._header("Transfer-Encoding") or self._header("Content-Length") not in {"", "0"}:
            # Nobody reads what a GET carries: it must not be taken for the next request.
            self.close_connection = True
        with self.server.answering():
            self._answer(self._reply())

    do_HEAD = do_GET  # noqa: N815 - the library looks for this name

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is no GET and no HEAD, and what is no HTTP, in one plain line."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code = HTTPStatus.METHOD_NOT_ALLOWED
        self.close_connection = True
        self._answer(plain(code))

    def _reply(self) -> Reply:
        if not all(map(self.server.hosts.include, self.headers.get_all("Host", ()))):
            return plain(HTTPStatus.MISDIRECTED_REQUEST, "this is not the name of this server")
        try:
            path = unquote(urlsplit(self.path).path).removeprefix("/")
        except ValueError:
            return plain(HTTPStatus.BAD_REQUEST)
        try:
            return self.server.site.reply(path)
        except CheckupError as error:
            terminal.say(str(error))
            return plain(HTTPStatus.SERVICE_UNAVAILABLE)
        except Exception as error:  # noqa: BLE001 - one bad request must not harm the others
            failures.describe(error, verbose=self.server.verbose)
            return plain(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _answer(self, reply: Reply) -> None:
        unchanged = reply.status == HTTPStatus.OK and self._has(reply.etag)
        status = HTTPStatus.NOT_MODIFIED if unchanged else reply.status
        body, encoding = reply.encoded(self._header("Accept-Encoding"))
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", reply.policy)
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
        return "checkup"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
        if self.server.verbose:
            terminal.say(f"{self.client_address[0]} {format % args}")
