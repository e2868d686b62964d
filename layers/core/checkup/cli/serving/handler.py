"""One connection: GET and HEAD, answered with safe headers."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BufferedReader
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from checkup.cli import failures, terminal
from checkup.cli.serving.incoming import IDLE_TIMEOUT_SECONDS, RequestReader
from checkup.cli.serving.reply import PageResponse, text_response
from checkup.errors import CheckupError

if TYPE_CHECKING:
    from checkup.cli.serving.server import PageServer

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

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is no GET and no HEAD, and what is no HTTP, in one plain line."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code = HTTPStatus.METHOD_NOT_ALLOWED
        self.close_connection = True
        self._answer(text_response(code))

    def _reply(self) -> PageResponse:
        if not all(map(self.server.hosts.include, self.headers.get_all("Host", ()))):
            return text_response(
                HTTPStatus.MISDIRECTED_REQUEST, "this is not the name of this server"
            )
        try:
            path = unquote(urlsplit(self.path).path).removeprefix("/")
        except ValueError:
            return text_response(HTTPStatus.BAD_REQUEST)
        try:
            return self.server.site.reply(path)
        except CheckupError as error:
            terminal.log_line(str(error))
            return text_response(HTTPStatus.SERVICE_UNAVAILABLE)
        except Exception as error:  # noqa: BLE001 - one bad request must not harm the others
            failures.report_internal_error(error, verbose=self.server.verbose)
            return text_response(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _answer(self, reply: PageResponse) -> None:
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
        """Name the program without its version."""
        return "checkup"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
        """Say it on stderr, if it was asked for."""
        if self.server.verbose:
            terminal.log_line(f"{self.client_address[0]} {format % args}")
