"""A small HTTP server for one site: GET and HEAD, with time limits and safe headers."""

from __future__ import annotations

import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from checkup.cli import failures, terminal
from checkup.cli.site import Reply, Site
from checkup.errors import CheckupError
from checkup.ports import PageFile

SILENCE_SECONDS: Final = 10.0
"""A connection on which nothing moves for so long is closed."""

# The page's own policy, in each HTML file, is narrower: it names the hashes of what is inline.
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server(ThreadingMixIn, TCPServer):
    """Serves a site, from the moment that it is made until it is closed.

    Args:
        address: host and port; an empty host means all of this machine's addresses, and
            port 0 any free one.
        verbose: log each request.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], site: Site, *, verbose: bool = False) -> None:
        self.site = site
        self.verbose = verbose
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

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002
        """Say nothing of visitors that go away; anything else is a line of the log."""
        error = sys.exception()
        if not isinstance(error, OSError):
            terminal.say(f"a request failed: {type(error).__name__}")


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = SILENCE_SECONDS

    def do_GET(self) -> None:
        self._answer(self._reply())

    do_HEAD = do_GET  # noqa: N815 - the library looks for this name

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is no GET and no HEAD, and what is no HTTP, in one plain line."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code = HTTPStatus.METHOD_NOT_ALLOWED
        self.close_connection = True
        self._answer(_plain(code))

    def _reply(self) -> Reply:
        path = unquote(urlsplit(self.path).path).removeprefix("/")
        try:
            return self.server.site.reply(path)
        except CheckupError as error:
            terminal.say(str(error))
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE)
        except Exception as error:  # noqa: BLE001 - one bad request must not harm the others
            failures.describe(error, verbose=self.server.verbose)
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _answer(self, reply: Reply) -> None:
        unchanged = reply.status == HTTPStatus.OK and self._has(reply.etag)
        status = HTTPStatus.NOT_MODIFIED if unchanged else reply.status
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.send_header("ETag", reply.etag)
        self.send_header("Cache-Control", "no-cache")
        if not unchanged:
            self.send_header("Content-Type", reply.file.content_type)
            self.send_header("Content-Length", str(len(reply.file.body)))
        self.end_headers()
        if not unchanged and self.command != "HEAD":
            self.wfile.write(reply.file.body)

    def _has(self, etag: str) -> bool:
        known = self.headers.get("If-None-Match", "")
        return etag in {mark.strip().removeprefix("W/") for mark in known.split(",")}

    def version_string(self) -> str:
        return "checkup"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
        if self.server.verbose:
            terminal.say(f"{self.client_address[0]} {format % args}")


def _plain(status: int) -> Reply:
    text = f"{status} {HTTPStatus(status).phrase}\n".encode()
    file = PageFile(body=text, content_type="text/plain; charset=utf-8", max_age=0)
    return Reply(status=status, file=file)
