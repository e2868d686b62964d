"""S3 as the soak test has it: an emulator, and before it all that S3 may do on a bad day.

The faults sit between the emulator and its socket, so a request that is to be lost is lost, and
one whose answer is to be lost was carried out.
"""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from threading import Thread
from typing import Any, Final, Self

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app

from checkup.times import SECOND
from tests.soak.gate import Gate

REFUSED: Final = {
    "500": "InternalError",
    "503": "SlowDown",
    "409": "ConditionalRequestConflict",
}
HEAD: Final = "/state/head.json"

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Bay:
    """The emulator, behind the gate and beside it.

    What can become of a request: ``ok``; ``lost``: it is not carried out and nothing is answered;
    ``answer-lost``; a status such as ``503`` in place of carrying it out; ``500-done``: that, and
    it was carried out all the same; ``killed-before`` and ``killed-after``, its sender.

    Attributes:
        url: behind the gate; ``direct`` leads past it.
        now: what S3 says that the time is, in nanoseconds.
        kill: ends the sender of the request that is being served.
        wrote: is told of the body of each head that was written.
        listed: is told of the check files in each list that was answered.
    """

    def __init__(self, gate: Gate) -> None:
        self.now = 0
        self.kill: Callable[[], None] = _nothing
        self.wrote: Callable[[bytes], None] = _nothing
        self.listed: Callable[[Sequence[str]], None] = _nothing
        self._gate = gate
        self._emulator: Application = DomainDispatcherApplication(create_backend_app)
        self._servers = [
            make_server("127.0.0.1", 0, app, threaded=True, request_handler=_handler(self))
            for app in (self._serve, self._emulator)
        ]
        self.url, self.direct = (f"http://127.0.0.1:{server.port}" for server in self._servers)
        self._threads = [
            Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            for server in self._servers
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()

    def _serve(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        fate = self._gate.arrive(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        if fate in REFUSED:
            return _refuse(start, fate)
        if fate == "killed-before":
            self.kill()
        if fate in {"killed-before", "lost"}:
            return _hang_up(environ)
        content, status, headers = run_wsgi_app(self._emulator, environ, buffered=True)
        answer = b"".join(content)
        self._note(environ, status, body, answer)
        if fate == "killed-after":
            self.kill()
        if fate in {"killed-after", "answer-lost"}:
            return _hang_up(environ)
        if fate == "500-done":
            return _refuse(start, "500")
        start(status, list(headers.items()))
        return [answer]

    def _note(self, environ: dict[str, Any], status: str, body: bytes, answer: bytes) -> None:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method == "PUT" and path.endswith(HEAD) and status.startswith("200"):
            self.wrote(body)
        if "list-type=2" in environ["QUERY_STRING"]:
            found = re.findall(rb"<Key>(runs/[^<]+)</Key>", answer)
            self.listed([name.decode() for name in found])


def _refuse(start: Callable[..., Any], status: str) -> list[bytes]:
    start(f"{status} {REFUSED[status]}", [("Content-Type", "application/xml")])
    return [f"<Error><Code>{REFUSED[status]}</Code></Error>".encode()]


def _hang_up(environ: dict[str, Any]) -> Iterable[bytes]:
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


def _nothing(*_: object) -> None:
    pass


def _handler(bay: Bay) -> type[WSGIRequestHandler]:
    """Return the side of the server that speaks HTTP, and S3's time."""

    class Handler(WSGIRequestHandler):
        def date_time_string(self, timestamp: float | None = None) -> str:
            del timestamp  # the library's only use of it is for the present
            return formatdate(bay.now / SECOND, usegmt=True)

        def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - its name
            """Stay quiet."""

    return Handler
